"""The bot's side of the sandbox's market: the MarketFeed port over loopback HTTP."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
import numpy as np

from bot.ports.errors import Unavailable
from hedging.errors import BadInput
from hedging.market import Candles, Contract, Funding, Quote, Snapshot
from hedging.money import decimal

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
_HOUR = timedelta(hours=1)
T = TypeVar("T")


class SandboxFeed:
    """Public market data of the sandbox at `base_url`, such as http://127.0.0.1:8080. Close it when done."""

    name = "sandbox"

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def snapshot(self) -> Snapshot:
        body = await self._get("/market/snapshot", {})
        return _read(_snapshot, body)

    async def candles(self, names: Sequence[str], *, since: datetime, bar: timedelta = _HOUR) -> Candles:
        query = {"names": ",".join(names), "since": since.isoformat(), "bar": f"{bar.total_seconds():.0f}"}
        body = await self._get("/market/candles", query)
        return _read(lambda raw: _candles(raw, names), body)

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        body = await self._get("/market/funding", {"symbol": symbol, "since": since.isoformat()})
        return _read(lambda raw: tuple(_funding(item) for item in json.loads(raw)), body)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _get(self, path: str, query: Mapping[str, str]) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        try:
            async with self._session.get(
                self._base_url + path, params=query, allow_redirects=False
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"The sandbox's market cannot be reached: {type(error).__name__}.") from error
        if answer.status != 200:
            raise Unavailable(
                f"The sandbox's market refused {path} with {answer.status}: {body[:200].decode(errors='replace')}"
            )
        return body


def _read(parse: Callable[[bytes], T], body: bytes) -> T:
    try:
        return parse(body)
    except (ValueError, LookupError, TypeError, EOFError) as error:  # BadInput and bad JSON are ValueErrors
        raise Unavailable("The sandbox's market answered something that cannot be read.") from error


def _snapshot(raw: bytes) -> Snapshot:
    body = json.loads(raw)
    return Snapshot(
        exchange=body["exchange"],
        time=_time(body["time"]),
        spot={asset: decimal(price) for asset, price in body["spot"].items()},
        quotes={item["symbol"]: _quote(item) for item in body["quotes"]},
        funding={item["symbol"]: _funding(item) for item in body["funding"]},
        contracts={item["symbol"]: _contract(item) for item in body["contracts"]},
    )


def _candles(raw: bytes, names: Sequence[str]) -> Candles:
    stream = io.BytesIO(raw)
    times, close, high, low = (np.load(stream, allow_pickle=False) for _ in range(4))
    return Candles(tuple(names), times.astype("datetime64[s]"), close, high, low)


def _quote(item: Mapping[str, Any]) -> Quote:
    prices = {name: decimal(item[name]) for name in ("bid", "ask", "mark", "index", "depth")}
    return Quote(symbol=item["symbol"], **prices)


def _funding(item: Mapping[str, Any]) -> Funding:
    return Funding(
        item["symbol"], decimal(item["rate"]), int(item["interval_hours"]), _time(item["next_time"])
    )


def _contract(item: Mapping[str, Any]) -> Contract:
    return Contract(
        symbol=item["symbol"],
        base=item["base"],
        quote=item["quote"],
        settle=item["settle"],
        linear=bool(item["linear"]),
        contract_size=decimal(item["contract_size"]),
        lot=decimal(item["lot"]),
        tick=decimal(item["tick"]),
        min_amount=decimal(item["min_amount"]),
        min_notional=decimal(item["min_notional"]),
        taker_fee=decimal(item["taker_fee"]),
        maker_fee=decimal(item["maker_fee"]),
        maintenance_margin_rate=decimal(item["maintenance_margin_rate"]),
        max_leverage=int(item["max_leverage"]),
    )


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise BadInput(f"the time {text} names no zone")
    return time
