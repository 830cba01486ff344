"""The HTTP side of a loopback exchange: routes below `/<host>/`, signatures, errors in the exchange's form, faults."""

import asyncio
import contextlib
import json
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.exchanges.desk import Desk
from bot.sandbox.exchanges.faults import RETOLD, SHOWN_OTHERWISE, Asking, Fault, Faults
from bot.sandbox.exchanges.gaps import Gaps
from bot.sandbox.exchanges.listings import Listing, Listings
from bot.sandbox.exchanges.market import Market
from bot.sandbox.exchanges.retold import retold
from bot.sandbox.exchanges.traders import Held, Trader
from hedging.errors import BadInput, OrderRejected
from hedging.market import Contract
from hedging.money import decimal

Json = dict[str, Any]
SKEW_ALLOWED_MS = 5_000
PAGE = "<html><head><title>502 Bad Gateway</title></head><body>Please try again later.</body></html>"


ADDRESS = "203.0.113.9"  # this machine's, as the exchanges tell it


class Refused(Exception):
    """An answer that says no, by our word for why (`order_missing`, `key`, `clock`, ... and OrderRejected's)."""

    def __init__(self, word: str, sentence: str = "") -> None:
        super().__init__(sentence or word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a wire dialect reads it. `query` and `body` are raw; `given` are the parameters of either."""

    method: str
    host: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    given: Mapping[str, Any]
    trader: Trader | None = None
    shown: Fault | None = None  # how positions are told otherwise than they are

    @property
    def account(self) -> Trader:
        """Of a signed request."""
        if self.trader is None:
            raise Refused("key")
        return self.trader

    def text(self, name: str, default: str = "") -> str:
        value = self.given.get(name)
        return default if value is None else str(value)

    def span(self, longest_ms: int = 10**15) -> range:
        """The milliseconds from startTime to endTime, both included; no more than so many."""
        start = int(self.text("startTime", "0"))
        end = int(self.text("endTime", str(start + longest_ms)))
        return range(start, min(end, start + longest_ms) + 1)

    def page(self, name: str = "limit", *, default: int, most: int) -> int:
        """How many rows are wanted."""
        return min(int(self.text(name, str(default))), most)

    def amount(self, name: str) -> Decimal:
        """A finite number. Raises Refused."""
        try:
            return decimal(self.given[name])
        except (BadInput, LookupError):
            raise Refused("refused", f"{name} is no number") from None


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint. `name` is what faults go by."""

    name: str
    answer: Callable[[Asked], Any]
    signed: bool = True


class Venue(ABC):
    """A loopback exchange. A subclass is its wire: `hosts`, `operations`, `signer`, `refusal`, `listed`."""

    name: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    siblings: ClassVar[tuple[tuple[str, str], ...]] = ()  # base and settle coin of what is listed beside USDT
    ratios: ClassVar[
        tuple[tuple[str, str, str], ...]
    ] = ()  # symbol, and the contracts whose prices make its own
    largest: ClassVar[Decimal | None] = Decimal(1_000_000)  # contracts of one order, if not said otherwise
    locked_out: ClassVar[str] = "IP address not on the list"  # said to a key whose address list leaves us out

    def __init__(self, market: Market) -> None:
        beside = [Listing(f"{base}/{coin}:{coin}", f"{base}/USDT:USDT") for base, coin in self.siblings]
        beside += [Listing(symbol, of, over=over) for symbol, of, over in self.ratios]
        self.listings, self.gaps = Listings(market, {one.symbol: one for one in beside}), Gaps()
        self.desk = Desk(self.listings, self.listed, self.largest)
        self.faults = Faults()
        self.calls: Counter[str] = Counter()  # by operation
        self.asked: dict[str, Asked] = {}  # the latest request of each operation
        self.clock_ahead_ms = 0  # of this machine's
        self._queue: list[tuple[int, Operation, Asked]] = []  # what takes effect after so many more look-ups
        self._operations = self.operations()

    @abstractmethod
    def operations(self) -> Mapping[tuple[str, str], Operation]:
        """By method and path."""

    def listed(self, contract: Contract) -> Contract | None:
        """The exchange's own contract for one of the market's."""
        return contract

    @abstractmethod
    def trader_of(self, asked: Asked) -> Trader:
        """Whose valid signature a request carries. Raises Refused with key, signature or clock."""

    @abstractmethod
    def refusal(self, word: str, sentence: str, asked: Asked) -> Response:
        """An error in the exchange's form."""

    @abstractmethod
    def error(self, code: int, sentence: str, status: int) -> Response:
        """An error in the exchange's form, by its raw code."""

    def held(self, asked: Asked) -> list[Held]:
        """The account's positions as this read shows them."""
        found, fault = self.desk.held(asked.account), asked.shown
        if fault is None:
            return found
        if fault.kind == "stale":
            return self.desk.held_before(asked.account)
        return [one for one in found if fault.symbols and one.symbol not in fault.symbols]

    def now_ms(self) -> int:
        """The exchange's own wall clock, by which signatures age."""
        return int(time.time() * 1000) + self.clock_ahead_ms

    def market_ms(self) -> int:
        """Market time: what orders, candles and funding are dated with."""
        return milliseconds(self.desk.market.now())

    def routes(self) -> list[BaseRoute]:
        """Everything below `/<host>/`."""
        methods = ["GET", "POST", "PUT", "DELETE"]
        return [Route(f"/{host}/{{path:path}}", self.handle, methods=methods) for host in self.hosts]

    def operation_of(self, method: str, path: str) -> Operation | None:
        """What serves a path; None where nothing does."""
        return self._operations.get((method, path))

    async def handle(self, request: Request) -> Response:
        """One request with its fault, if one waits for it."""
        asked = await self._asked(request)
        operation = self.operation_of(asked.method, asked.path)
        if operation is None:
            return JSONResponse({"error": f"this stand-in has no {asked.method} {asked.path}"}, 404)
        self.calls[operation.name] += 1
        self.asked[operation.name] = asked
        if operation.name == "find":
            self._work_off_queue()
        by: Asking = "symbol" if asked.text("symbol") else "list"
        fault = self.faults.take(operation.name, asked.headers.values(), by)
        if self.desk.drill():
            return self.refusal("overload", "overload", asked)
        if fault is not None and fault.kind in SHOWN_OTHERWISE:
            asked, fault = replace(asked, shown=fault), None
        if fault is not None and fault.kind == "late":
            self._queue.append((fault.lookups, operation, self._let_in(operation, asked)))
            return Response(status_code=504)
        if fault is not None and fault.kind == "linger":
            self.desk.linger, fault = fault.lookups, None
        if fault is not None and not fault.after and fault.kind not in {"hide", *RETOLD}:
            return await self._misbehave(fault, asked, None)
        answer = self.answered(operation, asked)
        if fault is None:
            return answer
        if fault.kind == "hide":
            self._hide(asked, fault.lookups)
            return answer
        if fault.kind in RETOLD:
            return JSONResponse(retold(json.loads(bytes(answer.body)), fault), answer.status_code)
        if fault.unseen:
            self._hide(asked, fault.unseen)
        return await self._misbehave(fault, asked, answer)

    def answered(self, operation: Operation, asked: Asked) -> Response:
        """The honest answer."""
        try:
            return JSONResponse(operation.answer(self._let_in(operation, asked)))
        except Refused as refused:
            return self.refusal(refused.word, str(refused), asked)
        except OrderRejected as refused:
            return self.refusal(refused.code, str(refused), asked)

    def _let_in(self, operation: Operation, asked: Asked) -> Asked:
        """The request with whose it is. Raises Refused."""
        if not operation.signed:
            return asked
        trader = self.trader_of(asked)
        here = "demo" if any(word in asked.host for word in ("demo", "testnet", "vst")) else "live"
        if trader.revoked or trader.only not in (None, here):
            raise Refused("key")
        if trader.elsewhere:
            raise Refused("address", self.locked_out.format(address=ADDRESS))
        return replace(asked, trader=trader)

    def _work_off_queue(self) -> None:
        waiting, self._queue = self._queue, []
        for lookups, operation, asked in waiting:
            if lookups:
                self._queue.append((lookups - 1, operation, asked))
            else:
                operation.answer(asked)

    async def _misbehave(self, fault: Fault, asked: Asked, answer: Response | None) -> Response:
        real = bytes(answer.body).decode() if answer is not None else '{"ok": true}'
        match fault.kind:
            case "hang":
                await asyncio.sleep(fault.seconds)
                return Response(status_code=504)
            case "cut":
                return _Cut(real)
            case "answer":
                return Response(fault.body, fault.status, dict(fault.headers), media_type="application/json")
            case "html":
                return Response(PAGE, fault.status, media_type="text/html")
            case "empty":
                return Response("", fault.status, media_type="application/json")
            case "truncated":
                return Response(real[: len(real) // 2], fault.status, media_type="application/json")
            case "nan":
                return Response(_with_nan(real), fault.status, media_type="application/json")
            case "ban":
                headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
                status = fault.status if fault.status in (418, 429) else 429
                return Response(fault.body or "{}", status, headers, media_type="application/json")
            case "redirect":
                place = str(fault.body or "/elsewhere")
                return Response("", 302, {"Location": place})
            case _:
                if fault.code is not None:
                    return self.error(fault.code, fault.message or "said so", fault.status)
                return self.refusal(fault.word, fault.word, asked)

    def _hide(self, asked: Asked, lookups: int) -> None:
        with contextlib.suppress(Refused):  # what was refused left nothing to hide
            trader = self.trader_of(asked)
            if trader.orders:
                trader.orders[-1].hidden = lookups

    async def _asked(self, request: Request) -> Asked:
        body = (await request.body()).decode(errors="replace")
        query = request.url.query
        given: Json = dict(parse_qsl(query, keep_blank_values=True))
        if body.startswith("{"):
            with contextlib.suppress(ValueError):
                given |= json.loads(body)
        elif body:
            given |= dict(parse_qsl(body, keep_blank_values=True))
        host, _, path = request.url.path.lstrip("/").partition("/")
        return Asked(request.method, host, "/" + path, query, body, request.headers, given)


class _Cut(Response):
    """Says that more is to come than does; the server then breaks the connection."""

    def __init__(self, real: str) -> None:
        super().__init__(real[: len(real) // 2], media_type="application/json")
        self.headers["Content-Length"] = str(len(real) + 100)


def _with_nan(text: str) -> str:
    """The same with every amount of an object replaced."""
    try:
        return json.dumps(_spoilt(json.loads(text)))
    except ValueError:
        return '{"price": NaN}'


def _spoilt(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spoilt(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spoilt(item) for item in value]
    if isinstance(value, str) and "." in value and value.replace(".", "", 1).lstrip("-").isdigit():
        return "NaN"
    return value


def milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def plain(amount: Decimal | None, places: int | None = None) -> str:
    """An amount as exchanges write it: no exponent."""
    value = Decimal(0) if amount is None else amount
    if places is not None:
        value = round(value, places)
    return f"{value:f}"
