"""What is held, from answers of the exchanges rebuilt by hand: the shapes and numbers of ccxt's static response
fixtures and parsers, and of the recordings, put to coins that the stand-ins list."""

from dataclasses import dataclass
from decimal import Decimal as D
from typing import Any

import pytest

from bot.ports.records import Account
from tests.exchange.facts.told import POSITIONS, tell, wrapped
from tests.exchange.venues import Venue

SOL, ETH, BNB = "SOL/USDT:USDT", "ETH/USDT:USDT", "BNB/USDT:USDT"


@dataclass(frozen=True)
class Held:
    """Signed amount (contracts; base coins on Binance, Bybit, BingX and WEEX), entry, margin mode, unrealised profit
    (None: reckoned from a mark that the answer lacks) and liquidation price."""

    symbol: str
    amount: str
    entry: str
    mode: str = "cross"
    profit: str | None = None
    liquidation: str | None = None


def risk(symbol: str, amount: Any, entry: str, mark: str, notional: str, **more: Any) -> dict[str, Any]:
    """A row of Binance's positionRisk, version 3."""
    told = {
        "symbol": symbol,
        "positionSide": "BOTH",
        "positionAmt": amount,
        "entryPrice": entry,
        "markPrice": mark,
    }
    margins = {"isolatedMargin": "0", "isolatedWallet": "0", "initialMargin": "99.6", "maintMargin": "11.9"}
    rest = {
        "unRealizedProfit": "0",
        "liquidationPrice": "0",
        "marginAsset": "USDT",
        "updateTime": 1721995760449,
    }
    return {**told, **margins, **rest, "notional": notional, **more}


def bybit(symbol: str, side: str, size: str, index: int = 0, **more: Any) -> dict[str, Any]:
    told = {
        "symbol": symbol,
        "side": side,
        "size": size,
        "positionIdx": index,
        "avgPrice": "150",
        "leverage": "10",
    }
    empty = dict.fromkeys(("liqPrice", "bustPrice", "positionBalance", "unrealisedPnl", "positionMM"), "")
    return {**told, **empty, "markPrice": "140", "positionIM": "42.1", "positionValue": "420", **more}


def bingx(symbol: str, side: str, amount: Any, **more: Any) -> dict[str, Any]:
    told = {
        "positionId": "1735",
        "symbol": symbol,
        "currency": "USDT",
        "positionAmt": amount,
        "positionSide": side,
    }
    rest = {
        "isolated": False,
        "avgPrice": "246.43",
        "initialMargin": "9.7914",
        "leverage": 5,
        "markPrice": "246.7565",
    }
    return {**told, **rest, "unrealizedProfit": "-0.0653", "liquidationPrice": 0, **more}


def mexc(symbol: str, kind: int, volume: Any, **more: Any) -> dict[str, Any]:
    told = {"positionId": 1394650, "symbol": symbol, "positionType": kind, "openType": 2, "state": 1}
    prices = {"holdAvgPrice": 1217.3, "openAvgPrice": 1217.3, "liquidatePrice": 1511.2}
    return {**told, **prices, "holdVol": volume, "im": 0.129, "oim": 0.129, "leverage": 100, **more}


def weex(symbol: str, side: str, size: str, value: str, **more: Any) -> dict[str, Any]:
    told = {
        "id": "749422759074857895",
        "asset": "USDT",
        "symbol": symbol,
        "side": side,
        "marginType": "CROSSED",
    }
    rest = {
        "separatedMode": "COMBINED",
        "leverage": "20.00",
        "size": size,
        "openValue": value,
        "marginSize": "4.107",
    }
    return {**told, **rest, "isolatedMargin": "0", "unrealizePnl": "0.06012", "liquidatePrice": "0", **more}


FACTS: dict[str, dict[str, tuple[list[dict[str, Any]], list[Held]]]] = {
    "binance": {
        "a short of one-way mode has a negative amount": (
            [risk("SOLUSDT", "-849", "142.34", "142.2", "-1992.4607", unRealizedProfit="11.17920750")],
            [Held(SOL, "-849", "142.34", profit="11.17920750")],
        ),
        "numbers in place of text, and a row of nothing": (
            [risk("SOLUSDT", -5, "2.5", "2.4", "-12"), risk("ETHUSDT", "0.000", "0.0", "0", "0")],
            [Held(SOL, "-5", "2.5", profit="0")],
        ),
        "both sides of hedge mode, the short isolated": (
            [risk("SOLUSDT", "3", "140", "142", "426", positionSide="LONG", unRealizedProfit="6"),
             risk("SOLUSDT", "-2", "150", "142", "-284", positionSide="SHORT", unRealizedProfit="16",
                  isolatedMargin="45.5", isolatedWallet="29.5", liquidationPrice="161.2")],
            [Held(SOL, "-2", "150", "isolated", "16", "161.2"), Held(SOL, "3", "140", profit="6")],
        ),
        "a notional of nothing is no amount of nothing": (
            [risk("SOLUSDT", "-0.01", "2.5", "2.4", "", positionSide="BOTH", unRealizedProfit="0.001")],
            [Held(SOL, "-0.01", "2.5", profit="0.001")],
        ),
    },
    "bybit": {
        "a short with all the texts that are empty": (
            [bybit("SOLUSDT", "Sell", "3")], [Held(SOL, "-3", "150", profit="30")],
        ),
        "hedge mode by its index, and a side without a position": (
            [bybit("SOLUSDT", "Sell", "3", 2, unrealisedPnl="30", liqPrice="201.5"), bybit("SOLUSDT", "", "0", 1)],
            [Held(SOL, "-3", "150", profit="30", liquidation="201.5")],
        ),
    },
    "bingx": {
        "an isolated short, as recorded": (
            [bingx("BNB-USDT", "SHORT", "0.20", isolated=True, liquidationPrice=294.16914617776246)],
            [Held(BNB, "-0.20", "246.43", "isolated", "-0.0653", "294.16914617776246")],
        ),
        "one-way mode by the sign of the amount": (
            [bingx("BNB-USDT", "BOTH", "-0.20"), bingx("SOL-USDT", "BOTH", "1.5")],
            [Held(BNB, "-0.20", "246.43", profit="-0.0653"), Held(SOL, "1.5", "246.43", profit="-0.0653")],
        ),
    },
    "mexc": {
        "a short has type 2, and a closed one no volume": (
            [mexc("SOL_USDT", 2, 7), mexc("ETH_USDT", 2, 0, state=3)],
            [Held(SOL, "-7", "1217.3", liquidation="1511.2")],
        ),
        "isolated and shared rows of one side are one position": (
            [mexc("SOL_USDT", 2, 7, openType=1), mexc("SOL_USDT", 2, "3")],
            [Held(SOL, "-10", "1217.3", "isolated", None, "1511.2")],
        ),
    },
    "weex": {
        "sizes are base coins": (
            [weex("ETHUSDT", "SHORT", "0.036", "82.06416", liquidatePrice="2519.83")],
            [Held(ETH, "-0.036", "2279.56", profit="0.06012", liquidation="2519.83")],
        ),
        "isolated": (
            [weex("ETHUSDT", "SHORT", "0.036", "82.06416", marginType="ISOLATED", isolatedMargin="4.1")],
            [Held(ETH, "-0.036", "2279.56", "isolated", "0.06012")],
        ),
    },
}  # fmt: skip


def answer(name: str, rows: list[dict[str, Any]]) -> Any:
    if name != "bybit":
        return lambda asked: wrapped(name, rows)

    def by_settle_coin(asked: Any) -> Any:
        mine = rows if asked.text("settleCoin") == "USDT" else []
        return wrapped("bybit", {"category": asked.text("category"), "nextPageCursor": "", "list": mine})

    return by_settle_coin


@pytest.mark.fault(48)
async def test_what_is_held_is_read_as_the_exchange_writes_it(live: Venue, account: Account) -> None:
    found, expected = {}, {}
    for name, (rows, held) in FACTS[live.name].items():
        tell(live, POSITIONS[live.name], answer(live.name, rows))
        told = await live.exchange.positions(account)
        profits = [one.profit for one in held] + [None] * len(told)
        found[name] = [
            (
                p.symbol,
                p.contracts,
                p.entry_price,
                p.margin_mode,
                profit and p.unrealized_pnl,
                p.liquidation_price,
            )
            for p, profit in zip(told, profits, strict=False)
        ]
        expected[name] = [
            (
                h.symbol,
                D(h.amount),
                D(h.entry),
                h.mode,
                h.profit and D(h.profit),
                h.liquidation and D(h.liquidation),
            )
            for h in held
        ]
    assert found == expected
