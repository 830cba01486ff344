"""Positions are read in every settle coin that a listed contract uses; what the reads would not show is no contract."""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from bot.ports.errors import Rejected, Unavailable
from bot.ports.records import Account
from bot.sandbox.exchanges.venue import Asked, Refused
from tests.exchange.facts.told import POSITIONS, tell
from tests.exchange.venues import Venue

USDT, USDC, OTHER = "BTC/USDT:USDT", "BTC/USDC:USDC", "BTC/USDE:USDE"
BYBIT = pytest.mark.parametrize("live", ["bybit"], indirect=True)


def short(symbol: str, size: str = "0.5", index: int = 0) -> dict[str, Any]:
    """A row of Bybit's positions, with the empty texts that it has."""
    return {
        "symbol": symbol, "side": "Sell", "size": size, "positionIdx": index, "avgPrice": "84000", "leverage": "10",
        "markPrice": "84100.5", "liqPrice": "", "bustPrice": "", "positionIM": "4205.03", "positionMM": "210.2",
        "positionBalance": "", "positionValue": "42050.25", "unrealisedPnl": "-50.25", "createdTime": "1697673600012",
        "updatedTime": "1697673600012",
    }  # fmt: skip


def listed_besides(live: Venue) -> None:
    """Bybit lists by name: BTCPERP, which settles in USDC, before BTCUSDT; here also one in a coin of its own."""
    path = "/v5/market/instruments-info"
    honest = live.loopback.operation_of
    known = honest("GET", path)

    def instruments(asked: Asked) -> Any:
        told = known.answer(asked)
        rows = told["result"]["list"]
        like: dict[str, Any] = next((row for row in rows if row["symbol"] == "BTCUSDT"), {})
        if like.get("settleCoin") == "USDT":
            others = [row for row in rows if row["symbol"] not in ("BTCPERP", "BTCUSDE")]
            added = [
                {**like, "symbol": name, "quoteCoin": coin, "settleCoin": coin}
                for coin, name in (("USDC", "BTCPERP"), ("USDE", "BTCUSDE"))
            ]
            told["result"]["list"] = [*added, *others]
        return told

    def operation_of(method: str, asked: str) -> Any:
        return replace(known, answer=instruments) if asked == path else honest(method, asked)

    live.loopback.operation_of = operation_of
    live.clock.pass_(hours=2)  # the listing is read anew


def by_settle_coin(held: dict[str, list[dict[str, Any]]]) -> Any:
    """As the real one tells positions: those of linear contracts one settle coin at a time, by pages of two."""

    def answer(asked: Asked) -> Any:
        coin = asked.text("settleCoin") if asked.text("category") == "linear" else asked.text("category")
        if not coin:
            raise Refused("refused", "symbol or settleCoin is missing")
        rows, start = held.get(coin, []), int(asked.text("cursor", "0"))
        following = str(start + 2) if start + 2 < len(rows) else ""
        result = {
            "list": rows[start : start + 2],
            "nextPageCursor": following,
            "category": asked.text("category"),
        }
        return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1697673600012}

    return answer


@BYBIT
@pytest.mark.fault(48)
async def test_a_short_that_settles_in_another_coin_is_seen(live: Venue, account: Account) -> None:
    listed_besides(live)
    tell(
        live,
        POSITIONS["bybit"],
        by_settle_coin({"USDC": [short("BTCPERP")], "USDT": [short("BTCUSDT", "0.25")]}),
    )
    assert {p.symbol: p.contracts for p in await live.exchange.positions(account)} == {
        USDC: D("-0.5"),
        USDT: D("-0.25"),
    }


@BYBIT
@pytest.mark.fault(48)
async def test_positions_are_read_to_their_last_page(live: Venue, account: Account) -> None:
    names = ("SOL", "ETH", "XRP", "ADA", "DOGE")
    tell(live, POSITIONS["bybit"], by_settle_coin({"USDT": [short(f"{name}USDT", "3") for name in names]}))
    assert {p.symbol for p in await live.exchange.positions(account)} == {f"{n}/USDT:USDT" for n in names}


@BYBIT
async def test_pages_without_an_end_are_no_positions(live: Venue, account: Account) -> None:
    def answer(asked: Asked) -> Any:
        result = {"list": [short("SOLUSDT", "3")], "nextPageCursor": "again", "category": "linear"}
        return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1}

    tell(live, POSITIONS["bybit"], answer)
    with pytest.raises(Unavailable):
        await live.exchange.positions(account)


@BYBIT
@pytest.mark.fault(48)
async def test_a_contract_that_the_reads_would_not_show_is_none(live: Venue, account: Account) -> None:
    listed_besides(live)
    snapshot = await live.feed.snapshot()
    assert USDC in snapshot.contracts and OTHER not in snapshot.contracts
    assert await live.live.contract(account, OTHER) is None
    with pytest.raises(Rejected) as refused:
        await live.exchange.place(account, replace(live.order("hh-1", USDT, "0.01"), symbol=OTHER))
    assert refused.value.code == "unknown_symbol"
    assert live.loopback.calls["order"] == 0


@pytest.mark.fault(48)
async def test_every_contract_settles_in_a_coin_that_is_read(live: Venue) -> None:
    settles = {c.settle for c in (await live.feed.snapshot()).contracts.values() if c.linear}
    assert settles <= {"USDT", "USDC"} and settles
