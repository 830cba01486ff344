"""For each holding: short the coin itself, another one, or a basket? Each choice and each rejection with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal

import numpy as np

from hedging.assets import KNOWN, Alias, contract_base, resolve
from hedging.errors import BadInput, NotEnoughHistory, UnknownAsset
from hedging.ratio.basket import Basket, bars_a_day, fit_basket, second_moments
from hedging.returns import Returns

Kind = Literal["direct", "cross", "basket"]
Reason = Literal[
    "chosen",
    "second_best",
    "stablecoin",
    "no_contract",
    "no_history",
    "weak_fit",
    "too_small",
    "too_thin",
    "too_dear",
]

WEAK = 0.1  # an answer that explains less of the variance than this is none
SHARE_OF_DEPTH = 10.0  # times the depth within 0.1 %: what 1 % of slippage reaches in an even book
SHARE_OF_INTEREST = 0.01  # of the open interest: more than this and one is the market


@dataclass(frozen=True, slots=True)
class Instrument:
    """A contract that could be shorted. `base`: as the exchange names it (1000PEPE). `series`: its name in the returns.
    Fractions: `taker_fee`; `spread`; `carry`, what a short is expected to receive a month, negative when it pays.
    Quote units: `depth` within 0.1 % of the touch; `open_interest`, None where the exchange does not say;
    `min_notional`, the larger of the smallest order and one lot. `linear`: False for contracts settled in their coin,
    which need that coin as collateral and are left out unless the rule allows them."""

    symbol: str
    base: str
    series: str
    taker_fee: float
    spread: float
    carry: float
    depth: float
    open_interest: float | None
    min_notional: float
    linear: bool = True


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a rule allows. `target`: share shorted; `max_legs` of a basket; `horizon_days` the costs are spread over;
    `price_of_risk`: paid to be rid of one unit of standard deviation over the horizon; `inverse`: whether contracts
    settled in coin are welcome."""

    target: float = 0.75
    max_legs: int = 3
    horizon_days: float = 30.0
    price_of_risk: float = 0.1
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One way to hedge. `ratios`: notional per unit of value, before the target; `ses`: their standard errors, nought
    for a direct short. `residual`: share of the holding's standard deviation that stays. `cost`: over the horizon, as a
    fraction of value; `worth`: what risk and cost weigh together, the less the better. `reason`: chosen, or why not."""

    kind: Kind
    symbols: tuple[str, ...]
    ratios: tuple[float, ...]
    ses: tuple[float, ...]
    residual: float
    cost: float
    worth: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Selection:
    """What becomes of one holding. `chosen` is None when nothing is proposed, and `reason` says why."""

    asset: str
    chosen: Option | None
    reason: Reason
    options: tuple[Option, ...]


def select(
    asset: str,
    value: float,
    instruments: Sequence[Instrument],
    returns: Returns,
    wishes: Wishes | None = None,
    *,
    known: Mapping[str, Alias] = KNOWN,
) -> Selection:
    """The best tradable hedge of `value` quote units of `asset`, and all that was looked at.

    Weighed is price of risk x residual standard deviation over the horizon + fees, spread and funding over it; not
    hedging costs the whole standard deviation and wins when nothing pays for itself (too_dear). What cannot be traded
    at this size is never chosen: below the smallest order (too_small), or more than the book and the open interest
    carry (too_thin). A direct short needs no history; its residual is that of the contract's own prices where they are
    in the returns, else none.

    Raises BadInput for a value that is not positive.
    """
    if not value > 0:
        raise BadInput(f"the value of {asset} must be positive, not {value}")
    allowed = wishes or Wishes()
    alias = resolve(asset, known)
    if alias.kind == "stable":
        return Selection(asset, None, "stablecoin", ())
    coin = alias.asset
    usable = [i for i in instruments if i.linear or allowed.inverse]
    series = next((name for name in (asset, coin) if name in returns.names), None)
    deviation = _deviation(returns, series, allowed) if series is not None else None
    found = [
        _direct(i, value, returns, series, deviation, allowed) for i in usable if _follows(i, coin, known)
    ]
    others = [i for i in usable if not _follows(i, coin, known)]
    if series is not None and deviation is not None:
        found += [_cross(i, value, returns, series, deviation, allowed) for i in others]
        basket = _basket(others, value, returns, series, deviation, allowed)
        found += [basket] if basket is not None else []
    if not found:
        return Selection(asset, None, "no_history" if usable else "no_contract", ())
    open_options = [o for o in found if o.reason == "chosen"]
    if not open_options:
        closest = min(found, key=lambda o: o.worth)
        return Selection(asset, None, closest.reason, tuple(found))
    best = min(open_options, key=lambda o: o.worth)
    unhedged = allowed.price_of_risk * (deviation if deviation is not None else float("inf"))
    if best.worth >= unhedged:
        ruled = tuple(replace(o, reason="too_dear") if o.reason == "chosen" else o for o in found)
        return Selection(asset, None, "too_dear", ruled)
    ranked = tuple(
        replace(o, reason="second_best") if o.reason == "chosen" and o is not best else o for o in found
    )
    return Selection(asset, best, "chosen", ranked)


def _follows(instrument: Instrument, coin: str, known: Mapping[str, Alias]) -> bool:
    return resolve(contract_base(instrument.base)[0], known).asset == coin


def _direct(
    i: Instrument, value: float, returns: Returns, series: str | None, deviation: float | None, wishes: Wishes
) -> Option:
    residual = 0.0
    if series is not None and i.series in returns.names and i.series != series:
        own, other = returns.series(series), returns.series(i.series)
        both = np.isfinite(own) & np.isfinite(other)
        if both.sum() >= 30 and own[both].std() > 0:
            residual = float(np.sqrt(np.mean((own - other)[both] ** 2) / np.mean(own[both] ** 2)))
    return _option("direct", (i,), (1.0,), (0.0,), residual, value, deviation or 0.0, wishes)


def _cross(
    i: Instrument, value: float, returns: Returns, series: str, deviation: float, wishes: Wishes
) -> Option:
    fitted = _fit(returns, series, [i], 1)
    if fitted is None or not fitted.instruments:
        return Option(
            "cross",
            (i.symbol,),
            (),
            (),
            1.0,
            0.0,
            float("inf"),
            "no_history" if fitted is None else "weak_fit",
        )
    residual = sqrt(max(1.0 - fitted.explained, 0.0))
    option = _option("cross", (i,), fitted.ratios, fitted.ses, residual, value, deviation, wishes)
    return replace(option, reason="weak_fit") if fitted.explained < WEAK else option


def _basket(
    others: Sequence[Instrument],
    value: float,
    returns: Returns,
    series: str,
    deviation: float,
    wishes: Wishes,
) -> Option | None:
    """The best of several, among those that could each carry their whole part; None when one leg or none is best."""
    if wishes.max_legs < 2:
        return None
    big_enough = [i for i in others if wishes.target * value >= i.min_notional]
    fitted = _fit(returns, series, big_enough, wishes.max_legs)
    if fitted is None or len(fitted.instruments) < 2:
        return None
    by_series = {i.series: i for i in reversed(big_enough)}
    legs = tuple(by_series[name] for name in fitted.instruments)
    residual = sqrt(max(1.0 - fitted.explained, 0.0))
    option = _option("basket", legs, fitted.ratios, fitted.ses, residual, value, deviation, wishes)
    return replace(option, reason="weak_fit") if fitted.explained < WEAK else option


def _fit(returns: Returns, series: str, instruments: Sequence[Instrument], legs: int) -> Basket | None:
    try:
        return fit_basket(returns, {series: 1.0}, [i.series for i in instruments], max_legs=legs)
    except (NotEnoughHistory, UnknownAsset):
        return None


def _option(
    kind: Kind,
    legs: Sequence[Instrument],
    ratios: Sequence[float],
    ses: Sequence[float],
    residual: float,
    value: float,
    deviation: float,
    wishes: Wishes,
) -> Option:
    shares = [wishes.target * ratio for ratio in ratios]
    months = wishes.horizon_days / 30.0
    cost = sum(s * (2 * i.taker_fee + i.spread - i.carry * months) for s, i in zip(shares, legs, strict=True))
    # Of the whole deviation, 1 - target stays by choice; the hedged part leaves its residual.
    left = sqrt((1 - wishes.target) ** 2 + (2 - wishes.target) * wishes.target * residual**2)
    reason: Reason = "chosen"
    for share, i in zip(shares, legs, strict=True):
        size = share * value
        if size < i.min_notional:
            reason = "too_small"
        elif size > i.depth * SHARE_OF_DEPTH or (
            i.open_interest is not None and size > i.open_interest * SHARE_OF_INTEREST
        ):
            reason = "too_thin"
    worth = wishes.price_of_risk * deviation * left + cost
    return Option(
        kind, tuple(i.symbol for i in legs), tuple(ratios), tuple(ses), residual, cost, worth, reason
    )


def _deviation(returns: Returns, series: str, wishes: Wishes) -> float | None:
    """Standard deviation over the horizon, as a fraction of value; None with too little history."""
    values = returns.series(series)
    if np.isfinite(values).sum() < 30:
        return None
    bars = bars_a_day(returns)
    variance = float(second_moments(values[:, None], 20.0 * bars)[0, 0])
    return sqrt(variance * bars * wishes.horizon_days)
