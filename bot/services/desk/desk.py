"""From matters to what is stored and owed: the policy decides, the desk writes it down."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot import metrics
from bot.ports.records import Alert, AlertState, OutboxItem
from bot.ports.store import AlertChange
from bot.ports.watching import AlertSettings
from bot.services.desk.kinds import severity_of
from bot.services.desk.policy import Decided, Decision, Event, Manner, Matter, decide


@dataclass(frozen=True, slots=True)
class Written:
    """What one tick stores in one transaction."""

    changes: list[AlertChange]
    owed: list[OutboxItem]
    counts: list[AlertSettings]

    def add(self, other: "Written") -> None:
        self.changes.extend(other.changes)
        self.owed.extend(other.owed)
        self.counts.extend(other.counts)


def write(
    now: datetime, wall: datetime, chat_id: int, settings: AlertSettings, matters: Sequence[Matter]
) -> Written:
    """Everything that happened to one person's matters, as rows. `now` is market time, `wall` is wall time."""
    decided = decide(now, settings, matters)
    written = Written([_change(d, chat_id, wall) for d in decided.decisions], [], [])
    for one in decided.decisions:
        metrics.ALERTS.labels(one.alert.kind, one.manner).inc()
    lines = [d for d in decided.decisions if d.manner is Manner.SUMMARY]
    if lines:
        written.owed.append(_summary(now, wall, chat_id, decided, lines))
    if (decided.sent_on, decided.sent_today) != (
        settings.sent_on,
        settings.sent_today,
    ) and decided.sent_today:
        written.counts.append(replace(settings, sent_on=decided.sent_on, sent_today=decided.sent_today))
    return written


def payload_of(alert: Alert, event: str) -> dict[str, Any]:
    """What the message of an alert is made from."""
    return {
        **alert.facts,
        "kind": alert.kind,
        "subject": alert.subject,
        "level": alert.level,
        "severity": int(severity_of(alert)),
        "event": event,
        "reminder": alert.reminders if event == Event.DUE else 0,
        "raised_at": alert.raised_at.isoformat(),
    }


def line_of(alert: Alert, event: Event) -> dict[str, Any]:
    """One line of a summary or list."""
    return {
        "kind": alert.kind,
        "subject": alert.subject,
        "level": alert.level,
        "state": str(alert.state),
        "event": str(event),
        "facts": {**alert.facts, "kind": alert.kind, "level": alert.level},
    }


def _change(decision: Decision, chat_id: int, wall: datetime) -> AlertChange:
    return replace(_owing(decision, chat_id, wall), told_by=decision.told_by)


def _owing(decision: Decision, chat_id: int, wall: datetime) -> AlertChange:
    alert, manner = decision.alert, decision.manner
    if manner in (Manner.NOTHING, Manner.HOLD):
        return AlertChange(alert)
    over = alert.state is AlertState.RECOVERED
    kind = "recovered" if over else "alert"
    message = OutboxItem(
        key=f"{kind}:{_matter(alert)}",
        user_id=alert.user_id,
        chat_id=chat_id,
        kind=kind,
        payload=payload_of(alert, decision.event),
        created_at=wall,
        edit=alert.message_id if manner is Manner.EDIT else None,
        silent=manner is not Manner.LOUD,
    )
    if decision.replaces is not None:
        key = f"replaced:{_matter(alert)}"
        earlier = replace(message, key=key, kind="replaced", edit=decision.replaces, silent=True)
        return AlertChange(alert, None if manner is Manner.SUMMARY else message, earlier)
    if manner is Manner.SUMMARY:
        return AlertChange(alert)
    if not decision.closes:
        return AlertChange(alert, message)
    closing = replace(message, key=f"closed:{_matter(alert)}", edit=alert.message_id)
    return AlertChange(alert, message, closing)


def _matter(alert: Alert) -> str:
    """Names one version of one matter."""
    version = alert.version + 1 if alert.id else 0
    return f"{alert.user_id}:{alert.kind}:{alert.subject}:{alert.raised_at.isoformat()}:{version}"


def _summary(
    now: datetime, wall: datetime, chat_id: int, decided: Decided, lines: Sequence[Decision]
) -> OutboxItem:
    first = lines[0].alert
    payload = {
        "lines": [line_of(d.alert, d.event) for d in lines],
        "capped": decided.capped,
        "loud": decided.loud,
        "digest": all(d.event is Event.DUE for d in lines),
        "at": now.isoformat(),
    }
    return OutboxItem(
        key=f"summary:{first.user_id}:{now.isoformat()}",
        user_id=first.user_id,
        chat_id=chat_id,
        kind="summary",
        payload=payload,
        created_at=wall,
        silent=not decided.loud,
    )
