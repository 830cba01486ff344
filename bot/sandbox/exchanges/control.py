"""The stand-ins in one: their wires below `/<host>/…`, and how they are told to misbehave, below `/sandbox/exchanges`.

- `GET /sandbox/exchanges` tells accounts, positions, orders and calls of each.
- `POST /sandbox/exchanges/{name}/keys` opens an account with practice money and tells its new key:
  `{"key", "secret", "passphrase"?, "account"}`. `account` is its place in the list of accounts.
- `POST /sandbox/exchanges/{name}/accounts {"key", "secret", "passphrase"?, "money"?, "hedged"?, "can_trade"?,
  "can_withdraw"?, "address_list"?, "revoked"?, "reads_only"?, "europe"?, "elsewhere"?, "only"?, "expires"?}` opens or
  changes an account. `elsewhere`: the address list leaves this machine out. `only`: "live" or "demo", the one exchange
  that knows the key. `expires`: an instant, or null.
  Its money and modes: `"money": {"USDT":
  "500", "USDC": "800", "BNFCR": "5000"}` (wallets by asset, in place of those that it has), `"margin": "cross" |
  "isolated" | "portfolio"` or any other word (the mode that the account or its contracts are told to be in),
  `"multi_assets": true` (all collateral backs every contract), `"idle": ["BTC"]` (assets whose collateral is switched
  off), `"worth": {"BFUSD": "1"}` (US dollars a unit of what has no market price). `"ranks": {"SOL/USDT:USDT": 4}`:
  where its shorts stand in the queue for auto-deleveraging, from 1 (last) to 5 (first); Binance and Bybit tell it, each
  in its own numbers.
- `POST /sandbox/exchanges/{name}/faults {"kind", "on"?, "after"?, "times"?, "lasts"?, …}` as in `faults.Fault`, or
  `{"clear": true}`. So `{"kind": "missing", "on": "positions", "by": "list", "lasts": 9}` empties the account's list of
  positions for nine seconds while reads of one symbol stay right (`"by": "symbol"` is the reverse; with `"symbols"`
  only these rows are left out), `"stale"` in its place shows positions without the fill of the latest order, and
  `{"kind": "refuse", "on": "order", "code": -4087, "message": "…", "status": 403}` refuses with any raw code and HTTP
  status. `{"kind": "shrunk", "on": "balance"}` tells a balance of nothing, with `"share": "0.05"` a small
  part of it; `{"kind": "lacking", "on": "balance", "assets": ["USDT"]}` leaves assets out of it.
- `POST /sandbox/exchanges/{name}/events {"announce": symbol, "at": instant}` (a delisting to come), `{"delist":
  symbol}`, `{"force": "adl", "key", "symbol"}`, `{"trade": "sell", "key", "symbol", "contracts"}` (by the user's own
  hand), `{"clock_ahead_ms": 30000}`, `{"share": "0.37"}` or `{"largest": symbol, "contracts": "500"}` or `"coins"` (of
  one order, as it is listed and as larger ones are refused; also without a listing where the exchange lists none).
- `POST /sandbox/exchanges/{name}/market` changes what is listed and told: `{"list": symbol, "of": symbol, "times"?:
  "2.5", "over"?: symbol}` lists a contract of any name that moves with one of the market's, at so many times its price
  (another thing of the same name, a multiple, another settle coin); `{"coin": asset, "of": asset, "times"?}` a coin on
  the spot market; `{"gap": symbol or asset, "on"?: "quotes" | "marks" | "spot", "how"?: "absent" | "empty" | "zero",
  "reads"?: 3}` leaves a price out of the next answers; `{"funding_hours": 4, "symbol"}` settles its funding so often
  from now on. What listings tell is read by the product once an hour.
- `POST /sandbox/exchanges/{name}/trouble {"kind": "away" | "key" | "close" | "order" | "silent" | "balance" |
  "refuse" | "list" | "rank" | "back"}`, for everybody there, as in `trouble`.
"""

import secrets
import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.exchanges.journal import ExchangeFile
from bot.sandbox.exchanges.market import Market
from bot.sandbox.exchanges.trouble import befall
from bot.sandbox.exchanges.venue import Venue, plain
from bot.sandbox.exchanges.wires import VENUES
from hedging.errors import HedgingError
from hedging.money import cap_price, decimal, floor_to_step

_FLAGS = (
    "hedged", "can_trade", "can_withdraw", "address_list", "revoked", "reads_only", "europe", "elsewhere",
    "multi_assets",
)  # fmt: skip
Body = Mapping[str, Any]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What an exchange's keys look like: what a key begins with, and how many characters follow it and make a
    secret."""

    begins: str
    key: int
    secret: int
    passphrase: int = 0


_SHAPES: Mapping[str, _Shape] = {
    "binance": _Shape("", 64, 64),
    "bybit": _Shape("", 18, 36),
    "bingx": _Shape("", 86, 86),
    "mexc": _Shape("mx0", 15, 32),
    "weex": _Shape("weex_", 32, 64, 10),
}
_SIGNS = string.ascii_letters + string.digits


class Exchanges:
    """Every stand-in over one market. What they know is kept in `folder`; without one, until the process ends.
    Raises MarketError when what is kept cannot be understood."""

    def __init__(self, market: Market, folder: Path | None = None) -> None:
        self.venues: Mapping[str, Venue] = {name: venue(market) for name, venue in VENUES.items()}
        self._files = {name: ExchangeFile(folder, name) for name in self.venues} if folder else {}
        for name, file in self._files.items():
            file.read_into(self.venues[name].desk)

    def routes(self) -> list[BaseRoute]:
        """The wires and the controls."""
        wires = [
            Route(route.path, self._kept(venue), methods=list(route.methods or ()))
            for venue in self.venues.values()
            for route in venue.routes()
            if isinstance(route, Route)
        ]
        controls: Mapping[str, Callable[[Venue, Body], Any]] = {
            "keys": self._new_key,
            "accounts": self._account,
            "faults": self._fault,
            "events": self._event,
            "market": self._market,
            "trouble": lambda venue, body: befall(venue, body.get("kind")),
        }
        return [
            *wires,
            Route("/sandbox/exchanges", self._state, methods=["GET"]),
            *(
                Route(f"/sandbox/exchanges/{{name}}/{what}", _told(self, change), methods=["POST"])
                for what, change in controls.items()
            ),
        ]

    async def _state(self, request: Request) -> Response:
        return JSONResponse({name: _state_of(venue) for name, venue in self.venues.items()})

    def keep(self, venue: Venue) -> None:
        """Write down what has changed there, before anybody is told of it."""
        file = self._files.get(venue.name)
        if file is not None:
            file.write(venue.desk)

    def _kept(self, venue: Venue) -> Callable[[Request], Awaitable[Response]]:
        """The wire, whose changes are kept. What only time changes is reckoned again from the market."""

        async def endpoint(request: Request) -> Response:
            drilled = venue.desk.drilled
            answer = await venue.handle(request)
            if request.method != "GET" or venue.desk.drilled != drilled:
                self.keep(venue)
            return answer

        return endpoint

    def _new_key(self, venue: Venue, body: Body) -> Json:
        shape = _SHAPES[venue.name]
        key, secret = shape.begins + _random(shape.key), _random(shape.secret)
        passphrase = _random(shape.passphrase) if shape.passphrase else ""
        venue.desk.open_account(key, secret, passphrase)
        told = {"key": key, "secret": secret, **({"passphrase": passphrase} if passphrase else {})}
        return {**told, "account": len(venue.desk.traders) - 1}

    def _account(self, venue: Venue, body: Body) -> None:
        money = {asset: decimal(amount) for asset, amount in (body.get("money") or {}).items()}
        known = body["key"] in venue.desk.traders
        trader = venue.desk.open_account(
            str(body["key"]), str(body["secret"]), str(body.get("passphrase", "")), deposit=money or None
        )
        if known and money:
            trader.account = replace(trader.account, cash=money)
        for flag in _FLAGS:
            if flag in body:
                setattr(trader, flag, bool(body[flag]))
        if "only" in body:
            trader.only = body["only"]
        if "expires" in body:
            trader.expires = datetime.fromisoformat(body["expires"]) if body["expires"] else None
        if "margin" in body:
            venue.desk.set_margin(trader, str(body["margin"]))
        if "idle" in body:
            trader.idle = [str(asset) for asset in body["idle"]]
        if "ranks" in body:
            trader.ranks = {str(symbol): int(rank) for symbol, rank in body["ranks"].items()}
        if "worth" in body:
            trader.worth = {asset: decimal(price) for asset, price in body["worth"].items()}

    def _fault(self, venue: Venue, body: Body) -> None:
        if body.get("clear"):
            venue.faults.clear()
        else:
            venue.faults.add(**body)

    def _market(self, venue: Venue, body: Body) -> None:
        listings, times = venue.listings, decimal(body.get("times", 1))
        if "list" in body:
            listings.add(str(body["list"]), str(body["of"]), times, str(body.get("over", "")))
        if "coin" in body:
            listings.coins[str(body["coin"])] = str(body["of"]), times
        if "gap" in body:
            venue.gaps.add(
                str(body["gap"]),
                body.get("on", "quotes"),
                body.get("how", "absent"),
                int(body.get("reads", 1)),
            )
        if "funding_hours" in body:
            listings.hours[str(body["symbol"])] = listings.now(), int(body["funding_hours"])

    def _event(self, venue: Venue, body: Body) -> None:
        desk = venue.desk
        if "clock_ahead_ms" in body:
            venue.clock_ahead_ms = int(body["clock_ahead_ms"])
        if "share" in body:
            desk.share = None if body["share"] is None else decimal(body["share"])
        if "largest" in body:
            own = desk.contract(str(body["largest"]))
            wanted = (
                decimal(body["coins"]) / own.contract_size if "coins" in body else decimal(body["contracts"])
            )
            desk.largest[own.symbol] = floor_to_step(wanted, own.lot)
        if "announce" in body:
            desk.closing[str(body["announce"])] = datetime.fromisoformat(body["at"])
        if "delist" in body:
            desk.delist(str(body["delist"]))
        if "force" in body:
            desk.force_close(
                desk.traders[body["key"]], body["symbol"], body["force"], decimal(body.get("share_of", 1))
            )
        if "trade" in body:
            selling, symbol = body["trade"] == "sell", str(body["symbol"])
            quote, contract = desk.market.snapshot().quotes[symbol], desk.contract(symbol)
            worst = quote.bid * Decimal("0.9") if selling else quote.ask * Decimal("1.1")
            desk.place(
                desk.traders[body["key"]],
                client_id=str(body.get("client_id", "by-hand")),
                symbol=symbol,
                side="sell" if selling else "buy",
                contracts=decimal(body["contracts"]),
                limit_price=cap_price(worst, contract.tick, selling=selling),
                reduce_only=bool(body.get("reduce_only", False)),
                position_side=body.get("position_side", "both"),
            )


def _told(
    exchanges: Exchanges, change: Callable[[Venue, Body], Any]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        venue = exchanges.venues.get(request.path_params["name"])
        if venue is None:
            names = ", ".join(exchanges.venues)
            return JSONResponse({"error": f"There is no such exchange; there are {names}."}, 404)
        try:
            told = change(venue, await request.json())
        except (ValueError, LookupError, TypeError, HedgingError) as error:
            return JSONResponse({"error": f"That cannot be done: {error}"}, 400)
        exchanges.keep(venue)
        return JSONResponse(_state_of(venue) if told is None else told)

    return endpoint


def _random(length: int) -> str:
    """Letters and digits, some of each."""
    while True:
        made = "".join(secrets.choice(_SIGNS) for _ in range(length))
        if not (made.isalpha() or made.isdigit()):
            return made


def _state_of(venue: Venue) -> dict[str, Any]:
    """No secret is told, and of a key only that it is there."""
    return {
        "calls": dict(venue.calls),
        "faults": len(venue.faults.waiting),
        "clock_ahead_ms": venue.clock_ahead_ms,
        "delisted": sorted(venue.desk.delisted),
        "accounts": [
            {
                **{flag: getattr(trader, flag) for flag in _FLAGS},
                "margin": trader.margin,
                "money": {asset: plain(amount) for asset, amount in trader.account.cash.items()},
                "positions": [
                    {
                        "symbol": held.symbol,
                        "side": held.side,
                        "contracts": plain(held.position.contracts),
                        "leverage": held.position.leverage,
                    }
                    for held in venue.desk.held(trader)
                ],
                "orders": [
                    {
                        "client_id": order.client_id,
                        "symbol": order.symbol,
                        "side": order.side,
                        "contracts": plain(order.contracts),
                        "filled": plain(order.filled),
                        "reduce_only": order.reduce_only,
                        "forced": order.forced,
                    }
                    for order in trader.orders
                ],
            }
            for trader in venue.desk.traders.values()
        ],
    }
