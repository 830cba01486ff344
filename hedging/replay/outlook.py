"""What a replay says for the time to come: the price of the insurance, how far the short survives, and what if."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hedging.errors import NotEnoughHistory
from hedging.margin import worst_pumps
from hedging.market import Candles
from hedging.ratio import bars_a_day, ols
from hedging.ratio.effectiveness import carried
from hedging.replay.fitting import Rule
from hedging.replay.report import Result
from hedging.replay.run import series_of
from hedging.returns import Returns, aligned
from hedging.scenario import Outcomes, what_if
from hedging.selection import Instrument, Selection, Wishes, select

PUMP_DAYS = (1, 7, 30)


@dataclass(frozen=True, slots=True)
class Runway:
    """One short of the newest legs. `survives`: the rise, as a fraction, at which its collateral is used up if nobody
    tops it up. `pumps`: the coin's own worst rises within 1, 7 and 30 days in the history, None where it is too short.
    """

    instrument: str
    survives: float
    pumps: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """`insurance_per_month`: fees and slippage less funding received, over the months replayed, in money; positive
    costs. `runways`: of the newest legs. `choices`: how each coin would best be hedged by itself on the last day, and
    why not otherwise. `what_if`: that day's holdings and newest legs when the factor moves; None where betas cannot be
    measured."""

    insurance_per_month: float
    runways: tuple[Runway, ...]
    choices: tuple[Selection, ...]
    what_if: Outcomes | None


def outlook(candles: Candles, holdings: Mapping[str, float], rule: Rule, result: Result) -> Outlook:
    """What follows from a replay of `rule` for `holdings` (asset -> amount). Prices after the replay's last day take no
    part.

    The rise that a short survives: collateral of 1 / leverage of its notional, less the maintenance margin on what it
    has risen to, (1 / leverage - m) / (1 + m). Betas are least squares on the factor over the training days. A history
    of prices says nothing of depth and open interest: the choices take any amount to be tradable.
    """
    end = np.datetime64(result.daily[-1][0], "s") + np.timedelta64(86_400, "s")
    known = int(np.searchsorted(candles.times, end))
    past = Candles(
        candles.names,
        candles.times[:known],
        candles.close[:known],
        None if candles.high is None else candles.high[:known],
    )
    newest = max((leg.date for leg in result.legs), default=None)
    legs = {leg.instrument: leg.ratio for leg in result.legs if leg.date == newest}
    months = len(result.daily) / 30
    survives = (1 / rule.leverage - rule.maintenance_rate) / (1 + rule.maintenance_rate)
    returns = aligned(past)
    bars = [max(round(days * bars_a_day(returns)), 1) for days in PUMP_DAYS]
    return Outlook(
        insurance_per_month=(result.fees - result.funding) / months,
        runways=tuple(Runway(name, survives, _pumps(past, name, bars)) for name in legs),
        choices=_choices(past, returns, holdings, rule),
        what_if=_what_if(past, returns, holdings, legs, rule),
    )


def _pumps(past: Candles, name: str, bars: list[int]) -> tuple[float | None, ...]:
    column = past.names.index(name)
    close = past.close[:, column]
    high = close if past.high is None else past.high[:, column]
    found: list[float | None] = []
    for span in bars:
        try:
            found.append(worst_pumps(close, high, [span])[0])
        except NotEnoughHistory:
            found.append(None)
    return tuple(found)


def _choices(
    past: Candles, returns: Returns, holdings: Mapping[str, float], rule: Rule
) -> tuple[Selection, ...]:
    spot, shorts = series_of(past.names)
    last = carried(past.close)[-1]
    train = returns.times >= returns.times[-1] - np.timedelta64(rule.train_days * 86_400, "s")
    window = Returns(returns.names, returns.times[train], returns.values[train], returns.set_aside)
    instruments = [
        Instrument(
            symbol=past.names[shorts[name]],
            base=name,
            series=past.names[shorts[name]],
            taker_fee=rule.taker_fee,
            spread=2 * rule.slippage,
            carry=rule.funding_rate * 90,
            depth=float("inf"),
            open_interest=None,
            min_notional=rule.min_notional,
        )
        for name in dict.fromkeys(rule.instruments or shorts)
        if not (rule.exclude_direct and name in holdings)
    ]
    wishes = Wishes(target=min(rule.target, 1.0), max_legs=rule.max_legs, horizon_days=rule.rebalance_days)
    worth = {name: float(last[spot[name]] * amount) for name, amount in holdings.items()}
    return tuple(
        select(name, value, instruments, window, wishes) for name, value in worth.items() if value > 0
    )


def _what_if(
    past: Candles, returns: Returns, holdings: Mapping[str, float], legs: Mapping[str, float], rule: Rule
) -> Outcomes | None:
    spot, shorts = series_of(past.names)
    factor = shorts.get(rule.factor)
    if factor is None:
        return None
    train = returns.times >= returns.times[-1] - np.timedelta64(rule.train_days * 86_400, "s")
    x = returns.values[train, factor]

    def beta(column: int) -> float:
        return 1.0 if column == factor else ols(returns.values[train, column], x).beta

    last = carried(past.close)[-1]
    held = [spot[name] for name in holdings]
    values = np.array([last[column] * amount for column, amount in zip(held, holdings.values(), strict=True)])
    notionals = np.array([ratio * values.sum() for ratio in legs.values()])
    try:
        betas = np.array([beta(column) for column in held])
        short_betas = np.array([beta(past.names.index(name)) for name in legs])
    except NotEnoughHistory:
        return None
    return what_if(
        values,
        betas,
        notionals,
        short_betas,
        collateral=float(notionals.sum()) / rule.leverage,
        maintenance_rate=rule.maintenance_rate,
    )
