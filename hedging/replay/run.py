"""A rule over history, from candles to figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput, NotEnoughHistory, UnknownAsset
from hedging.market import Candles
from hedging.ratio.effectiveness import carried
from hedging.replay.engine import Books, Stretch, Terms, carry, trade
from hedging.replay.fitting import Field, Rule, choose_ratios
from hedging.returns import Floats, Returns, aligned

Times = NDArray[np.datetime64]
DAY = np.timedelta64(86_400, "s")
EIGHT_HOURS = 28_800


@dataclass(frozen=True, slots=True)
class FundingHistory:
    """Settled funding of one instrument: (M,) ascending times (UTC) and fractions, positive when shorts receive."""

    times: Times
    rates: Floats


@dataclass(frozen=True, slots=True)
class Paths:
    """B portfolios through D days. `days`: (D,) datetime64[D]. `value`, `profit`: (D + 1, B) of the holdings and of the
    hedge so far, from the evening before the first day. `legs`: by fit, its day and the (B, K) ratios that were
    shorted (target included). `books`: what was paid, and how often what happened."""

    days: Times
    instruments: tuple[str, ...]
    value: Floats
    profit: Floats
    legs: tuple[tuple[np.datetime64, Floats], ...]
    books: Books


def run_many(
    candles: Candles,
    assets: Sequence[str],
    amounts: Floats,
    rule: Rule | Sequence[Rule],
    *,
    start: np.datetime64 | None = None,
    end: np.datetime64 | None = None,
    funding: Mapping[str, FundingHistory] | None = None,
) -> Paths:
    """One rule over history for B portfolios at once, or B rules, each for its own: (B, H) `amounts` of `assets`. To
    compare rules, repeat a portfolio; they may differ in all but the days that they are fitted on, and what can be
    shorted.

    `start`, `end`: first and last day that count, both included; by default from the first day that has
    `train_days` behind it to the last whole one. At each fit only what was known then is used. Trades happen at closes.

    Raises UnknownAsset for a coin without history; BadInput for amounts that are not positive numbers, for rules that
    do not go together and for an empty span; NotEnoughHistory when a coin is not listed yet at the start.
    """
    if amounts.ndim != 2 or amounts.shape[1] != len(assets) or not len(assets):
        raise BadInput(f"amounts of shape {amounts.shape} are not of {len(assets)} coins")
    if (
        not np.isfinite(amounts).all()
        or bool((amounts < 0).any())
        or not bool((amounts > 0).any(axis=1).all())
    ):
        raise BadInput("Every holding needs a positive amount.")
    rules = [rule] * len(amounts) if isinstance(rule, Rule) else list(rule)
    rule = _common(rules, len(amounts))
    terms, alike = Terms.of(rules), _alike(rules)
    at = _field(candles, assets, rule)
    close = carried(candles.close)
    step = np.median(np.diff(candles.times).astype(np.int64)) if len(candles.times) > 1 else 0.0
    begin, finish = _span(candles, at, rule, start, end, float(step))
    bounds = [*np.arange(begin, finish, rule.rebalance_days * DAY), finish]
    rows = np.searchsorted(candles.times, np.array(bounds)) - 1
    returns = aligned(candles)
    received = _funding(candles, at, rule, funding or {}, float(step))
    held, price = close[:, at.held], np.where(np.isfinite(close[:, at.short]), close[:, at.short], 1.0)
    high = price if candles.high is None else np.fmax(price, candles.high[:, at.short])
    books = Books.empty(len(amounts), len(at.short))
    days = np.arange(begin, finish, DAY)
    evenings = np.searchsorted(candles.times, np.append(days, finish)) - 1
    value = held[evenings] @ amounts.T
    if rule.reset_holdings:  # from here on an amount is a worth, and a price what became of it since midnight
        amounts = held[evenings[0]] * amounts
        held = _since_midnight(candles, held)
        value = value[0] + np.cumsum(held[evenings] @ amounts.T - value[0], axis=0)
        value -= value[0] - amounts.sum(axis=1)
    profit, legs = [np.zeros((1, len(amounts)))], []
    for bound, first, last in zip(bounds[:-1], rows[:-1], rows[1:], strict=True):
        worth = amounts if rule.reset_holdings else held[first] * amounts
        total = worth.sum(axis=1)
        window, weights = _window(returns, bound - rule.train_days * DAY, bound), worth / total[:, None]
        ratios = np.zeros((len(amounts), len(at.short)))
        for same, whose in alike.items():
            ratios[whose] = choose_ratios(same, at, window, weights[whose], total[whose])
        legs.append((bound.astype("datetime64[D]"), ratios * terms.target[:, None]))
        ahead = slice(first, last + 1)
        paid = received[ahead].copy()
        paid[0] = 0.0
        own = held[ahead] @ amounts.T
        own[0] = total
        stretch = Stretch(own, price[ahead], high[ahead], paid * price[ahead])
        profit.append(carry(books, terms, ratios, stretch)[1:])
    everybody = np.ones(len(amounts), dtype=bool)
    trade(books, terms, everybody, np.zeros_like(books.short), np.tile(price[rows[-1]], (len(amounts), 1)))
    path = np.concatenate(profit)
    path[-1] = books.profit  # the way out is paid on the last day
    return Paths(
        days=days.astype("datetime64[D]"),
        instruments=tuple(candles.names[i] for i in at.short),
        value=value,
        profit=path[evenings - rows[0]],
        legs=tuple(legs),
        books=books,
    )


def _common(rules: Sequence[Rule], portfolios: int) -> Rule:
    """A rule that stands for all in what must be the same."""
    if len(rules) != portfolios:
        raise BadInput(f"There are {len(rules)} rules for {portfolios} portfolios.")
    for name in ("instruments", "train_days", "rebalance_days", "funding_rate", "reset_holdings"):
        if len({getattr(rule, name) for rule in rules}) > 1:
            raise BadInput(f"Rules that are replayed together must have the same {name.replace('_', ' ')}.")
    return min(rules, key=lambda rule: rule.method == "manual")  # one that needs some history, if any does


def _alike(rules: Sequence[Rule]) -> Mapping[Rule, list[int]]:
    """Which portfolios get their ratios in one pass: their rules differ at most in what acts between two fits."""
    usual, found = Rule(), dict[Rule, list[int]]()
    for portfolio, rule in enumerate(rules):
        between = {name: getattr(usual, name) for name in ("band", "leverage", "maintenance_rate")}
        found.setdefault(replace(rule, **between), []).append(portfolio)
    return found


def _since_midnight(candles: Candles, held: Floats) -> Floats:
    """(T, H) prices over the last ones before their day began."""
    midnights = candles.times.astype("datetime64[D]").astype("datetime64[s]")
    before = np.maximum(np.searchsorted(candles.times, midnights) - 1, 0)
    return held / held[before]


def series_of(names: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """The columns that prices of holdings and of shorts come from, by asset: spot, or else the perpetual; and the
    perpetual, or else spot."""
    spot = {name.partition("/")[0]: i for i, name in reversed(list(enumerate(names)))}
    spot |= {name: i for i, name in enumerate(names) if "/" not in name}
    marks = {name.partition("/")[0]: i for i, name in enumerate(names) if ":" in name}
    return spot, spot | marks


def _field(candles: Candles, assets: Sequence[str], rule: Rule) -> Field:
    """Holdings at spot; shorts at the perpetual's own price where the history has it."""
    if len(set(assets)) != len(assets):
        raise BadInput("A coin is named twice among the holdings.")
    spot, shorts = series_of(candles.names)
    wanted = rule.instruments or tuple(shorts)
    unknown = [name for name in (*assets, *wanted) if name not in shorts]
    if unknown:
        raise UnknownAsset(f"The history has no prices of {unknown[0]}.")
    held = np.array([spot[name] for name in assets])
    return Field(candles.names, held, np.array([shorts[name] for name in dict.fromkeys(wanted)]))


def _span(
    candles: Candles,
    at: Field,
    rule: Rule,
    start: np.datetime64 | None,
    end: np.datetime64 | None,
    step: float,
) -> tuple[np.datetime64, np.datetime64]:
    """The midnights between which the days count."""
    if not len(candles.times):
        raise BadInput("The history is empty.")
    there = np.isfinite(candles.close[:, at.held])
    gone = [candles.names[c] for i, c in enumerate(at.held) if not there[:, i].any()]
    if gone:
        raise UnknownAsset(f"The history has no prices of {gone[0]}.")
    listed = candles.times[there.argmax(axis=0)]
    known = _midnight(listed.max() + DAY - np.timedelta64(1, "s"))
    begin = known + rule.train_days * DAY if start is None else _midnight(start)
    last = _midnight(candles.times[-1] + np.timedelta64(int(step), "s"))
    finish = last if end is None else min(_midnight(end) + DAY, last)
    if begin >= finish:
        said = f"from {_iso(begin)} to {_iso(finish - DAY)}"
        raise BadInput(
            f"There is no day to replay {said}: prices run from {_iso(candles.times[0])} to {_iso(last - DAY)}."
        )
    needs = 0 if rule.method == "manual" else 2
    if begin < known + needs * DAY:
        late = candles.names[int(at.held[int(listed.argmax())])]
        raise NotEnoughHistory(
            f"{late} has prices from {_iso(listed.max())} on; start at least {max(needs, 1)} days later."
        )
    return begin, finish


def _funding(
    candles: Candles, at: Field, rule: Rule, histories: Mapping[str, FundingHistory], step: float
) -> Floats:
    """(T, K) what a short receives at each bar, as a fraction of its notional."""
    seconds = candles.times.astype("datetime64[s]").astype(np.int64)
    ends = seconds + int(step)
    settlements = ends // EIGHT_HOURS - np.concatenate([[ends[0] // EIGHT_HOURS], ends[:-1] // EIGHT_HOURS])
    table = np.repeat((settlements * rule.funding_rate)[:, None], len(at.short), axis=1).astype(np.float64)
    for column, index in enumerate(at.short):
        history = histories.get(candles.names[index].partition("/")[0])
        if history is not None:
            table[:, column] = 0.0
            rows = np.searchsorted(ends, history.times.astype("datetime64[s]").astype(np.int64))
            inside = (rows > 0) & (rows < len(ends))
            np.add.at(table[:, column], rows[inside], history.rates[inside])
    return table


def _window(returns: Returns, begin: np.datetime64, end: np.datetime64) -> Returns:
    first, last = np.searchsorted(returns.times, np.array([begin, end]))
    return Returns(returns.names, returns.times[first:last], returns.values[first:last], returns.set_aside)


def _midnight(time: np.datetime64) -> np.datetime64:
    midnight: np.datetime64 = time.astype("datetime64[D]").astype("datetime64[s]")
    return midnight


def _iso(time: np.datetime64) -> str:
    return str(time.astype("datetime64[D]"))
