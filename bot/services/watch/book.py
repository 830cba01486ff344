"""From everybody's columns and one exchange's arrays to the book that the checks read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.ports.watching import Crowd, Look
from bot.services.watch.market import MarketArrays
from hedging.checks import Book

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

USUAL_RUNWAY = 0.25  # the rise that the thresholds of the liquidation check take for a bad day
AT_ONCE = 4096  # users whose covariances are reckoned together
SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Seen:
    """U people on one exchange, by their rows in the crowd. US dollars: `value`, `gross`, `offset` of the exposure;
    `reference`, the present holdings at the remembered prices; `peak`, the most they were worth lately. Positions (P,):
    `whose` of the U, `symbol` in the market, `contracts` signed, `runway`: rise until liquidation, NaN where never."""

    rows: Rows
    market: MarketArrays
    book: Book
    value: Floats
    gross: Floats
    offset: Floats
    reference: Floats
    peak: Floats
    whose: Rows
    symbol: Rows
    contracts: Floats
    runway: Floats
    hedged: NDArray[np.bool_]

    @property
    def coverage(self) -> Floats:
        """(U,) 0 where nothing is to be covered."""
        covered: Floats = np.divide(
            self.offset, self.gross, out=np.zeros_like(self.gross), where=self.gross > 0
        )
        return covered


def see(crowd: Crowd, rows: Rows, market: MarketArrays) -> Seen:
    """Those `rows` of the crowd, who all trade on that exchange. What has no price, and contracts that it does not
    list, are left out."""
    users = len(rows)
    factors = tuple(market.weight)
    factor = np.array([factors.index(crowd.factor[row]) for row in rows], dtype=np.int64)
    whose, asset, amount = _holdings(crowd, rows, market)
    price = market.price[asset]
    value = np.where(np.isfinite(price), amount * price, 0.0)
    weight = np.array([market.weight[f] for f in factors])
    beta = weight[factor[whose], asset]
    past = _past(crowd, rows, market, (whose, asset, amount))
    p = _positions(crowd, rows, market)
    worth = market.notional[p.symbol]
    notional = np.where(np.isfinite(worth), -p.contracts * worth, 0.0)
    short = np.maximum(notional, 0.0)
    contract_weight = np.array([market.contract_weight[f] for f in factors])
    position_beta = np.nan_to_num(contract_weight[factor[p.whose], p.symbol])
    gross = _sum(whose, value * beta, users)
    offset = _sum(p.whose, short * position_beta, users)
    total = _sum(whose, value, users)
    target = np.frombuffer(crowd.target)[rows]
    # Who has no hedge has no target to be off.
    covered = np.divide(offset, gross, out=np.zeros(users), where=gross > 0)
    target = np.where(past.hedged, target, covered)
    ratios = _ratios(users, (whose, asset, value), (p.whose, market.base[p.symbol], short), market)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(whose, minlength=users))])
    padded = offsets + np.arange(users + 1)
    at = (
        np.arange(len(whose)) + whose + 1
    )  # a row before each user's own holds what they had when the hedge was made
    length = len(whose) + users
    book = Book(
        holding_offsets=padded,
        value=_spread(at, value, length),
        beta=_spread(at, beta, length),
        value_before=_spread(padded[:-1], past.base_now, length),
        position_offsets=np.concatenate([[0], np.cumsum(np.bincount(p.whose, minlength=users))]),
        notional=notional,
        position_beta=position_beta,
        runway=p.runway * (USUAL_RUNWAY / market.history.pump[market.base[p.symbol]]),
        reach=p.runway,
        funding=market.funding[p.symbol],
        basis=market.basis[p.symbol],
        protected=_protected(whose, asset, value, total, p, factor, factors, market),
        expires=np.full(len(p.whose), np.nan),
        target=target,
        band=np.frombuffer(crowd.band)[rows],
        equity=p.equity,
        maintenance=np.where(
            np.isfinite(p.maintenance),
            p.maintenance,
            _sum(p.whose, np.abs(notional) * market.upkeep[p.symbol], users),
        ),
        age=past.age,
        rise=past.rise,
        correlation=ratios[0],
        correlation_before=ratios[1],
        days=np.full(users, market.history.recent_days),
        days_before=np.full(users, market.history.before_days),
        volatility=ratios[2],
        volatility_before=ratios[3],
    )
    return Seen(
        rows,
        market,
        book,
        total,
        gross,
        offset,
        past.reference,
        past.reference * past.high,
        p.whose,
        p.symbol,
        p.contracts,
        p.runway,
        past.hedged,
    )


def _holdings(crowd: Crowd, rows: Rows, market: MarketArrays) -> tuple[Rows, Rows, Floats]:
    """Whose of the group, which coin of the market, how much; ascending by user."""
    member = np.full(len(crowd.users), -1, dtype=np.int64)
    member[rows] = np.arange(len(rows))
    whose = member[np.frombuffer(crowd.holding_user, dtype=np.int64)]
    asset = np.array([market.asset_row.get(name, -1) for name in crowd.assets], dtype=np.int64)
    which = asset[np.frombuffer(crowd.holding_asset, dtype=np.int64)] if len(asset) else whose
    kept = (whose >= 0) & (which >= 0)
    return whose[kept], which[kept], np.frombuffer(crowd.amount)[kept]


@dataclass(frozen=True, slots=True)
class _Positions:
    whose: Rows
    symbol: Rows
    contracts: Floats
    runway: Floats
    equity: Floats  # (U,); unknown where it is in doubt
    maintenance: Floats  # (U,); unknown where the exchange does not tell it


def _positions(crowd: Crowd, rows: Rows, market: MarketArrays) -> _Positions:
    whose: list[int] = []
    symbols: list[int] = []
    contracts: list[float] = []
    liquidation: list[float] = []
    equity, maintenance = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    looks, known, users = crowd.looks, market.symbol_row, crowd.users
    for n, row in enumerate(rows.tolist()):
        look = looks.get(users[row])
        if look is None:
            continue
        if not look.doubt:
            equity[n], maintenance[n] = look.equity, look.maintenance or np.nan
        for symbol, size, _, price, *_rest in look.positions:
            place = known.get(symbol)
            if place is not None and str(size).startswith("-"):  # longs are their owner's own business
                whose.append(n)
                symbols.append(place)
                contracts.append(float(size))
                liquidation.append(float(price) if price is not None else np.nan)
    which = np.array(symbols, dtype=np.int64)
    runway = np.array(liquidation) / market.mark[which] - 1.0 if symbols else np.empty(0)
    return _Positions(
        np.array(whose, dtype=np.int64), which, np.array(contracts), runway, equity, maintenance
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """(U,) what the memories say. `base_now`: what was held when the hedge was made, at today's prices."""

    reference: Floats
    high: Floats
    base_now: Floats
    age: Floats
    rise: Floats
    hedged: NDArray[np.bool_]


def _past(crowd: Crowd, rows: Rows, market: MarketArrays, held: tuple[Rows, Rows, Floats]) -> _Past:
    count, names = len(rows), {n: name for name, n in market.asset_row.items()}
    base_now, base_then = np.zeros(count), np.zeros(count)
    high = np.ones(count)
    age, hedged = np.full(count, np.nan), np.zeros(count, dtype=np.bool_)
    prices: list[Mapping[str, float]] = [{}] * count
    spot, memories, users, time = market.spot, crowd.memories, crowd.users, market.time
    for n, row in enumerate(rows.tolist()):
        memory: Mapping[str, Any] | None = memories.get(users[row])
        if not memory:
            continue
        hedged[n] = bool(memory.get("hedged"))
        prices[n] = memory.get("prices") or {}
        high[n] = max(memory.get("high") or 1.0, memory.get("high_before") or 1.0)
        if memory.get("began"):
            age[n] = (time - datetime.fromisoformat(memory["began"])).total_seconds() / SECONDS_A_DAY
        now = then = 0.0
        for asset, (amount, price) in (memory.get("base") or {}).items():
            now += amount * spot.get(asset, price)
            then += amount * price
        base_now[n], base_then[n] = now, then
    remembered = [
        prices[user].get(names[asset], np.nan)
        for user, asset in zip(held[0].tolist(), held[1].tolist(), strict=True)
    ]
    today = market.price[held[1]]
    then_price = np.array(remembered, dtype=np.float64) if remembered else np.empty(0)
    worth = held[2] * np.where(np.isfinite(then_price), then_price, today)
    reference = _sum(held[0], np.nan_to_num(worth), count)
    with np.errstate(all="ignore"):
        rise = np.where(base_then > 0, base_now / base_then - 1.0, np.nan)
    return _Past(reference, high, base_now, age, rise, hedged)


def _protected(
    whose: Rows,
    asset: Rows,
    value: Floats,
    total: Floats,
    p: _Positions,
    factor: Rows,
    factors: Sequence[str],
    market: MarketArrays,
) -> Floats:
    """Value of the holdings that each position answers: the coin itself and the claims on it, or all of them where it
    is the factor's; nothing where it is on another thing of the same name."""
    coins = len(market.price)
    held, place = np.unique(whose * coins + market.stands_for[asset], return_inverse=True)
    worth = _sum(place, value, len(held))
    coin = market.stands_for[market.base[p.symbol]]
    wanted = p.whose * coins + coin
    answer = np.searchsorted(held, wanted)
    found = np.zeros(len(wanted))
    hit = np.flatnonzero(answer < len(held))
    hit = hit[held[answer[hit]] == wanted[hit]]
    found[hit] = worth[answer[hit]]
    common = np.array([market.asset_row[f] for f in factors])[factor[p.whose]] == coin
    return np.where(common, total[p.whose], found) * market.follows[p.symbol]


def _ratios(
    users: int,
    held: tuple[Rows, Rows, Floats],
    short: tuple[Rows, Rows, Floats],
    market: MarketArrays,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Correlation of portfolio and hedge now and before, volatility of the portfolio now and before; who has no short
    gets what changes nothing."""
    coins, history = len(market.price), market.history
    now, before = np.zeros(users), np.zeros(users)
    latest, usual = np.ones(users), np.ones(users)
    for start in range(0, users, AT_ONCE):
        many = min(AT_ONCE, users - start)
        worth, sold = (_dense(part, start, many, coins) for part in (held, short))
        hedged = sold.any(axis=1)
        place = slice(start, start + many)
        past = _quadratic(worth, history.before, worth)
        now[place] = np.where(hedged, _correlation(worth, sold, history.recent), 0.0)
        before[place] = np.where(hedged, _correlation(worth, sold, history.before, past), 0.0)
        latest[place] = np.where(hedged, np.sqrt(_quadratic(worth, history.latest, worth)), 1.0)
        usual[place] = np.where(hedged, np.sqrt(past), 1.0)
    return now, before, latest, usual


def _dense(part: tuple[Rows, Rows, Floats], start: int, many: int, coins: int) -> Floats:
    """(many, coins) sums by user and coin, of the users from `start` on."""
    low, high = np.searchsorted(part[0], [start, start + many])
    key = (part[0][low:high] - start) * coins + part[1][low:high]
    sums: Floats = np.bincount(key, weights=part[2][low:high], minlength=many * coins).astype(np.float64)
    return sums.reshape(many, coins)


def _quadratic(left: Floats, middle: Floats, right: Floats) -> Floats:
    return np.asarray(((left @ middle) * right).sum(axis=1))


def _correlation(one: Floats, other: Floats, covariance: Floats, variance: Floats | None = None) -> Floats:
    """NaN where one of them does not move. `variance`: of the first, where it is known."""
    with np.errstate(all="ignore"):
        its = _quadratic(one, covariance, one) if variance is None else variance
        turned = other @ covariance
        spread = np.sqrt(its * (turned * other).sum(axis=1))
        found = (turned * one).sum(axis=1) / np.where(spread > 0, spread, np.nan)
    bounded: Floats = np.clip(found, -0.9999, 0.9999)
    return bounded


def _sum(whose: Rows, values: Floats, users: int) -> Floats:
    sums: Floats = np.bincount(whose, weights=values, minlength=users).astype(np.float64)
    return sums


def _spread(at: Rows, values: Floats, length: int) -> Floats:
    out = np.zeros(length)
    out[at] = values
    return out


def has_short(look: Look | None) -> bool:
    return look is not None and any(str(row[1]).startswith("-") for row in look.positions)
