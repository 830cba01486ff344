"""Cards and their receipts: every state, with checks that pass and that fail."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.chat.views import proposal, receipt
from bot.chat.views.message import Message
from bot.ports.records import Aim, Proposal, ProposalState
from hedging.plan import Check, Choice, HedgePlan, Leg
from hedging.portfolio import Exposure
from tests.chat.previews.people import DEMO, LIVE, NOON, PAPER, RULE, D


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


MOVED = plan(leg("SOL", "58.5", "145.9"), leg("ADA", "900", "0.45"), leg("BTC", "0.035", "63251.4"))
SCREENS: dict[str, Message] = {
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
    "card_repriced": proposal.repriced(card(MOVED), card(TWO_LEGS), PAPER, "price"),
    **{
        f"card_instead_{why}": proposal.repriced(card(MOVED), card(TWO_LEGS), PAPER, why)
        for why in ("rule", "holdings", "position", "account", "update", "late")
    },
    "card_instead_traded": proposal.repriced(card(TWO_LEGS), None, PAPER, "traded"),
    "card_new_rule": proposal.proposal(replace(card(TWO_LEGS), aim=Aim("new_rule")), PAPER),
    "card_unhedge_half": proposal.proposal(replace(card(CLOSING), aim=Aim("close", share=D("0.5"))), PAPER),
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
    "card_unhedge_own": proposal.proposal(
        card(replace(CLOSING, checks=(Check("exit", True, "closed", {"band": "0.1", "own": "5 SOL"}),))),
        LIVE,
    ),
    "receipt_auto": receipt.receipt(
        outcome(done("SOL", "20", "20", "142.2", "filled", side="buy"), purpose="rebalance", auto="drift")
    ),
}
