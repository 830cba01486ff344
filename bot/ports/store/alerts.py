"""Matters that deserve their owner's attention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.ports.records import Account, Alert, AlertState, OutboxItem, User
from bot.ports.watching import AlertSettings
from hedging.portfolio import Holding
from hedging.rules import HedgeRule


@dataclass(frozen=True, slots=True)
class Watched:
    """One user whose hedge is watched: all that a tick needs, in one read."""

    user: User
    account: Account
    rule: HedgeRule
    holdings: tuple[Holding, ...]
    alerts: tuple[Alert, ...]  # not recovered
    reference: Mapping[str, Any]  # what the last tick remembered of this user


@dataclass(frozen=True, slots=True)
class AlertChange:
    """A state change of one matter together with the messages that it owes: `outbox` is the matter's from then on,
    `also` edits one that was. `alert.id` 0 makes a new one. `told_by`: the message that told of it when this was
    decided; where another one does by now, the change is as out of date as one of an earlier version."""

    alert: Alert
    outbox: OutboxItem | None = None
    also: OutboxItem | None = None
    told_by: int | None = None


class AlertStore(Protocol):
    async def watched(self) -> Sequence[Watched]:
        """Everybody with a rule, holdings and an account, not suspended."""
        ...

    async def change_alerts(
        self,
        changes: Sequence[AlertChange],
        references: Mapping[int, Mapping[str, Any]],
        *,
        owed: Sequence[OutboxItem] = (),
        counts: Sequence[AlertSettings] = (),
    ) -> None:
        """All in one transaction: new alerts inserted, others updated by version (a stale one is left alone, with
        its messages), outbox rows added (a known key is left alone), references by user id remembered, summaries
        `owed`, and how much was sent today. A change's outbox payload gets `alert_id` filled in."""
        ...

    async def alert(self, alert_id: int) -> Alert | None: ...

    async def live_alerts(self, user_id: int) -> Sequence[Alert]: ...

    async def move_alert(
        self,
        alert: Alert,
        to: AlertState,
        *,
        at: datetime,
        snoozed_until: datetime | None = None,
        keeps_message: bool = True,
    ) -> Alert:
        """By version; the desk looks at it again when the snooze ends. Without `keeps_message` the message that told of
        it has become something else. Raises StaleVersion."""
        ...
