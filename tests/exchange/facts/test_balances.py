"""What an account has, from answers of the exchanges rebuilt by hand: the shapes and numbers of ccxt's static response
fixtures, of the recordings, and of the exchanges' own documents. Each figure was reckoned on paper."""

from dataclasses import dataclass
from decimal import Decimal as D
from functools import partial
from typing import Any

import pytest

from bot.ports.records import Account, Balance
from tests.exchange.facts.told import BALANCE, tell, wrapped
from tests.exchange.venues import Venue


@dataclass(frozen=True)
class Fact:
    """A payload, and what it says: equity, free and maintenance (None: not told) in US dollars, free money by settle
    coin (empty: one pool), and what nobody prices."""

    payload: Any
    equity: str
    free: str
    maintenance: str | None
    free_in: dict[str, str]
    unpriced: tuple[str, ...] = ()


def asset(name: str, worth: str | float, free: str | float, **more: Any) -> dict[str, Any]:
    """A row of Binance's account, as version 3 tells it."""
    told = {"asset": name, "walletBalance": worth, "unrealizedProfit": "0.00000000", "marginBalance": worth}
    return {
        **told,
        "maintMargin": "0.00000000",
        "availableBalance": free,
        "updateTime": 1721995605338,
        **more,
    }


def totals(
    equity: str | float, free: str | float, maintenance: str | float, *assets: Any, **more: Any
) -> dict[str, Any]:
    told = {"totalMarginBalance": equity, "availableBalance": free, "totalMaintMargin": maintenance}
    return {**told, "assets": list(assets), "positions": [], **more}


def unified(coins: list[dict[str, Any]], **figures: Any) -> Any:
    return wrapped("bybit", {"list": [{"accountType": "UNIFIED", **figures, "coin": coins}]})


def coin(name: str, wallet: str, equity: str, dollars: str, bound: str = "0", **more: Any) -> dict[str, Any]:
    told = {
        "coin": name,
        "walletBalance": wallet,
        "equity": equity,
        "usdValue": dollars,
        "totalPositionIM": bound,
    }
    return {
        "availableToWithdraw": "",
        "totalOrderIM": "0",
        "locked": "0",
        "collateralSwitch": True,
        **told,
        **more,
    }


SHARED = {
    "totalEquity": "92255.96988644", "totalMarginBalance": "90042.2788482", "totalInitialMargin": "54.3100333",
    "totalAvailableBalance": "89987.9688149", "accountMMRate": "0", "totalWalletBalance": "90060.46626531",
    "totalMaintenanceMargin": "7.38826721",
}  # fmt: skip
EMPTY = dict.fromkeys(
    ("totalMarginBalance", "totalInitialMargin", "totalAvailableBalance", "accountMMRate", "accountIMRate"),
    "",
)

FACTS: dict[str, dict[str, Fact]] = {
    "binance": {
        "multi-assets: what is free is the account's, and not that of each asset added up": Fact(
            totals("111.02007243", "11.39894857", "11.95453485",
                   asset("USDT", "83.90238613", "11.39916777", maintMargin="11.95476475"),
                   asset("BTC", "0.00030000", "0.00018000"), asset("USDC", "8.10000000", "11.40010000")),
            "111.02007243", "11.39894857", "11.95453485", {},
        ),
        "version 2 says the mode itself": Fact(
            totals("56.03", "18.66", "1.2", asset("USDT", "56.03", "18.66"), asset("BNB", "0.1", "0.03"),
                   asset("USDC", "0.00", "18.66"), multiAssetsMargin=True),
            "56.03", "18.66", "1.2", {},
        ),
        "single-asset: only settle coins count, each for itself": Fact(
            totals("500.25", "450.25", "2.5", asset("USDT", "500.25", "450.25", maintMargin="2.5"),
                   asset("USDC", "800", "800"), asset("BNB", "2", "2"), asset("BTC", "0.5", "0.5")),
            "1300.25", "1250.25", "2.5", {"USDT": "450.25", "USDC": "800"},
        ),
        "single-asset with its money in USDC": Fact(
            totals("0.00000000", "0.00000000", "0.00000000", asset("USDT", "0.00000000", "0.00000000"),
                   asset("USDC", "4200.5", "4000.5", maintMargin="20")),
            "4200.5", "4000.5", "20", {"USDT": "0", "USDC": "4000.5"},
        ),
        "an account of the EU margins in credits and interest-bearing collateral": Fact(
            totals("5301.28983031", "5101.28983031", "12.5", asset("USDT", "0.00000000", "5101.3"),
                   asset("BNFCR", "5001.28983031", "5101.28983031"), asset("BFUSD", "150", "5101.28983031"),
                   asset("LDUSDT", "100", "5101.28"), asset("RWUSD", "50", "5101.28")),
            "5301.28983031", "5101.28983031", "12.5", {},
        ),
        "what the totals leave out and nobody prices is named": Fact(
            totals("0", "0", "0", asset("USDT", "0", "0"), asset("BNFCR", "5001.28983031", "0"),
                   asset("BNB", "1", "0")),
            "0", "0", "0", {"USDT": "0"}, ("BNFCR",),
        ),
        "rows that were never set up are no money": Fact(
            totals("23.72469206", "23.72469206", "0", asset("USDT", "23.72469206", "23.72469206"),
                   asset("USDC", "23.72469206", "23.72469206", updateTime=0)),
            "23.72469206", "23.72469206", "0", {"USDT": "23.72469206"},
        ),
        "numbers in place of text, more bound than there is": Fact(
            totals(100.5, -3.25, 4, asset("USDT", 100.5, -3.25, maintMargin=4)),
            "100.5", "0", "4", {"USDT": "0"},
        ),
        "a new account": Fact(totals("0", "0", "0"), "0", "0", None, {}),
    },
    "bybit": {
        "shared margin goes by the margin balance, not by the equity": Fact(
            unified([coin("USDC", "5848.20013918", "5848.53933918", "5849.59207626", "3.18541012"),
                     coin("BTC", "0.85581394", "0.85581394", "82669.24739887"),
                     coin("USDT", "3322.25896609", "3304.29766609", "3304.05314806", "50.61831144", locked="42")],
                    **SHARED),
            "90042.2788482", "89987.9688149", "7.38826721", {},
        ),
        "collateral that is switched off is in no total of ours": Fact(
            unified([coin("USDT", "2500.00", "2500.00", "2500.00"),
                     coin("BTC", "0.005", "0.005", "500.00", collateralSwitch=False)],
                    totalEquity="3000.00", totalMarginBalance="2500.00", totalAvailableBalance="2500.00",
                    accountMMRate="0", totalMaintenanceMargin="0"),
            "2500.00", "2500.00", "0", {},
        ),
        "isolated: the wallet less what positions bind is free": Fact(
            unified([coin("USDT", "4270.63", "4301.13", "4300.7", "2466.37", totalPositionMM="61.2")],
                    **EMPTY, totalEquity="4300.7", totalWalletBalance="4270.2", totalMaintenanceMargin=""),
            "4301.13", "1804.26", "61.2", {"USDT": "1804.26"},
        ),
        "isolated with the margin told of the account alone": Fact(
            unified([coin("USDT", "4270.63", "4270.63", "4270.63", "", totalOrderIM="")],
                    **{**EMPTY, "totalInitialMargin": "2466.37"}, totalWalletBalance="4270.63"),
            "4270.63", "1804.26", None, {"USDT": "1804.26"},
        ),
        "isolated: a coin backs what settles in it, and an order binds too": Fact(
            unified([coin("USDT", "100", "100", "100", "30", totalOrderIM="20", locked="5"),
                     coin("USDC", "50", "48.5", "48.5"), coin("BTC", "1", "1", "95000")], **EMPTY),
            "148.5", "95", None, {"USDT": "45", "USDC": "50"},
        ),
        "maintenance by its rate, a coin that nobody prices": Fact(
            unified([coin("USDT", "1000", "1000", "1000"), coin("NEWCOIN", "7", "7", "")],
                    totalMarginBalance="1000", totalAvailableBalance="900", accountMMRate="0.015"),
            "1000", "900", "15.000", {}, ("NEWCOIN",),
        ),
    },
    "bingx": {
        "equity has the unrealised profit, the balance has not": Fact(
            wrapped("bingx", [{"userId": "116", "asset": "USDT", "balance": "194.8212", "equity": "196.7431",
                               "unrealizedProfit": "1.9219", "availableMargin": "193.7609", "usedMargin": "1.0602"}]),
            "196.7431", "193.7609", None, {"USDT": "193.7609"},
        ),
        "a settle coin that was never used is empty": Fact(
            wrapped("bingx", [{"userId": "123", "asset": "USDT", "balance": "300.0000", "equity": "290.5000",
                               "availableMargin": "280.5000"},
                              {"userId": "", "asset": "USDC", "balance": "", "equity": "", "availableMargin": ""},
                              {"userId": "", "asset": "", "balance": "", "equity": "", "availableMargin": ""}]),
            "290.5000", "280.5000", None, {"USDT": "280.5000"},
        ),
        "two pools": Fact(
            wrapped("bingx", [{"asset": "USDC", "balance": 50, "equity": 49.5, "availableMargin": 20.25},
                              {"asset": "USDT", "balance": 19.9003, "equity": 19.9003, "availableMargin": 19.9003}]),
            "69.4003", "40.1503", None, {"USDC": "20.25", "USDT": "19.9003"},
        ),
    },
    "mexc": {
        "what positions bind belongs to the equity": Fact(
            wrapped("mexc", [{"currency": "USDT", "positionMargin": 12.5, "availableBalance": 80.25,
                              "cashBalance": 95, "frozenBalance": 0, "equity": 94.75, "unrealized": -0.25},
                             {"currency": "BSV", "positionMargin": 0, "availableBalance": 0, "cashBalance": 0,
                              "frozenBalance": 0, "equity": 0, "unrealized": 0, "bonus": 0}]),
            "94.75", "80.25", None, {"USDT": "80.25"},
        ),
        "as text, with a coin of another kind of contract": Fact(
            wrapped("mexc", [{"currency": "USDT", "availableBalance": "0.03176562", "equity": "0.03176562"},
                             {"currency": "BTC", "availableBalance": "1.5", "equity": "1.5"}]),
            "0.03176562", "0.03176562", None, {"USDT": "0.03176562"},
        ),
    },
    "weex": {
        "the wallet comes without the unrealised loss": Fact(
            [{"asset": "USDT", "balance": "5696.49288823", "availableBalance": "5413.06877369",
              "frozen": "81.28240000", "unrealizePnl": "-34.55300000"}],
            "5661.93988823", "5413.06877369", None, {"USDT": "5413.06877369"},
        ),
        "a coin beside it is no margin": Fact(
            [{"asset": "USDT", "balance": "10", "availableBalance": "10", "unrealizePnl": ""},
             {"asset": "SOL", "balance": "5", "availableBalance": "5", "unrealizePnl": "0"}],
            "10", "10", None, {"USDT": "10"},
        ),
    },
}  # fmt: skip


def expected(fact: Fact) -> Balance:
    return Balance(
        equity=D(fact.equity),
        free=D(fact.free),
        maintenance=None if fact.maintenance is None else D(fact.maintenance),
        free_in={name: D(amount) for name, amount in fact.free_in.items()},
        unpriced=fact.unpriced,
    )


def _payload(fact: Fact, asked: Any) -> Any:
    return fact.payload


@pytest.mark.fault(49, 50, 51, 52)
async def test_an_account_has_what_its_exchange_margins_by(live: Venue, account: Account) -> None:
    found = {}
    for name, fact in FACTS[live.name].items():
        tell(live, BALANCE[live.name], partial(_payload, fact))
        found[name] = await live.exchange.balance(account)
    assert found == {name: expected(fact) for name, fact in FACTS[live.name].items()}
