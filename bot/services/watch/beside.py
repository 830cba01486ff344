"""What stands beside a matter: when that changes, its message is told anew, since its advice may have to wait."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from bot.ports.records import Alert
from bot.ports.watching import Crowd
from bot.services.desk.advice import FIRST, PUT_OFF
from bot.services.desk.policy import Event, Matter


def beside(
    crowd: Crowd, found: Mapping[int, Collection[Matter]], times: Mapping[int, datetime]
) -> Mapping[int, list[Matter]]:
    """The matters that were found, each with the kinds that are advised upon beside it, and those whose neighbours
    alone have changed. `times`: market time by user id, for those who were seen."""
    told = {user: list(matters) for user, matters in found.items()}
    for user, now in times.items():
        live = crowd.alerts.get(user, ())
        matters = told.get(user, [])
        if len(live) + len(matters) < 2 and not any(alert.facts.get("beside") for alert in live):
            continue  # nearly everybody: one matter has nobody beside it
        with_neighbours = _beside(live, matters, now)
        if with_neighbours:
            told[user] = with_neighbours
    return told


def _beside(live: Collection[Alert], matters: Collection[Matter], now: datetime) -> list[Matter]:
    touched = {(m.alert.kind, m.alert.subject) for m in matters}
    others = [alert for alert in live if (alert.kind, alert.subject) not in touched]
    open_ = [*(m.alert for m in matters if m.event is not Event.OVER), *others]
    advised = sorted({alert.kind for alert in open_ if alert.kind in FIRST and alert.state not in PUT_OFF})
    made = [matter if matter.event is Event.OVER else _with(matter, advised) for matter in matters]
    for alert in others:
        kinds = _others(alert, advised)
        if alert.kind in FIRST and kinds != alert.facts.get("beside", []):
            facts = {**alert.facts, "beside": kinds}
            made.append(Matter(replace(alert, facts=facts, updated_at=now), Event.GOES_ON))
    return made


def _with(matter: Matter, advised: Collection[str]) -> Matter:
    alert = matter.alert
    return replace(matter, alert=replace(alert, facts={**alert.facts, "beside": _others(alert, advised)}))


def _others(alert: Alert, advised: Collection[str]) -> list[str]:
    return [kind for kind in advised if kind != alert.kind]
