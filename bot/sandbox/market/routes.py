"""The market over HTTP: `/market/*` for the bot, `/sandbox/market` for the driver and the page."""

import io
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.market.coins import STABLECOINS
from bot.sandbox.market.drill import away
from bot.sandbox.market.errors import BadCommand
from bot.sandbox.market.world import World
from hedging.errors import UnknownAsset, UnknownContract
from hedging.market import Contract, Funding, Quote

Hedges = Callable[[], Awaitable[list[dict[str, Any]]]]


def routes(world: World, hedges: Hedges) -> list[Route]:
    """The market's routes over one world. `hedges`: who hedges what, for the panel beside the phone."""
    world.wind()

    async def snapshot(request: Request) -> Response:
        if away(world.drill()):
            return _refusal(503, "The market is away, as it was on 10 October 2025.")
        now = world.snapshot()
        return JSONResponse(
            {
                "exchange": now.exchange,
                "time": now.time.isoformat(),
                "spot": {asset: _text(price) for asset, price in now.spot.items()},
                "quotes": [_quote(quote) for quote in now.quotes.values()],
                "funding": [_funding(funding) for funding in now.funding.values()],
                "contracts": [_contract(contract) for contract in now.contracts.values()],
            }
        )

    async def candles(request: Request) -> Response:
        if away(world.drill()):
            return _refusal(503, "The market is away, as it was on 10 October 2025.")
        names = [name for name in request.query_params.get("names", "").split(",") if name]
        try:
            bar = timedelta(seconds=int(request.query_params.get("bar", "3600")))
            bars = world.candles(names, _since(request), bar)
        except (BadCommand, UnknownAsset) as error:
            return _refusal(404 if isinstance(error, UnknownAsset) else 400, str(error))
        except (ValueError, OverflowError):
            return _refusal(400, "The bar must be a whole number of seconds.")
        body = io.BytesIO()
        for part in (bars.times.astype(np.int64), bars.close, bars.high, bars.low):
            np.save(body, part if part is not None else np.empty((0, 0)), allow_pickle=False)
        return Response(body.getvalue(), media_type="application/octet-stream")

    async def funding(request: Request) -> Response:
        try:
            settled = world.funding_since(request.query_params.get("symbol", ""), _since(request))
        except (BadCommand, UnknownContract) as error:
            return _refusal(404 if isinstance(error, UnknownContract) else 400, str(error))
        return JSONResponse([_funding(item) for item in settled])

    async def show(request: Request) -> Response:
        return JSONResponse(await market_json(world, hedges))

    async def command(request: Request) -> Response:
        try:
            _obey(world, await _body(request))
        except BadCommand as error:
            return _refusal(400, str(error))
        return JSONResponse(await market_json(world, hedges))

    return [
        Route("/market/snapshot", snapshot, methods=["GET"]),
        Route("/market/candles", candles, methods=["GET"]),
        Route("/market/funding", funding, methods=["GET"]),
        Route("/sandbox/market", show, methods=["GET"]),
        Route("/sandbox/market", command, methods=["POST"]),
    ]


async def market_json(world: World, hedges: Hedges) -> dict[str, Any]:
    """What the market panel shows: the answer of GET /sandbox/market and the data of the `market` event."""
    now, change = world.snapshot(), world.day_change()
    coins = []
    for asset, price in now.spot.items():
        if asset in STABLECOINS:
            continue
        contract = now.perpetual_of(asset)
        symbol = contract.symbol if contract else None
        quote, rate = (now.quotes[symbol], now.funding[symbol]) if symbol else (None, None)
        coins.append(
            {
                "asset": asset,
                "spot": _text(price),
                "mark": _text(quote.mark) if quote else None,
                "funding_rate": _text(rate.rate) if rate else None,
                "funding_interval_hours": rate.interval_hours if rate else None,
                "next_funding": rate.next_time.isoformat() if rate else None,
                "change_24h": round(change[asset], 6),
                "perpetual": symbol,
            }
        )
    return {
        "time": now.time.isoformat(),
        "speed": world.speed,
        "source": "simulated" if world.simulated else "history",
        "coins": coins,
        "hedges": await hedges(),
    }


def _obey(world: World, body: Mapping[str, Any]) -> None:
    unknown = set(body) - {"shock", "size", "skip", "speed"}
    given = [word for word in ("shock", "skip", "speed") if word in body]
    if unknown or len(given) != 1 or ("size" in body and given != ["shock"]):
        raise BadCommand('Send one of {"shock": "crash", "size": 0.3}, {"skip": "7d"} or {"speed": 60}.')
    if "shock" in body:
        world.shock(body["shock"], body.get("size"))
    elif "skip" in body:
        world.skip(body["skip"])
    else:
        world.set_speed(body["speed"])


async def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadCommand("The body must be a JSON object.")
    return body


def _since(request: Request) -> datetime:
    """The query's `since`: ISO 8601 with its zone, or seconds since the epoch."""
    text = request.query_params.get("since", "")
    try:
        number = float(text)
    except ValueError:
        number = None
    try:
        since = datetime.fromisoformat(text) if number is None else datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadCommand("The parameter since must be an instant such as 2024-05-01T00:00:00Z.") from None
    if since.tzinfo is None:
        raise BadCommand("The parameter since must name its zone, such as 2024-05-01T00:00:00Z.")
    return since


def _refusal(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=status)


def _text(number: Decimal) -> str:
    return format(number, "f")


def _quote(quote: Quote) -> dict[str, str]:
    return {
        "symbol": quote.symbol,
        "bid": _text(quote.bid),
        "ask": _text(quote.ask),
        "mark": _text(quote.mark),
        "index": _text(quote.index),
        "depth": _text(quote.depth),
    }


def _funding(funding: Funding) -> dict[str, Any]:
    return {
        "symbol": funding.symbol,
        "rate": _text(funding.rate),
        "interval_hours": funding.interval_hours,
        "next_time": funding.next_time.isoformat(),
    }


def _contract(contract: Contract) -> dict[str, Any]:
    return {
        "symbol": contract.symbol,
        "base": contract.base,
        "quote": contract.quote,
        "settle": contract.settle,
        "linear": contract.linear,
        "contract_size": _text(contract.contract_size),
        "lot": _text(contract.lot),
        "tick": _text(contract.tick),
        "min_amount": _text(contract.min_amount),
        "min_notional": _text(contract.min_notional),
        "taker_fee": _text(contract.taker_fee),
        "maker_fee": _text(contract.maker_fee),
        "maintenance_margin_rate": _text(contract.maintenance_margin_rate),
        "max_leverage": contract.max_leverage,
    }
