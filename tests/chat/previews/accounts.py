"""Connecting, choosing and leaving accounts."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.chat import texts
from bot.chat.parsing.credentials import KeyTrouble
from bot.chat.views import plain
from bot.chat.views.accounts import connect, overview
from bot.chat.views.accounts.suspended import suspended
from bot.chat.views.message import Message
from bot.ports.exchange import Offer, Permissions, Trial
from bot.ports.records import Balance, KeyLook
from bot.services.accounts import AccountLine
from bot.services.connecting import Connected
from bot.services.errors import CannotConnect
from hedging.portfolio import Position
from tests.chat.previews.people import DEMO, LIVE, MEXC, PAPER, D

OFFERS = {
    offer.name: offer
    for offer in (
        Offer("binance", "Binance", ("live", "demo"), False),
        Offer("bybit", "Bybit", ("live", "demo"), False),
        Offer("bingx", "BingX", ("live", "demo"), False),
        Offer("mexc", "MEXC", ("live",), False),
        Offer("weex", "WEEX", ("live",), True),
    )
}


def at_exchange(asset: str, contracts: str) -> Position:
    return Position(f"{asset}/USDT:USDT", D(contracts), D(142), D(138), 2, "cross", D(4000), D(246), None)


def trial(*positions: Position, equity: str = "5210.4", **permissions: Any) -> Trial:
    may: dict[str, Any] = {"futures": True, "withdraw": False, "address_list": True}
    return Trial(Permissions(**(may | permissions)), Balance(D(equity), D(equity)), False, positions)


IN_USE = AccountLine(PAPER, True, D(100_221), (at_exchange("SOL", "-60"), at_exchange("BTC", "-0.03")))
WITH_SHORTS = AccountLine(LIVE, True, D("5210.4"), (at_exchange("SOL", "-60"),))
ACCOUNTS = (
    replace(IN_USE, positions=()),
    AccountLine(DEMO, False, D(50_000)),
    replace(WITH_SHORTS, in_use=False),
    AccountLine(MEXC, False, trouble="refused"),
)
ADDRESS, LOOKED = "203.0.113.9", datetime(2026, 3, 2, 12, tzinfo=UTC)
BOUND = KeyLook(2, 1, LOOKED, futures=True, address_list=True)
UNBOUND = replace(BOUND, address_list=False)
SCREENS: dict[str, Message] = {
    "connect": connect.choose(tuple(OFFERS.values())),
    **{f"connect_{name}": connect.guide(offer) for name, offer in OFFERS.items()},
    "connect_send": connect.send_key(OFFERS["bybit"], "demo"),
    "connect_send_three": connect.send_key(OFFERS["weex"], "live"),
    "connect_on_paper": connect.on_paper(replace(PAPER, exchange="bybit")),
    "connect_trying": connect.trying("bybit"),
    "connected": connect.connected(Connected(DEMO, trial(), (), True), DEMO),
    "connected_live": connect.connected(Connected(LIVE, trial(), (), False, "live"), PAPER),
    "connected_warned": connect.connected(
        Connected(
            MEXC,
            trial(at_exchange("SOL", "-60"), at_exchange("BTC", "0.03"), equity="0", withdraw=None),
            ("no_address_list", "permissions_unknown", "hedge_mode", "credits"),
            False,
            "shorts",
        ),
        PAPER,
    ),
    "connected_orders": connect.connected(Connected(DEMO, trial(futures=None), (), False, "orders"), PAPER),
    "connected_unpriced": connect.connected(
        Connected(
            DEMO,
            replace(trial(equity="0"), balance=Balance(D(0), D(0), unpriced=("BFUSD", "BNFCR"))),
            (),
            True,
        ),
        DEMO,
    ),
    "connected_away": connect.connected(Connected(DEMO, trial(), (), False, "away"), LIVE),
    **{
        f"connect_not_{why}": connect.not_connected(CannotConnect(why, "bybit"), "demo")
        for why in (
            "read_only",
            "unknown",
            "no_mode",
            "refused",
            "away",
            "withdraw",
            "no_futures",
            "orders",
            "other_account",
            "reads_only",
            "for_live",
            "for_demo",
            "europe",
            "portfolio",
            "mode_unknown",
        )
    },
    "connect_not_elsewhere": connect.not_connected(CannotConnect("elsewhere", "bybit", ADDRESS), "live"),
    "connect_not_no_passphrase": connect.not_connected(CannotConnect("no_passphrase", "weex"), "live"),
    **{f"key_{trouble.value}": connect.key_problem(trouble, "weex") for trouble in KeyTrouble},
    "key_stays": connect.key_stays("bybit"),
    "key_too_late": connect.too_late(),
    "connect_stopped": connect.stopped(),
    "key_refused": suspended({"exchange": "bybit", "mode": "live"}),
    "key_refused_again": suspended({"exchange": "bybit", "mode": "live", "repeat": True}),
    "accounts": overview.accounts(ACCOUNTS),
    "accounts_keys": overview.accounts(
        (
            AccountLine(LIVE, True, D("5210.4"), key=BOUND, address=ADDRESS),
            AccountLine(DEMO, False, D(50_000), key=UNBOUND, days_left=12, address=ADDRESS),
            AccountLine(MEXC, False, D(3_100), key=KeyLook(3, 1, LOOKED, futures=True), address=ADDRESS),
        )
    ),
    "accounts_keys_ending": overview.accounts(
        (
            AccountLine(LIVE, True, D("5210.4"), key=UNBOUND, days_left=1),
            AccountLine(DEMO, False, D(50_000), key=replace(UNBOUND, futures=False), days_left=0),
        )
    ),
    "accounts_paper": overview.accounts((IN_USE,)),
    "accounts_unpriced": overview.accounts(
        (replace(WITH_SHORTS, unpriced=("BNFCR",)), AccountLine(PAPER, False, D(100_000)))
    ),
    "accounts_trouble": overview.accounts(
        (
            AccountLine(LIVE, True, trouble="locked"),
            AccountLine(DEMO, False, trouble="damaged"),
            AccountLine(MEXC, False, trouble="away"),
            AccountLine(PAPER, False, D(100_000)),
            AccountLine(replace(PAPER, id=9, exchange="mexc"), False, D(99_100)),
        )
    ),
    "disconnect_which": overview.which((DEMO, LIVE)),
    "disconnect": overview.leaving(AccountLine(DEMO, True, D(50_000))),
    "disconnect_open": overview.leaving(WITH_SHORTS),
    "disconnect_open_elsewhere": overview.leaving(replace(WITH_SHORTS, in_use=False)),
    "disconnect_away": overview.leaving(AccountLine(LIVE, False, trouble="away")),
    "disconnected": overview.left(DEMO, PAPER, open_there=False),
    "disconnected_open": overview.left(LIVE, PAPER, open_there=True),
    "disconnect_kept": overview.kept(LIVE),
    "connect_stayed": overview.stayed(PAPER),
    "secret": plain.warning(texts.SECRET_DELETED, texts.SECRET_ROTATE),
}
