"""What may be done for somebody without a tap, and what stops all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from bot.ports.records import OutboxItem

Acts = Literal["never", "reduce", "both"]
Silence = Literal["nothing", "reduce", "quarter"]


@dataclass(frozen=True, slots=True)
class Permission:
    """What the bot may do for somebody on one account without a tap. Amounts in US dollars of notional; `silence`: what
    happens when an alert stays unanswered for a quarter of an hour.

    `terms` grows with every change of what is permitted or of a cap; `version` also with every order that is counted.
    `spent_on`: the latest day (ISO date, UTC) that something was counted for, by `spent`.
    """

    user_id: int
    account_id: int
    acts: Acts = "never"
    silence: Silence = "nothing"
    order_cap: Decimal = Decimal(1_000)
    day_cap: Decimal = Decimal(5_000)
    leverage_cap: int = 3
    slippage_cap: Decimal = Decimal("0.01")
    terms: int = 0
    spent_on: str = ""
    spent: Decimal = Decimal(0)
    version: int = 0

    @property
    def permits(self) -> bool:
        """Whether anything may be done at all."""
        return self.acts != "never" or self.silence != "nothing"

    def used(self, day: str) -> Decimal:
        """What counts against the cap of that day. A day is never reopened: while the clock is behind the latest day
        that something was counted for, all of that day counts."""
        return self.spent if day <= self.spent_on else Decimal(0)

    def counted(self, amount: Decimal, day: str) -> "Permission":
        """With one more order."""
        return Permission(
            self.user_id,
            self.account_id,
            self.acts,
            self.silence,
            self.order_cap,
            self.day_cap,
            self.leverage_cap,
            self.slippage_cap,
            self.terms,
            max(day, self.spent_on),
            self.used(day) + amount,
            self.version,
        )


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is done for somebody without a tap, whatever they permitted: until that wall time, or (None) until they
    take it off."""

    user_id: int
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


class PermissionStore(Protocol):
    async def permission(self, user_id: int, account_id: int) -> Permission:
        """Nothing is permitted to who never asked."""
        ...

    async def permissions(self, now: datetime, shard: int = 0, shards: int = 1) -> Sequence[Permission]:
        """Those of the shard's people that permit something on the account in use and are not paused at that wall
        time."""
        ...

    async def save_permission(self, permission: Permission) -> Permission:
        """Over exactly `version`: the new one. Raises StaleVersion."""
        ...

    async def take_back(self, user_id: int, account_id: int, owed: OutboxItem | None = None) -> bool:
        """Nothing is permitted there any more; whether something was. Then the message is owed that says so."""
        ...

    async def pause(self, user_id: int) -> Pause | None: ...

    async def set_pause(self, user_id: int, pause: Pause | None, owed: OutboxItem | None = None) -> None:
        """In place of an earlier one; None takes it off. Together with the message that is owed for its end."""
        ...
