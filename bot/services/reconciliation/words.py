"""What is owed to an account's owner about a change of a short."""

from datetime import datetime
from decimal import Decimal

from bot.ports.books import KnownShort, PositionChange
from bot.ports.records import OutboxItem, User
from bot.services.situation import Situation

_QUIET = ("trade", "found")  # they know


def message(
    change: PositionChange,
    short: KnownShort,
    situation: Situation,
    user: User,
    now: datetime,
    alarm: int | None = None,
) -> OutboxItem:
    """One message for one change. Amounts in coins where a contract is a number of them, else in contracts. `alarm`:
    the message that told of it before its cause was known, which now tells that."""
    account = situation.account
    return OutboxItem(
        key=f"position:{change.key}",
        user_id=user.id,
        chat_id=user.chat_id,
        kind="position",
        payload={
            "kind": change.kind,
            "exchange": account.exchange,
            "mode": account.mode,
            "symbol": change.symbol,
            "grew": change.contracts < 0,
            "amount": _amount(abs(change.contracts), short),
            "left": _amount(-short.contracts, short),
            "own": _amount(-short.own, short),
            "in_coins": short.contract_size is not None,
            "price": None if change.price is None else str(change.price),
            "coverage": str(situation.exposure().coverage),
            "target": str(situation.rule.target),
            "closes_at": short.delisting if change.kind == "delisting" else "",
        },
        created_at=now,
        edit=alarm,
        silent=change.kind in _QUIET,
    )


def _amount(contracts: Decimal, short: KnownShort) -> str:
    return str(contracts if short.contract_size is None else contracts * short.contract_size)
