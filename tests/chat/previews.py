"""Every screen with data to look at it by: the golden files are made of these, and the pictures in a reader's mind."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.chat import texts
from bot.chat.parsing.credentials import KeyTrouble
from bot.chat.parsing.holdings import Entry, parse_holdings, parse_removals
from bot.chat.views import (
    alert,
    permission,
    plain,
    portfolio,
    position,
    proposal,
    receipt,
    rule,
    start,
    status,
)
from bot.chat.views.accounts import connect, overview
from bot.chat.views.accounts.suspended import suspended
from bot.chat.views.message import Message
from bot.ports.exchange import Offer, Permissions, Trial
from bot.ports.records import (
    Account,
    Alert,
    AlertState,
    Attempt,
    AttemptState,
    Balance,
    Proposal,
    ProposalState,
)
from bot.services.accounts import AccountLine
from bot.services.connecting import Connected
from bot.services.errors import CannotConnect
from bot.services.portfolio import HoldingLine, PortfolioView
from bot.services.status import PositionLine, StatusView
from hedging.plan import Check, Choice, HedgePlan, Leg
from hedging.portfolio import Exposure, Position
from hedging.rules import HedgeRule
from tests.chat import alert_previews, permission_previews

D = Decimal
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KNOWN = frozenset(("BTC", "ETH", "SOL", "ADA", "LINK", "DOGE", "USDT"))
RULE = HedgeRule()
PAPER = Account(1, 11, "paper", "paper")
DEMO = Account(2, 11, "bybit", "demo")
LIVE = Account(3, 11, "bybit", "live")
MEXC = Account(4, 11, "mexc", "live")


def line(
    asset: str, amount: str, price: str | None, *, cost: str | None = None, beta: float | None = 1.2
) -> HoldingLine:
    priced = None if price is None else D(price)
    value = None if priced is None else priced * D(amount)
    return HoldingLine(asset, D(amount), priced, value, None if cost is None else D(cost), beta)


def held(*lines: HoldingLine) -> PortfolioView:
    value = sum((one.value or D(0) for one in lines), D(0))
    gross = sum(((one.value or D(0)) * D(str(one.beta or 0)) for one in lines), D(0))
    return PortfolioView(lines, value, Exposure(value, gross, D(0)), "BTC", NOON)


SOME = held(
    line("SOL", "120", "142.31", cost="95", beta=1.48),
    line("ETH", "1.5", "3012.4", beta=1.13),
    line("USDT", "500", "1", beta=0.0),
)
MANY = held(*(line(f"COIN{n}", str(1000 + n), "1.2345", cost="0.9", beta=1.1 + n / 50) for n in range(30)))

AFTER = held(line("SOL", "100", "142.31"), line("USDT", "500", "1", beta=0.0))
LONG = held(
    *SOME.lines,
    *(line(asset, "100", "3.21") for asset in ("LINK", "ADA", "DOGE")),
)


def leg(asset: str, contracts: str, mark: str, **more: Any) -> Leg:
    amount, price = D(contracts), D(mark)
    usual: dict[str, Any] = {
        "symbol": f"{asset}/USDT:USDT",
        "side": "sell",
        "contracts": amount,
        "limit_price": price * D("0.99"),
        "mark_price": price,
        "notional": amount * price,
        "reduce_only": False,
        "leverage": 2,
        "fee": amount * price * D("0.0005"),
        "margin": amount * price / 2,
        "position_after": -amount,
        "liquidation_price": price * D("1.49"),
        "assets": (asset,),
    }
    return Leg(**(usual | more))


CHECKS = (
    Check("value", True, "priced", {"value": "21594.6"}),
    Check("instrument", True, "found", {"direct": "SOL, ETH", "cross": "DOT, ATOM"}),
    Check("ratio", True, "on_target", {"target": "0.5", "band": "0.1", "before": "0", "after": "0.4987"}),
    Check(
        "leverage",
        True,
        "low",
        {
            "leverage": "2",
            "at_most": "5",
            "needed": "5404.2",
            "free": "100000",
            "survives": "8.94",
            "survives_at_least": "0.3",
        },
    ),
    Check("margin_mode", True, "cross", {}),
    Check("funding", True, "receives", {"per_month": "31.2", "share": "0.0029", "limit": "0.02"}),
    Check("exit", True, "unhedge", {"band": "0.1"}),
)
BAD_CHECKS = (
    Check("value", False, "no_price", {"value": "21594.6", "unpriced": "FOO"}),
    Check("instrument", False, "not_all", {"direct": "SOL", "no_history": "BAR", "weak_fit": "BAZ, QUX"}),
    Check("ratio", False, "below_target", {"target": "0.5", "band": "0.1", "before": "0", "after": "0.31"}),
    Check(
        "leverage",
        False,
        "liquidation_near",
        {
            "leverage": "5",
            "at_most": "5",
            "needed": "95",
            "free": "100",
            "survives": "0.12",
            "survives_at_least": "0.3",
        },
    ),
    Check("margin_mode", False, "isolated", {"symbols": "SOL/USDT:USDT"}),
    Check("funding", False, "costly", {"per_month": "-812", "share": "-0.0334", "limit": "0.02"}),
    Check(
        "exit",
        False,
        "thin_market",
        {"band": "0.1", "symbols": "SOL/USDT:USDT", "left_alone": "ADA/USDT:USDT"},
    ),
)


def choice(asset: str, value: str, method: Any, beta: float = 1.3, se: float = 0.05) -> Choice:
    symbol = None if method == "none" else f"{asset if method == 'direct' else 'BTC'}/USDT:USDT"
    return Choice(
        asset, D(value), method, symbol, 1.0, beta, se, 0.6, method if method != "none" else "no_history"
    )


def plan(*legs: Leg, **more: Any) -> HedgePlan:
    notional = sum((one.notional for one in legs), D(0))
    usual: dict[str, Any] = {
        "purpose": "hedge",
        "exchange": "paper",
        "target": D("0.5"),
        "factor": "BTC",
        "legs": legs,
        "choices": (choice("SOL", "17077", "direct"), choice("DOT", "4518", "cross", se=0.08)),
        "checks": CHECKS,
        "before": Exposure(D("21595"), D("30378"), D(0)),
        "after": Exposure(D("21595"), D("30378"), D("15150")),
        "fees": notional * D("0.0005"),
        "funding_per_month": D("31.2"),
        "margin": sum((one.margin for one in legs), D(0)),
        "free_collateral": D(100_000),
        "quoted_at": NOON,
    }
    return HedgePlan(**(usual | more))


def card(of: HedgePlan, **more: Any) -> Proposal:
    usual: dict[str, Any] = {
        "id": "abcdefghijklmnop",
        "user_id": 11,
        "chat_id": 11,
        "account_id": 1,
        "plan": of,
        "digest": "0",
        "quoted_at": NOON,
        "expires_at": NOON + timedelta(minutes=5),
    }
    return Proposal(**(usual | more))


TWO_LEGS = plan(
    leg("SOL", "60", "142.28"),
    leg("BTC", "0.035", "63251.4", assets=("DOT", "ATOM"), liquidation_price=D("94244.5")),
)
MANY_LEGS = plan(
    *(leg(f"COIN{n}", f"{1000 + n}.5", "1.2345", assets=(f"COIN{n}",)) for n in range(30)),
    checks=(
        CHECKS[0],
        Check("instrument", True, "found", {"direct": ", ".join(f"COIN{n}" for n in range(30))}),
        *CHECKS[2:6],
        Check("exit", False, "thin_market", {"symbols": ", ".join(f"COIN{n}/USDT:USDT" for n in range(30))}),
    ),
)
CLOSING = plan(
    leg(
        "SOL",
        "60",
        "138.10",
        side="buy",
        reduce_only=True,
        limit_price=D("139.481"),
        margin=D(0),
        position_after=D(0),
        liquidation_price=None,
    ),
    purpose="unhedge",
    before=Exposure(D("21595"), D("30378"), D("15150")),
    after=Exposure(D("21595"), D("30378"), D(0)),
    funding_per_month=D(0),
    margin=D(0),
)


def done(
    asset: str, contracts: str, filled: str, price: str | None, state: str, **more: Any
) -> dict[str, Any]:
    return {
        "leg": 0,
        "symbol": f"{asset}/USDT:USDT",
        "side": "sell",
        "contracts": contracts,
        "limit_price": "140.857",
        "mark_price": "142.28",
        "filled": filled,
        "average_price": price,
        "fee": "4.27",
        "state": state,
        "reason": "",
        "order_id": "paper-1",
    } | more


def outcome(*legs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "proposal_id": "abcdefghijklmnop",
        "purpose": "hedge",
        "exchange": "paper",
        "mode": "paper",
        "legs": list(legs),
        "coverage_before": "0",
        "coverage_after": "0.4987",
        "target": "0.5",
        "band": "0.10",
        "fees": "5.37",
        "liquidation": [{"symbol": "SOL/USDT:USDT", "price": "212.4"}],
        "status": "complete",
    } | more


def alarm(**more: Any) -> dict[str, Any]:
    return {
        "alert_id": 7,
        "kind": "drift",
        "exchange": "bybit",
        "mode": "live",
        "coverage": "0.382",
        "target": "0.50",
        "band": "0.10",
        "value": "15230.5",
        "change": -0.2943,
        "hedge_pnl": "3120.4",
        "proposal_id": "abcdefghijklmnop",
        "legs": [{"symbol": "BTC/USDT:USDT", "side": "sell", "contracts": "0.120", "notional": "7590.2"}],
        "fees": "3.8",
    } | more


def standing(**more: Any) -> StatusView:
    usual: dict[str, Any] = {
        "user_id": 11,
        "account": PAPER,
        "value": D("21595"),
        "exposure": Exposure(D("21595"), D("30378"), D("15150")),
        "rule": RULE,
        "positions": (
            PositionLine(
                "SOL/USDT:USDT",
                D("60"),
                "short",
                D("8286"),
                D("142.2"),
                D("138.1"),
                D("246"),
                D("212.4"),
                D("0.538"),
                2,
                D("0.0001"),
                8,
            ),
            PositionLine(
                "BTC/USDT:USDT",
                D("0.035"),
                "short",
                D("2189"),
                D("63251"),
                D("62543"),
                D("-24.8"),
                None,
                None,
                2,
                D("-0.00002"),
                4,
            ),
        ),
        "equity": D("100221.2"),
        "free": D("94983"),
        "alerts": (),
        "waiting": (),
        "unhedged_pnl": D("-1210.3"),
        "hedged_pnl": D("-602"),
        "since": datetime(2026, 2, 27, 9, 30, tzinfo=UTC),
        "market_time": NOON,
    }
    return StatusView(**(usual | more))


LOST = Attempt(
    client_id="hhaaaa",
    proposal_id="abcdefghijklmnop",
    leg=0,
    number=0,
    account_id=1,
    symbol="SOL/USDT:USDT",
    side="sell",
    contracts=D(60),
    limit_price=D("140.8"),
    reduce_only=False,
    leverage=2,
    position_before=D(0),
    state=AttemptState.UNKNOWN,
    created_at=NOON,
    updated_at=NOON,
)
ALERT = Alert(7, 11, "drift", AlertState.SNOOZED, {}, NOON, NOON)
MOVED = plan(leg("SOL", "58.5", "145.9"), leg("ADA", "900", "0.45"), leg("BTC", "0.035", "63251.4"))
BAD_LINES = "SOOL 5\nSOL -3\nSOL <b>1</b>\nETH 2 @ 2400\n1,5 link\nSOL $500\nADA ١٢\nDOGE"


def added(text: str, view: PortfolioView = SOME) -> Message:
    parsed = parse_holdings(text, KNOWN)
    return portfolio.added(parsed.entries, view)


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


def trial(*positions: Position, equity: str = "5210.4", **permissions: bool | None) -> Trial:
    may: dict[str, bool | None] = {"futures": True, "withdraw": False, "address_list": True}
    return Trial(Permissions(**(may | permissions)), Balance(D(equity), D(equity)), False, positions)


IN_USE = AccountLine(PAPER, True, D(100_221), (at_exchange("SOL", "-60"), at_exchange("BTC", "-0.03")))
WITH_SHORTS = AccountLine(LIVE, True, D("5210.4"), (at_exchange("SOL", "-60"),))
ACCOUNTS = (
    replace(IN_USE, positions=()),
    AccountLine(DEMO, False, D(50_000)),
    replace(WITH_SHORTS, in_use=False),
    AccountLine(MEXC, False, trouble="refused"),
)


def changed(kind: str, **more: Any) -> dict[str, Any]:
    """A change of a short of 0.12 BTC that none of our orders made."""
    usual: dict[str, Any] = {
        "kind": kind,
        "exchange": "bybit",
        "mode": "live",
        "symbol": "BTC/USDT:USDT",
        "grew": False,
        "amount": "0.12",
        "left": "0",
        "own": "0",
        "in_coins": True,
        "price": "63251.4",
        "coverage": "0.31",
        "target": "0.75",
        "closes_at": "",
    }
    return usual | more


SCREENS: dict[str, Message] = {
    "start": start.welcome(PAPER),
    "start_again": start.welcome_back(SOME, LIVE),
    "start_sample": start.how_much(SOME, (("SOL", D(60)), ("DOGE", D(20_000)))),
    "start_ready": start.ready(SOME, D("0.5")),
    "start_type": start.type_yours(),
    "help": plain.help_screen(texts.COMMANDS),
    "add_how": portfolio.how_to("add"),
    "remove_how": portfolio.how_to("remove"),
    "added_one": added("SOL 120 @ 95"),
    "added_many": added("SOL 120, ETH 1, LINK 3, ADA 4, DOGE 5", LONG),
    "added_doubtful": added("SOL 1,234"),
    "add_bad_lines": portfolio.not_understood(parse_holdings(BAD_LINES, KNOWN), "add"),
    "add_all_bad": portfolio.not_understood(parse_holdings("<script> 5", KNOWN), "add"),
    "removed": portfolio.removed(
        parse_removals("ETH, SOL 20", KNOWN).entries,
        SOME,
        held(line("SOL", "100", "142.31"), line("USDT", "500", "1", beta=0.0)),
    ),
    "removed_all": portfolio.removed((Entry("SOL", None),), held(line("SOL", "100", "142.31")), held()),
    "portfolio": portfolio.portfolio(SOME),
    "portfolio_many": portfolio.portfolio(MANY),
    "portfolio_unpriced": portfolio.portfolio(held(line("FOO", "3", None, beta=None))),
    "portfolio_empty": portfolio.portfolio(held()),
    "rule": rule.rule(RULE, PAPER),
    "rule_odd": rule.rule(HedgeRule(D("0.6"), D("0.12"), 3, "ETH"), DEMO),
    "card": proposal.proposal(card(TWO_LEGS), PAPER),
    "card_bad_checks": proposal.proposal(
        card(replace(TWO_LEGS, checks=BAD_CHECKS, funding_per_month=D(-812))), LIVE
    ),
    "card_many": proposal.proposal(card(MANY_LEGS), PAPER),
    "card_far": proposal.proposal(
        card(
            plan(leg("SOL", "60", "142.28", liquidation_price=D("1790.77")), leg("BTC", "0.035", "63251.4"))
        ),
        PAPER,
    ),
    "card_very_far": proposal.proposal(
        card(plan(leg("SOL", "60", "142.28", liquidation_price=D("1790.77")))), PAPER
    ),
    "card_rebalance": proposal.proposal(
        card(replace(TWO_LEGS, purpose="rebalance", before=Exposure(D(21595), D(30378), D(11500)))), DEMO
    ),
    "card_unhedge": proposal.proposal(card(CLOSING), PAPER),
    "card_at_target": proposal.proposal(card(plan(before=Exposure(D(100), D(100), D(52)))), PAPER),
    "card_no_order": proposal.proposal(card(plan(checks=BAD_CHECKS)), PAPER),
    "card_repriced": proposal.repriced(card(MOVED), card(TWO_LEGS), PAPER),
    "card_change": proposal.change(card(TWO_LEGS), RULE),
    "card_sending": proposal.sending(card(TWO_LEGS)),
    "card_cancelled": proposal.over(card(TWO_LEGS, state=ProposalState.CANCELLED)),
    "card_expired": proposal.over(card(TWO_LEGS, state=ProposalState.EXPIRED)),
    "receipt": receipt.receipt(outcome(done("SOL", "60", "60", "142.2", "filled"))),
    "receipt_partial": receipt.receipt(
        outcome(
            done("SOL", "60", "22.2", "142.2", "cancelled"),
            done("BTC", "0.035", "0", None, "rejected", reason="too_late", order_id=None),
            status="partial",
            coverage_after="0.21",
        )
    ),
    "receipt_nothing": receipt.receipt(
        outcome(done("SOL", "60", "0", None, "cancelled"), status="nothing", coverage_after=None, band=None)
    ),
    "receipt_manual": receipt.receipt(
        outcome(
            done("SOL", "60", "0", None, "manual", order_id=None),
            done("BTC", "0.035", "0.035", "63200", "filled"),
            status="manual",
            coverage_after=None,
            band=None,
            liquidation=[],
        )
    ),
    "receipt_unhedge": receipt.receipt(
        outcome(
            done("SOL", "60", "60", "138.2", "filled", side="buy"),
            purpose="unhedge",
            coverage_before="0.4987",
            coverage_after="0",
            liquidation=[],
        )
    ),
    "receipt_many": receipt.receipt(
        outcome(
            *(done(f"COIN{n}", "1000", "1000", "1.2345", "filled", order_id=f"id-{n}") for n in range(30))
        )
    ),
    "receipt_refused": receipt.receipt(
        outcome(
            done("SOL", "60", "0", None, "rejected", reason="<-2019> & more"), status="nothing", repeat=True
        )
    ),
    "receipt_contracts": receipt.receipt(
        outcome(
            done("SOL", "600", "420", "142.2", "cancelled", notional="8536.8"),
            status="partial",
            exchange="mexc",
            mode="live",
        )
    ),
    "waiting": receipt.waiting(
        {"proposal_id": "abcdefghijklmnop", "symbol": "SOL/USDT:USDT", "exchange": "bybit", "mode": "live"}
    ),
    "receipt_capped": receipt.receipt(
        outcome(done("SOL", "60", "45", "138.2", "filled", side="buy"), purpose="unhedge", coverage_after="0")
    ),
    "position_adl": position.position(changed("adl")),
    "position_adl_part": position.position(changed("adl", amount="0.05", left="0.07", coverage="0.5")),
    "position_liquidation": position.position(changed("liquidation", exchange="paper", mode="paper")),
    "position_settlement": position.position(changed("settlement", symbol="SOL/USDT:USDT", amount="12")),
    "position_sold": position.position(
        changed("trade", grew=True, amount="0.05", left="0.17", own="0.05", coverage="0.82")
    ),
    "position_bought": position.position(changed("trade", amount="0.05", left="0.07", coverage="0.5")),
    "position_late": position.position(changed("late", grew=True, left="0.12", coverage="0.75")),
    "position_found": position.position(
        changed("found", grew=True, left="0.12", own="0.12", coverage="0.75", price=None)
    ),
    "position_shrank": position.position(changed("unexplained", exchange="weex", price=None, coverage="0")),
    "position_grew": position.position(
        changed("unexplained", grew=True, left="0.24", in_coins=False, price=None, repeat=True)
    ),
    "position_delisting": position.position(
        changed("delisting", left="0.12", price=None, closes_at="2026-08-12T09:00:00+00:00")
    ),
    "position_gone": position.position(changed("delisting", left="0.12", price=None, closes_at="gone")),
    "card_unhedge_own": proposal.proposal(
        card(replace(CLOSING, checks=(Check("exit", True, "closed", {"band": "0.1", "own": "5 SOL"}),))),
        LIVE,
    ),
    "alert_drift": alert.alert(alarm()),
    "alert_drift_up": alert.alert(
        alarm(
            coverage="0.66",
            change=0.12,
            hedge_pnl="-800.1",
            legs=[{"symbol": "SOL/USDT:USDT", "side": "buy", "contracts": "10.0", "notional": "1423"}] * 6,
        )
    ),
    "alert_move": alert.alert(alarm(kind="market_move", repeat=True, hedge_pnl=None)),
    "alert_no_remedy": alert.alert(alarm(legs=[], proposal_id=None, change=None)),
    "alert_recovered": alert.recovered(alarm(coverage="0.497")),
    **alert_previews.SCREENS,
    **permission_previews.SCREENS,
    "receipt_auto": receipt.receipt(
        outcome(done("SOL", "20", "20", "142.2", "filled", side="buy"), purpose="rebalance", auto="drift")
    ),
    "panic": permission.panic(card(CLOSING)),
    "status": status.status(standing()),
    "status_own": status.status(
        standing(
            positions=(
                replace(standing().positions[0], own=D(5), margin_mode="isolated"),
                replace(
                    standing().positions[1], notional=None, funding_rate=None, funding_interval_hours=None
                ),
            )
        )
    ),
    "status_open": status.status(
        standing(
            positions=(),
            exposure=Exposure(D("21595"), D("30378"), D(0)),
            unhedged_pnl=None,
            hedged_pnl=None,
            since=None,
        )
    ),
    "status_drifted": status.status(
        standing(exposure=Exposure(D("21595"), D("30378"), D("9000")), alerts=(ALERT,), waiting=(LOST,))
    ),
    "status_many": status.status(
        standing(
            positions=tuple(replace(standing().positions[0], symbol=f"COIN{n}/USDT:USDT") for n in range(30))
        )
    ),
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
            ("no_address_list", "permissions_unknown", "hedge_mode"),
            False,
            "shorts",
        ),
        PAPER,
    ),
    "connected_orders": connect.connected(Connected(DEMO, trial(futures=None), (), False, "orders"), PAPER),
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
        )
    },
    "connect_not_no_passphrase": connect.not_connected(CannotConnect("no_passphrase", "weex"), "live"),
    **{f"key_{trouble.value}": connect.key_problem(trouble, "weex") for trouble in KeyTrouble},
    "key_stays": connect.key_stays("bybit"),
    "key_too_late": connect.too_late(),
    "connect_stopped": connect.stopped(),
    "key_refused": suspended({"exchange": "bybit", "mode": "live"}),
    "key_refused_again": suspended({"exchange": "bybit", "mode": "live", "repeat": True}),
    "accounts": overview.accounts(ACCOUNTS),
    "accounts_paper": overview.accounts((IN_USE,)),
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
