"""People, cards and orders to store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.ports.records import Account, Alert, AlertState, Attempt, AttemptState, OutboxItem, Proposal, User
from hedging.plan import Check, Choice, HedgePlan, Leg
from hedging.portfolio import Exposure

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
ADA = User(7_300_000_001, 7_300_000_001, "Ada", NOW)  # Telegram's ids need more than 32 bits
BOB = User(7_300_000_002, 7_300_000_002, "Bob", NOW)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


LEG = Leg(
    symbol="SOL/USDT:USDT",
    side="sell",
    contracts=Decimal("12.30"),
    limit_price=Decimal("140.900"),
    mark_price=Decimal("142.31"),
    notional=Decimal("1750.413"),
    reduce_only=False,
    leverage=2,
    fee=Decimal("0.8752065"),
    margin=Decimal("875.2065"),
    position_after=Decimal("-12.30"),
    liquidation_price=Decimal("211.07"),
    assets=("SOL", "JTO"),
)
PLAN = HedgePlan(
    purpose="hedge",
    exchange="paper",
    target=Decimal("0.5"),
    factor="BTC",
    legs=(LEG,),
    choices=(
        Choice("SOL", Decimal("3500.826"), "direct", "SOL/USDT:USDT", 1.0, 1.31, 0.04, 0.72, "direct"),
        Choice("USDT", Decimal(100), "none", None, 0.0, 0.0, 0.0, 0.0, "stablecoin"),
    ),
    checks=(Check("value", True, "enough", {"value": "3600.826"}),),
    before=Exposure(Decimal("3600.826"), Decimal("4586.08"), Decimal(0)),
    after=Exposure(Decimal("3600.826"), Decimal("4586.08"), Decimal("2293.04")),
    fees=Decimal("0.8752065"),
    funding_per_month=Decimal("-3.20"),
    margin=Decimal("875.2065"),
    free_collateral=Decimal(100_000),
    quoted_at=NOW,
)


def a_proposal(id_: str, account: Account, **changes: Any) -> Proposal:
    proposal = Proposal(
        id=id_,
        user_id=account.user_id,
        chat_id=account.user_id,
        account_id=account.id,
        plan=PLAN,
        digest="d" * 64,
        quoted_at=NOW,
        expires_at=later(300),
    )
    return replace(proposal, **changes)


def an_attempt(client_id: str, account: Account, proposal_id: str = "card", **changes: Any) -> Attempt:
    attempt = Attempt(
        client_id=client_id,
        proposal_id=proposal_id,
        leg=0,
        number=0,
        account_id=account.id,
        symbol=LEG.symbol,
        side=LEG.side,
        contracts=Decimal("12.3"),
        limit_price=Decimal("140.9"),
        reduce_only=False,
        leverage=2,
        position_before=Decimal(0),
        state=AttemptState.RESERVED,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(attempt, **changes)


def an_alert(user: User = ADA, kind: str = "drift", **changes: Any) -> Alert:
    alert = Alert(0, user.id, kind, AlertState.RAISED, {"coverage": "0.38"}, NOW, NOW)
    return replace(alert, **changes)


def owed(key: str, user: User = ADA, **changes: Any) -> OutboxItem:
    item = OutboxItem(key, user.id, user.chat_id, "receipt", {"status": "complete"}, NOW)
    return replace(item, **changes)
