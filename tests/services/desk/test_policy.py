"""What the desk decides, case by case: no store, no market, no clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.ports.records import Alert, AlertState
from bot.ports.watching import AlertSettings
from bot.services.desk.policy import Decision, Event, Manner, Matter, decide

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NIGHT = datetime(2026, 3, 2, 23, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 7, tzinfo=UTC)
ANYTIME = AlertSettings(1)
SLEEPER = AlertSettings(1, "UTC", 22 * 60, 7 * 60)
RAISED, OVER, WORSE, GOES_ON, DUE = Event.RAISED, Event.OVER, Event.WORSE, Event.GOES_ON, Event.DUE


def an_alert(kind: str = "drift", level: int = 1, **changes: object) -> Alert:
    new = Alert(0, 1, kind, AlertState.RAISED, {}, NOON, NOON, level=level)
    return replace(new, **changes)  # type: ignore[arg-type]


def one(event: Event, alert: Alert, now: datetime = NOON, settings: AlertSettings = ANYTIME) -> Decision:
    (made,) = decide(now, settings, [Matter(alert, event)]).decisions
    return made


def test_amber_is_told_without_a_sound_and_red_with_one() -> None:
    assert one(RAISED, an_alert("drift")).manner is Manner.SILENT
    assert one(RAISED, an_alert("liquidation", 2)).manner is Manner.LOUD


def test_at_night_amber_waits_for_the_morning_and_red_does_not() -> None:
    amber = one(RAISED, an_alert("drift"), NIGHT, SLEEPER)
    assert (amber.manner, amber.alert.held, amber.alert.due_at) == (Manner.HOLD, True, MORNING)
    assert one(RAISED, an_alert("margin", 2), NIGHT, SLEEPER).manner is Manner.LOUD


def test_what_waited_is_told_in_the_morning() -> None:
    held = one(RAISED, an_alert(), NIGHT, SLEEPER).alert
    told = one(DUE, held, MORNING, SLEEPER)
    assert (told.manner, told.alert.held) == (Manner.SILENT, False)


def test_what_came_and_went_in_the_night_is_not_told() -> None:
    held = one(RAISED, an_alert(), NIGHT, SLEEPER).alert
    assert one(OVER, held, NIGHT, SLEEPER).manner is Manner.NOTHING


def test_several_that_waited_are_one_digest() -> None:
    held = [one(RAISED, an_alert(kind), NIGHT, SLEEPER).alert for kind in ("drift", "funding")]
    decided = decide(MORNING, SLEEPER, [Matter(alert, DUE) for alert in held])
    assert [d.manner for d in decided.decisions] == [Manner.SUMMARY, Manner.SUMMARY]
    assert decided.sent_today == 1


def test_a_held_one_that_turns_red_does_not_wait() -> None:
    held = one(RAISED, an_alert("margin"), NIGHT, SLEEPER).alert
    told = one(WORSE, replace(held, level=2), NIGHT, SLEEPER)
    assert (told.manner, told.alert.state) == (Manner.LOUD, AlertState.ESCALATED)


def test_what_gets_worse_without_being_red_is_an_edit() -> None:
    told = one(WORSE, an_alert("drift", 2, message_id=7))
    assert (told.manner, told.alert.message_id, told.alert.state) == (Manner.EDIT, 7, AlertState.ESCALATED)


def test_what_goes_on_is_edited_also_at_night() -> None:
    assert one(GOES_ON, an_alert(message_id=7), NIGHT, SLEEPER).manner is Manner.EDIT


def test_a_red_one_that_nobody_has_seen_is_told_again_twice() -> None:
    told = one(RAISED, an_alert("forced_close"))
    manners, at = [], NOON
    while told.alert.due_at is not None:
        at = told.alert.due_at
        told = one(DUE, replace(told.alert, message_id=9), at)
        manners.append(told.manner)
    assert manners == [Manner.LOUD, Manner.LOUD]
    assert at == NOON + timedelta(minutes=75)


def test_a_red_one_that_was_seen_is_not_told_again() -> None:
    told = one(RAISED, an_alert("forced_close")).alert
    seen = replace(told, state=AlertState.ACKNOWLEDGED, message_id=9)
    assert one(DUE, seen, NOON + timedelta(minutes=15)).manner is Manner.NOTHING


def test_a_snooze_is_silent_until_it_is_over() -> None:
    until = NOON + timedelta(hours=4)
    snoozed = an_alert(state=AlertState.SNOOZED, snoozed_until=until, message_id=7)
    for event in (GOES_ON, DUE):
        quiet = one(event, snoozed, until - timedelta(minutes=1))
        assert (quiet.manner, quiet.alert.due_at) == (Manner.NOTHING, until)
    again = one(DUE, snoozed, until)
    assert (again.manner, again.alert.state) == (Manner.SILENT, AlertState.RAISED)


def test_a_snooze_does_not_hide_that_it_turned_red() -> None:
    snoozed = an_alert("margin", 2, state=AlertState.SNOOZED, snoozed_until=NIGHT, message_id=7)
    assert one(WORSE, snoozed).manner is Manner.LOUD


def test_a_muted_kind_is_kept_in_mind_and_not_told() -> None:
    deaf = AlertSettings(1, muted=frozenset({"margin"}))
    muted = one(RAISED, an_alert("margin"), settings=deaf)
    assert (muted.manner, muted.alert.state) == (Manner.NOTHING, AlertState.MUTED)
    assert one(OVER, muted.alert, settings=deaf).manner is Manner.NOTHING


def test_red_breaks_a_mute() -> None:
    deaf = AlertSettings(1, muted=frozenset({"margin"}))
    muted = one(RAISED, an_alert("margin"), settings=deaf).alert
    assert one(WORSE, replace(muted, level=2), settings=deaf).manner is Manner.LOUD


def test_a_kind_that_is_wanted_again_is_told_at_its_next_development() -> None:
    deaf = AlertSettings(1, muted=frozenset({"drift"}))
    muted = one(RAISED, an_alert(), settings=deaf).alert
    assert one(GOES_ON, muted).manner is Manner.SILENT


def test_recovery_edits_its_message_and_red_ones_get_a_word_of_their_own() -> None:
    amber = one(OVER, an_alert(message_id=7))
    assert (amber.manner, amber.alert.state) == (Manner.EDIT, AlertState.RECOVERED)
    red = one(OVER, an_alert("liquidation", 2, message_id=7))
    assert (red.manner, red.closes) == (Manner.SILENT, True)


def test_what_was_never_told_ends_without_a_word() -> None:
    assert one(OVER, an_alert()).manner is Manner.NOTHING


def crowd(count: int, kind: str = "order_waiting", level: int = 1) -> list[Matter]:
    return [Matter(an_alert(kind, level, subject=f"S{n}"), RAISED) for n in range(count)]


@pytest.mark.parametrize(("count", "manner"), [(3, Manner.SILENT), (4, Manner.SUMMARY), (40, Manner.SUMMARY)])
def test_a_storm_is_one_summary(count: int, manner: Manner) -> None:
    decided = decide(NOON, ANYTIME, crowd(count))
    assert {d.manner for d in decided.decisions} == {manner}
    assert decided.sent_today == (1 if manner is Manner.SUMMARY else count)
    assert not decided.loud


def test_a_storm_of_red_ones_is_one_summary_with_a_sound() -> None:
    decided = decide(NIGHT, SLEEPER, crowd(4, level=2))
    assert {d.manner for d in decided.decisions} == {Manner.SUMMARY}
    assert decided.loud


def test_the_last_message_of_a_day_says_that_it_is_the_last() -> None:
    settings = AlertSettings(1, daily_cap=3, sent_on="2026-03-02", sent_today=2)
    decided = decide(NOON, settings, crowd(1))
    assert ([d.manner for d in decided.decisions], decided.capped) == ([Manner.SUMMARY], True)


def test_beyond_the_cap_everything_but_red_waits_for_the_morning() -> None:
    settings = replace(SLEEPER, daily_cap=3, sent_on="2026-03-02", sent_today=3)
    decided = decide(NOON, settings, [*crowd(2), *crowd(1, "liquidation", 2)])
    assert [d.manner for d in decided.decisions] == [Manner.HOLD, Manner.HOLD, Manner.LOUD]
    assert decided.decisions[0].alert.due_at == MORNING
    assert decided.sent_today == 3


def test_a_new_day_has_a_cap_of_its_own() -> None:
    settings = AlertSettings(1, "Asia/Tokyo", daily_cap=3, sent_on="2026-03-02", sent_today=3)
    evening = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)  # past midnight in Tokyo
    decided = decide(evening, settings, crowd(1))
    assert [d.manner for d in decided.decisions] == [Manner.SILENT]
    assert (decided.sent_on, decided.sent_today) == ("2026-03-03", 1)


def test_no_day_has_more_messages_than_its_cap_whatever_happens() -> None:
    settings, told = AlertSettings(1, daily_cap=5), 0
    for minute in range(600):
        decided = decide(NOON + timedelta(minutes=minute), settings, crowd(minute % 7))
        told += sum(d.manner is Manner.SILENT for d in decided.decisions)
        told += any(d.manner is Manner.SUMMARY for d in decided.decisions)
        settings = replace(settings, sent_on=decided.sent_on, sent_today=decided.sent_today)
    assert told == 5


def test_what_is_told_anew_takes_the_place_of_its_earlier_message() -> None:
    told = an_alert("liquidation", 2, id=3, message_id=7)
    assert (one(WORSE, told).manner, one(WORSE, told).replaces) == (Manner.LOUD, 7)
    assert one(DUE, told).replaces == 7
    assert one(GOES_ON, told).replaces is None
    assert one(OVER, told).replaces is None
    assert one(RAISED, an_alert("liquidation", 2)).replaces is None
