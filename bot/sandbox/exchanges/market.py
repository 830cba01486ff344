"""The market that a loopback exchange stands in, and what of it has passed since an account was last settled."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from bot.sandbox.exchanges.traders import LONG
from hedging.market import Candles, Funding, Snapshot
from hedging.paper import Marks, PaperAccount

_FINE, _COARSE, _FINE_UP_TO = timedelta(minutes=1), timedelta(hours=1), timedelta(hours=6)


class Market(Protocol):
    """The public side, as bot.sandbox.market.World has it."""

    def now(self) -> datetime: ...
    def snapshot(self) -> Snapshot: ...
    def candles(self, names: Sequence[str], since: datetime, bar: timedelta) -> Candles: ...
    def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]: ...
    def drill(self) -> timedelta | None: ...


def since_settled(
    market: Market, account: PaperAccount, snapshot: Snapshot
) -> tuple[list[Marks], list[Funding]]:
    """Marks and funding from the account's last settlement on, by the names of its positions."""
    gap = snapshot.time - account.settled_at
    if gap < timedelta(0):
        return [], []
    names = {name: name.removesuffix(LONG) for name in account.positions}
    symbols = sorted({symbol for symbol in names.values() if symbol in snapshot.quotes})
    path: list[Marks] = []
    funding: list[Funding] = []
    if symbols and gap > _FINE:
        bar = _FINE if gap <= _FINE_UP_TO else _COARSE
        path = _path(market, symbols, account.settled_at, snapshot.time, bar)
    for symbol in symbols:
        funding += [
            f for f in market.funding_since(symbol, account.settled_at) if f.next_time <= snapshot.time
        ]
    funding += [
        replace(item, symbol=name) for item in funding for name, symbol in names.items()
        if symbol == item.symbol and name != symbol
    ]  # fmt: skip
    present = {symbol: snapshot.quotes[symbol].mark for symbol in symbols}
    path.append(Marks(snapshot.time, present, present, present))
    return [_with_aliases(marks, names) for marks in path], funding


def _path(
    market: Market, symbols: list[str], since: datetime, until: datetime, bar: timedelta
) -> list[Marks]:
    candles = market.candles(symbols, since, bar)
    path = []
    for row, opened in enumerate(candles.times):
        start = opened.astype("datetime64[s]").astype(datetime).replace(tzinfo=UTC)
        if start < since or start >= until:
            continue
        high, low, close = (
            {
                name: Decimal(f"{price:.12g}")
                for name, price in zip(symbols, (candles.close if part is None else part)[row], strict=True)
                if price > 0
            }
            for part in (candles.high, candles.low, candles.close)
        )
        path.append(Marks(min(start + bar, until - timedelta.resolution), high, low, close))
    return path


def _with_aliases(marks: Marks, names: dict[str, str]) -> Marks:
    def spread(prices: dict[str, Decimal]) -> dict[str, Decimal]:
        return {name: prices[symbol] for name, symbol in names.items() if symbol in prices}

    return Marks(marks.time, spread(dict(marks.high)), spread(dict(marks.low)), spread(dict(marks.close)))
