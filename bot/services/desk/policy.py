"""What the desk does about matters: a function of the time, somebody's settings and the states of their alerts.

Red ones come at once and with sound, also at night, and again when nobody has seen them. Others come without sound, by
day, and so many a day at most; what comes in a crowd becomes one summary. What develops is edited in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.ports.records import Alert, AlertState, Severity
from bot.ports.watching import AlertSettings
from bot.services.desk.hours import local_day, morning, quiet_until
from bot.services.desk.kinds import KINDS, severity_of

CROWD = 3  # more new messages than this at once are one summary
REMIND_AFTER = (timedelta(minutes=15), timedelta(hours=1))  # after the message, after the first reminder
BACK_AGAIN = frozenset(name for name, kind in KINDS.items() if kind.remedy == "retarget")
EDIT_EVERY = timedelta(minutes=15)  # a matter that only goes on is not edited at each tick


class Event(StrEnum):
    """What happened to a matter."""

    RAISED = "raised"
    WORSE = "worse"  # to a higher level
    BETTER = "better"  # to a lower one
    GOES_ON = "goes_on"  # its figures have changed
    OVER = "over"
    DUE = "due"  # nothing, but its time has come: a snooze ends, the night is over, nobody has seen it


class Manner(StrEnum):
    """What the desk does."""

    LOUD = "loud"  # a new message, with sound
    SILENT = "silent"  # a new message, without
    EDIT = "edit"  # the message that tells of it already
    SUMMARY = "summary"  # a line of one message for several
    HOLD = "hold"  # no message now: the digest will tell
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Matter:
    """`alert`: as the watch found it now, with its new level and facts, and what is known of it otherwise."""

    alert: Alert
    event: Event


@dataclass(frozen=True, slots=True)
class Decision:
    """`alert`: as it is to be stored. `closes`: besides, its old message is edited to say that it is over. `replaces`:
    the message that told of it so far, when another one does from now on. `told_by`: that message in any case."""

    alert: Alert
    manner: Manner
    event: Event
    closes: bool = False
    replaces: int | None = None
    told_by: int | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything about one person at one moment. `sent_today` counts what is not red, also what is sent now.
    `loud`: whether the summary makes a sound. `capped`: it says that the rest waits for the morning."""

    decisions: tuple[Decision, ...]
    sent_on: str
    sent_today: int
    loud: bool = False
    capped: bool = False


def decide(now: datetime, settings: AlertSettings, matters: Sequence[Matter]) -> Decided:
    """What becomes of all that happened to one person's matters at `now`."""
    today = local_day(now, settings).isoformat()
    sent = settings.sent_today if settings.sent_on == today else 0
    made = [_one(now, settings, matter) for matter in matters]
    released = sum(d.event is Event.DUE and d.manner is Manner.SILENT for d in made)  # held ones
    red = [d for d in made if d.manner is Manner.LOUD]
    other = [d for d in made if d.manner is Manner.SILENT]
    loud = len(red) > CROWD
    if loud:
        made = _turned(made, Manner.LOUD, Manner.SUMMARY)
    capped = False
    if sent >= settings.daily_cap:
        made = [_held(d, morning(now, settings)) if d.manner is Manner.SILENT else d for d in made]
        other = []
    elif loud or released > 1 or len(other) > CROWD or sent + len(other) >= settings.daily_cap:
        made = _turned(made, Manner.SILENT, Manner.SUMMARY)
        other = other[:1]
        capped = bool(other) and sent + 1 >= settings.daily_cap
    made = [_replacing(d, matter.alert) for d, matter in zip(made, matters, strict=True)]
    return Decided(tuple(made), today, sent + len(other), loud, capped)


def _replacing(decision: Decision, before: Alert) -> Decision:
    anew = (
        decision.manner in (Manner.LOUD, Manner.SILENT, Manner.SUMMARY) and decision.event is not Event.OVER
    )
    return replace(decision, replaces=before.message_id if anew else None, told_by=before.message_id)


def _one(now: datetime, settings: AlertSettings, matter: Matter) -> Decision:
    """One matter by itself."""
    alert, event = matter.alert, matter.event
    red = severity_of(alert) is Severity.RED
    if event is Event.OVER:
        return _over(now, alert)
    if not red and alert.kind in settings.muted:
        return Decision(
            replace(alert, state=AlertState.MUTED, due_at=None, held=False), Manner.NOTHING, event
        )
    if alert.state is AlertState.MUTED:  # it was muted, and now it is red or its kind is wanted again
        alert, event = replace(alert, state=AlertState.RAISED), Event.RAISED
    if alert.state is AlertState.SNOOZED and not (red and event is Event.WORSE):
        if alert.snoozed_until is not None and alert.snoozed_until > now:
            return Decision(replace(alert, due_at=alert.snoozed_until), Manner.NOTHING, event)
        alert, event = replace(alert, state=AlertState.RAISED, snoozed_until=None), Event.RAISED
    if event in (Event.GOES_ON, Event.BETTER) and not alert.held:
        return Decision(alert, Manner.EDIT if alert.message_id is not None else Manner.NOTHING, event)
    if red:
        return _red(now, alert, event)
    if event is Event.WORSE and alert.message_id is not None:
        return Decision(replace(alert, state=AlertState.ESCALATED), Manner.EDIT, event)
    if event is Event.DUE and not alert.held:
        return Decision(replace(alert, due_at=None), Manner.NOTHING, event)
    night = quiet_until(now, settings)
    if night is not None:
        return _held(Decision(alert, Manner.HOLD, event), night)
    if alert.held and event is not Event.DUE and alert.due_at is not None and alert.due_at > now:
        return Decision(alert, Manner.NOTHING, event)  # held for the morning because of the cap
    return Decision(_told(alert, None), Manner.SILENT, event)


def _over(now: datetime, alert: Alert) -> Decision:
    """Its message says so; a red one that made a sound gets a word of its own."""
    over = replace(alert, state=AlertState.RECOVERED, updated_at=now, due_at=None, held=False)
    if alert.kind in BACK_AGAIN and alert.message_id is None and alert.state is AlertState.ACKNOWLEDGED:
        return Decision(over, Manner.SILENT, Event.OVER)  # its message has become the receipt of its remedy
    if alert.message_id is None or alert.state in (AlertState.MUTED, AlertState.SNOOZED):
        manner = Manner.EDIT if alert.message_id is not None else Manner.NOTHING
        return Decision(over, manner, Event.OVER)
    if severity_of(alert) is Severity.RED:
        return Decision(over, Manner.SILENT, Event.OVER, closes=True)
    return Decision(over, Manner.EDIT, Event.OVER)


def _red(now: datetime, alert: Alert, event: Event) -> Decision:
    """With sound at once, and again when nobody has seen it."""
    if event is Event.DUE and not alert.held:
        if alert.state is AlertState.ACKNOWLEDGED or alert.reminders >= len(REMIND_AFTER):
            return Decision(replace(alert, due_at=None), Manner.NOTHING, event)
        again = alert.reminders + 1
        due = now + REMIND_AFTER[again] if again < len(REMIND_AFTER) else None
        told = replace(alert, state=AlertState.ESCALATED, reminders=again)
        return Decision(_told(told, due), Manner.LOUD, event)
    state = AlertState.ESCALATED if event is Event.WORSE else AlertState.RAISED
    told = replace(alert, state=state, snoozed_until=None, reminders=0)
    return Decision(_told(told, now + REMIND_AFTER[0]), Manner.LOUD, event)


def _told(alert: Alert, due: datetime | None) -> Alert:
    """About to be told in a new message."""
    return replace(alert, held=False, due_at=due, message_id=None)


def _held(decision: Decision, until: datetime) -> Decision:
    alert = decision.alert
    if alert.state is AlertState.RECOVERED:  # a word that it is over is not worth a message of the morning
        return replace(decision, manner=Manner.EDIT if decision.closes else Manner.NOTHING, closes=False)
    return replace(decision, alert=replace(alert, held=True, due_at=until), manner=Manner.HOLD)


def _turned(made: Sequence[Decision], what: Manner, into: Manner) -> list[Decision]:
    return [replace(d, manner=into) if d.manner is what and not d.closes else d for d in made]
