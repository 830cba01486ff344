"""Which shorts a rule would have chosen on a day, from what was known on that day."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput
from hedging.ratio.basket import HALF_LIFE_DAYS, RIDGE, Costs, fresh, second_moments, sparse
from hedging.ratio.regression import MIN_RETURNS
from hedging.returns import Floats, Returns

Method = Literal["auto", "direct", "cross", "beta", "manual"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule to replay. Fractions unless said otherwise.

    `target`: share of the answer that is shorted, (0, 1.5]. `method`: auto (direct where the coin is an instrument,
    a basket for the rest), direct, cross (a basket only), beta (least squares on the factor), manual (`beta` x the
    factor). `instruments`: what can be shorted, in the history's names; empty: everything. `factor`: BTC unless it is
    no instrument. `exclude_direct`: held coins cannot be shorted. Ratios are fitted every `rebalance_days` on the
    `train_days` before; in between the short follows the portfolio's value when coverage leaves the `band`. Collateral
    is notional / `leverage`, topped up when half of it is lost. `funding_rate`: what shorts receive per 8 hours where
    no history of it is given. `min_notional`: the smallest order, in quote units. `reset_holdings`: at every midnight
    each coin is set back to its first worth, so that all days count alike; without it the amounts are kept, and in the
    end the coin that rose the most is nearly all there is to hedge.
    """

    target: float = 0.75
    method: Method = "auto"
    instruments: tuple[str, ...] = ()
    max_legs: int = 3
    beta: float = 1.0
    factor: str = "BTC"
    exclude_direct: bool = False
    train_days: int = 60
    rebalance_days: int = 14
    band: float = 0.10
    leverage: float = 2.0
    taker_fee: float = 0.0005
    slippage: float = 0.0002
    funding_rate: float = 0.0
    maintenance_rate: float = 0.01
    min_notional: float = 5.0
    reset_holdings: bool = False

    def __post_init__(self) -> None:
        checks = (
            (0 < self.target <= 1.5, f"The target must be above 0 and at most 1.5, not {self.target:g}."),
            (self.method in METHODS, f"The method must be one of {', '.join(METHODS)}, not {self.method}."),
            (self.max_legs >= 1, "There must be at least one leg."),
            (0 < self.beta <= 10, f"The factor must be above 0 and at most 10, not {self.beta:g}."),
            (self.train_days >= 2, "At least 2 days are needed to fit on."),
            (self.rebalance_days >= 1, "The hedge can be fitted once a day at most."),
            (self.band > 0, "The band must be above 0."),
            (1 <= self.leverage <= 20, f"The leverage must be from 1 to 20, not {self.leverage:g}."),
            (
                0 <= self.taker_fee < 0.1 and 0 <= self.slippage < 0.1,
                "Fees and slippage must be from 0 to 10 %.",
            ),
            (abs(self.funding_rate) < 0.05, "A funding rate beyond 5 % in 8 hours cannot be meant."),
            (self.min_notional >= 0, "The smallest order cannot be negative."),
            (
                self.method != "direct" or not self.exclude_direct,
                "Direct shorts only, and held coins that cannot be shorted: that leaves nothing to trade.",
            ),
        )
        for holds, sentence in checks:
            if not holds:
                raise BadInput(sentence)


@dataclass(frozen=True, slots=True)
class Field:
    """The columns that matter: `held` (H,) and `short` (K,) columns of the price table, and `own` (K, H): which
    instrument is which held coin."""

    names: tuple[str, ...]
    held: NDArray[np.intp]
    short: NDArray[np.intp]
    own: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        base = np.array([name.partition("/")[0] for name in self.names])
        object.__setattr__(self, "own", base[self.short][:, None] == base[self.held][None, :])


def choose_ratios(rule: Rule, at: Field, window: Returns, weights: Floats, values: Floats) -> Floats:
    """(B, K) ratios before the target, for (B, H) `weights` of portfolios worth (B,) `values` quote units; legs that
    would be below the smallest order are left out.

    `window`: returns of the training days, all columns of the price table.
    """
    ratios = _ratios(rule, at, window, weights, values)
    return np.where(ratios * (rule.target * values)[:, None] >= rule.min_notional, ratios, 0.0)


def _ratios(rule: Rule, at: Field, window: Returns, weights: Floats, values: Floats) -> Floats:
    moves = window.values[:, np.concatenate([at.held, at.short])]
    needed = 1 if rule.method == "manual" else max(MIN_RETURNS, len(moves) / 2)
    recent = fresh(window)
    usable = (np.isfinite(moves[:, len(at.held) :]).sum(axis=0) >= needed) & recent[at.short]
    weights = weights * recent[at.held]  # nothing can answer a price that stands still
    ratios = np.zeros((len(weights), len(at.short)))
    if not usable.any():
        return ratios
    if rule.method in ("beta", "manual"):
        leg = _factor_leg(rule, at, usable)
        ratios[:, leg] = rule.beta if rule.method == "manual" else _slope(moves, len(at.held), leg, weights)
        return np.maximum(ratios, 0.0)
    held = weights > 0
    direct = np.zeros((len(weights), len(at.short)), dtype=bool)
    if rule.method != "cross" and not rule.exclude_direct:
        direct = (held.astype(np.float64) @ at.own.T > 0) & usable
        if rule.method == "direct":
            direct &= _largest(weights @ at.own.T * direct, rule.max_legs)
        few = direct.sum(axis=1) <= rule.max_legs
        direct &= few[:, None]
        ratios[direct] = (weights @ at.own.T)[direct]
        if rule.method == "direct":
            return ratios
    mine = held.astype(np.float64) @ at.own.T > 0
    crowded = np.zeros(len(weights), dtype=bool)
    if rule.method == "auto" and not rule.exclude_direct:
        crowded = (mine & usable).sum(
            axis=1
        ) > rule.max_legs  # too many to short one by one: the best few of all
    allowed = usable & (~mine | crowded[:, None])
    rest = weights * ~(direct.astype(np.float64) @ at.own > 0)
    legs_left = rule.max_legs - direct.sum(axis=1)
    for legs in np.unique(legs_left[legs_left > 0]):
        rows = np.flatnonzero((legs_left == legs) & (rest.sum(axis=1) > 0))
        if len(rows):
            ratios[rows] += _basket(
                rule, moves, at, rest[rows], allowed[rows], int(legs), values[rows], window
            )
    return ratios


def _basket(
    rule: Rule,
    moves: Floats,
    at: Field,
    weights: Floats,
    allowed: NDArray[np.bool_],
    legs: int,
    values: Floats,
    window: Returns,
) -> Floats:
    split, days = len(at.held), _days(window)
    bars_a_day = len(moves) / days
    moments = second_moments(moves, HALF_LIFE_DAYS * bars_a_day)
    own, gram, cross = moments[:split, :split], moments[split:, split:], weights @ moments[:split, split:]
    variance = np.einsum("bi,ij,bj->b", weights, own, weights)
    strength = np.where(np.diag(gram) > 0, np.diag(gram), 1.0)
    funding = max(-rule.funding_rate, 0.0) * 3 * rule.rebalance_days
    costs = Costs(
        per_ratio=np.full(len(gram), 2 * (rule.taker_fee + rule.slippage) + funding),
        least=np.broadcast_to((rule.min_notional / (values * rule.target))[:, None], cross.shape),
        horizon=rule.rebalance_days * bars_a_day,
    )
    return sparse(gram + RIDGE * np.diag(strength), cross, variance, allowed, max_legs=legs, costs=costs)


def _factor_leg(rule: Rule, at: Field, usable: NDArray[np.bool_]) -> int:
    names = [at.names[i].partition("/")[0] for i in at.short]
    if rule.factor in names and usable[names.index(rule.factor)]:
        return names.index(rule.factor)
    return int(np.flatnonzero(usable)[0])


def _slope(moves: Floats, split: int, leg: int, weights: Floats) -> Floats:
    x = moves[:, split + leg]
    both = np.isfinite(moves[:, :split]) & np.isfinite(x)[:, None]
    clean = np.where(both, moves[:, :split], 0.0)
    squares = np.where(both, (x * x)[:, None], 0.0).sum(axis=0)
    betas = np.divide(np.nan_to_num(x) @ clean, squares, out=np.zeros(split), where=squares > 0)
    slope: Floats = weights @ betas
    return slope


def _largest(values: Floats, count: int) -> NDArray[np.bool_]:
    """(B, K) the `count` largest of each row."""
    rank = np.argsort(np.argsort(-values, axis=1, kind="stable"), axis=1, kind="stable")
    return rank < count


def _days(window: Returns) -> float:
    span = (
        (window.times[-1] - window.times[0]).astype("timedelta64[s]").astype(np.int64)
        if len(window.times) > 1
        else 0
    )
    step = span / max(len(window.times) - 1, 1)
    return max((span + step) / 86_400, 1.0)
