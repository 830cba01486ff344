"""Margin modes: an unknown or portfolio one is refused by name and never switched; none changes under a position."""

from decimal import Decimal as D
from typing import Any

import pytest

from bot.ports.errors import Rejected
from bot.ports.records import Account
from tests.exchange.facts.told import tell
from tests.exchange.venues import KEY, Venue

SOL, COIN = "SOL/USDT:USDT", "BTC/USD:BTC"
BYBIT = pytest.mark.parametrize("live", ["bybit"], indirect=True)
TOLD = pytest.mark.parametrize(
    "live", ["binance", "bybit", "bingx", "weex"], indirect=True
)  # MEXC tells none
WRITES = {"binance": "/fapi/v1/marginType", "bybit": "/v5/account/set-margin-mode",
          "bingx": "/openApi/swap/v2/trade/marginType", "weex": "/capi/v3/account/marginType"}  # fmt: skip


def theirs(live: Venue, account: Account) -> Any:
    return live.loopback.desk.traders[KEY.format(account.id)]


def switches(live: Venue) -> list[str]:
    """Requests that change a margin mode, from now on."""
    honest, seen = live.loopback.operation_of, []

    def operation_of(method: str, path: str) -> Any:
        if method == "POST" and path == WRITES.get(live.name):
            seen.append(path)
        return honest(method, path)

    live.loopback.operation_of = operation_of
    return seen


@TOLD
@pytest.mark.fault(51)
@pytest.mark.parametrize("word", ["portfolio", "something_new"])
async def test_a_mode_that_is_none_of_ours_is_refused_by_name(
    live: Venue, account: Account, word: str
) -> None:
    known = word == "portfolio" and live.name in ("bybit", "bingx")  # elsewhere no contract can be in it
    code = "portfolio" if known else "mode_unknown"
    theirs(live, account).margin = word
    changed = switches(live)
    for _ in range(2):  # also when it was read ahead
        with pytest.raises(Rejected) as refused:
            await live.exchange.set_margin_mode(account, SOL, "cross")
        assert refused.value.code == code
        await live.exchange.read_ahead(account, SOL)
    with pytest.raises(Rejected) as refused:
        await live.exchange.place(account, live.order("hh-1", SOL, "1"))
    assert refused.value.code == code
    assert changed == []
    assert live.loopback.calls["order"] == 0


@BYBIT
@pytest.mark.fault(51)
async def test_a_short_is_closed_also_in_portfolio_margin(live: Venue, account: Account) -> None:
    await live.exchange.place(account, live.order("hh-1", SOL, "3"))
    theirs(live, account).margin = "portfolio"
    (held,) = await live.exchange.positions(account)
    assert held.margin_mode == "portfolio"
    await live.exchange.place(account, live.order("hh-2", SOL, "3", side="buy", reduce_only=True))
    assert await live.exchange.positions(account) == []


@TOLD
async def test_a_mode_that_is_set_already_is_not_set_again(live: Venue, account: Account) -> None:
    changed = switches(live)
    await live.exchange.set_margin_mode(account, SOL, "cross")
    assert changed == []


@TOLD
async def test_an_isolated_account_that_holds_nothing_is_switched_to_cross(
    live: Venue, account: Account
) -> None:
    live.loopback.desk.set_margin(theirs(live, account), "isolated")
    theirs(live, account).margin = ""
    await live.exchange.set_margin_mode(account, SOL, "cross")
    assert live.loopback.desk.margin_mode(theirs(live, account), SOL) == "cross"


def held_elsewhere(**where: str) -> Any:
    """Bybit's positions: one where it is said, nothing elsewhere."""

    def answer(asked: Any) -> Any:
        here = all(asked.text(name) == value for name, value in where.items())
        row = {
            "symbol": "ANY",
            "side": "Sell",
            "size": "1",
            "positionIdx": 0,
            "avgPrice": "10",
            "markPrice": "10",
        }
        result = {"list": [row] if here else [], "nextPageCursor": "", "category": asked.text("category")}
        return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1}

    return answer


@BYBIT
@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "where",
    [
        {"category": "linear", "settleCoin": "USDC"},
        {"category": "linear", "settleCoin": "USDT"},
        {"category": "inverse"},
        {"category": "option"},
    ],
)
async def test_the_accounts_mode_stays_while_anything_is_held_anywhere(
    live: Venue, account: Account, where: dict[str, str]
) -> None:
    live.loopback.desk.set_margin(theirs(live, account), "isolated")
    tell(live, "/v5/position/list", held_elsewhere(**where))
    changed = switches(live)
    with pytest.raises(Rejected) as refused:
        await live.exchange.set_margin_mode(account, SOL, "cross")
    assert refused.value.code == "margin_mode"
    assert changed == []


@BYBIT
@pytest.mark.fault(51)
async def test_the_wallet_of_an_isolated_account_is_no_free_money(live: Venue, account: Account) -> None:
    live.loopback.desk.set_margin(theirs(live, account), "isolated")
    theirs(live, account).account = type(theirs(live, account).account)(
        {"USDT": D("5000"), "BTC": D(1)},
        theirs(live, account).account.settled_at,
        margin_modes=theirs(live, account).account.margin_modes,
    )
    before = await live.exchange.balance(account)
    await live.exchange.place(account, live.order("hh-1", SOL, "10"))
    after = await live.exchange.balance(account)
    assert before.free == before.free_in["USDT"] == D(5000)  # and not the coin beside it
    assert after.free == pytest.approx(5000 - 10 * live.world.snapshot().quotes[SOL].bid, rel=D("0.01"))
    assert after.equity == pytest.approx(D(5000), rel=D("0.01"))


@pytest.mark.parametrize("live", ["mexc"], indirect=True)
@pytest.mark.fault(51)
async def test_mexc_is_not_guessed_to_be_isolated(live: Venue, account: Account) -> None:
    await live.exchange.place(account, live.order("hh-1", SOL, "3"))
    theirs(live, account).margin = "portfolio"  # which it writes with a number that nobody knows
    with pytest.raises(Rejected) as refused:
        await live.exchange.place(account, live.order("hh-2", SOL, "3"))
    assert refused.value.code == "mode_unknown"


@pytest.mark.parametrize(
    ("live", "word", "told"),
    [
        ("binance", "portfolio", "portfolio"),
        ("binance", "", None),
        ("bybit", "portfolio", "portfolio"),
        ("bybit", "other", "unknown"),
        ("bybit", "", "cross"),
        ("bingx", "", None),
    ],
    indirect=["live"],
)
@pytest.mark.fault(51)
async def test_an_account_says_its_mode_when_it_is_connected(
    live: Venue, account: Account, word: str, told: str | None
) -> None:
    theirs(live, account).margin = word
    assert await live.live.mode_of_account(account) == told
