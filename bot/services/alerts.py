"""What a user does about alerts: look at them, put them off, say what they want to hear and when."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from bot.ports.errors import StaleVersion
from bot.ports.records import Alert, AlertState, OutboxItem, Severity
from bot.ports.store import Store
from bot.ports.watching import AlertSettings
from bot.services.accounts import Accounts
from bot.services.desk.desk import payload_of
from bot.services.desk.hours import known_zone, morning, next_at
from bot.services.desk.kinds import KINDS, severity_of
from bot.services.desk.pinned import Pinned
from bot.services.desk.remedies import Remedies
from bot.services.errors import NotYours, ProposalGone
from bot.services.markets import Markets
from bot.services.status import Status, StatusView
from hedging.errors import BadInput

LEAST_CAP, MOST_CAP = 1, 50
KEEP = timedelta(days=7)

Edge = Literal["until", "above", "below", "rise", "budget"]


@dataclass(frozen=True, slots=True)
class AlertsView:
    """All that is open, the most urgent first, and what its owner wants of alerts. `now`: market time."""

    alerts: tuple[Alert, ...]
    settings: AlertSettings
    now: datetime
    pinned: bool = True  # whether a message at the top of the chat is kept current


class Alerts:
    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        status: Status,
        markets: Markets,
        remedies: Remedies,
        pinned: Pinned,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._status = status
        self._markets = markets
        self._remedies = remedies
        self.pinned = pinned

    async def view(self, user_id: int) -> AlertsView:
        live = sorted(
            await self._store.live_alerts(user_id), key=lambda a: (-severity_of(a), a.raised_at, a.id)
        )
        return AlertsView(
            tuple(live),
            await self._settings(user_id),
            await self._now(user_id),
            await self.pinned.wanted(user_id),
        )

    async def settings(self, user_id: int) -> AlertSettings:
        """What somebody wants of alerts, and their hours."""
        return await self._settings(user_id)

    async def snooze(self, alert_id: int, user_id: int, hours: float = 4) -> Alert:
        """Silence this matter for so many hours of market time. One that has recovered stays recovered."""
        alert = await self._own(alert_id, user_id)
        return await self._put_off(alert, await self._now(user_id) + timedelta(hours=hours))

    async def snooze_until_morning(self, alert_id: int, user_id: int) -> Alert:
        """Until the quiet hours end, or eight on the clock of the user."""
        alert = await self._own(alert_id, user_id)
        return await self._put_off(alert, morning(await self._now(user_id), await self._settings(user_id)))

    async def keep(self, alert_id: int, user_id: int) -> Alert:
        """The hedge stays as it is for a week; then the question is asked again."""
        alert = await self._own(alert_id, user_id)
        return await self._put_off(alert, await self._now(user_id) + KEEP)

    async def acknowledge(self, alert_id: int, user_id: int) -> Alert:
        """Seen: it is not told again unless it gets worse."""
        alert = await self._own(alert_id, user_id)
        if alert.state in (AlertState.RECOVERED, AlertState.SNOOZED):
            return alert
        return await self._moved(alert, AlertState.ACKNOWLEDGED)

    async def mute(self, user_id: int, kind: str, *, on: bool) -> AlertSettings:
        """No more, or again, a word of that kind. Red ones come in any case. Raises BadInput for an unknown kind."""
        if kind not in KINDS:
            raise BadInput("There is no such kind of alert. /alerts lists them.")
        settings = await self._settings(user_id)
        muted = settings.muted | {kind} if on else settings.muted - {kind}
        for alert in await self._store.live_alerts(user_id):
            quiet = on and alert.kind == kind and severity_of(alert) < Severity.RED
            if quiet and alert.state is not AlertState.MUTED:
                await self._moved(alert, AlertState.MUTED)
        return await self._save(replace(settings, muted=muted))

    async def mute_like(self, alert_id: int, user_id: int) -> tuple[Alert, AlertSettings]:
        """The same for the kind of an alert."""
        alert = await self._own(alert_id, user_id)
        return alert, await self.mute(user_id, alert.kind, on=True)

    async def quiet(self, user_id: int, begin: int | None, end: int | None) -> AlertSettings:
        """Quiet hours, in minutes after midnight; None: none."""
        return await self._save(replace(await self._settings(user_id), quiet_from=begin, quiet_until=end))

    async def summary_at(self, user_id: int, minutes: int | None) -> AlertSettings:
        settings = replace(await self._settings(user_id), summary_at=minutes)
        return await self._save(await self._timed(settings))

    async def zone(self, user_id: int, name: str) -> AlertSettings:
        """Raises BadInput for a zone that there is not."""
        settings = replace(await self._settings(user_id), zone=known_zone(name))
        return await self._save(await self._timed(settings))

    async def cap(self, user_id: int, messages: int) -> AlertSettings:
        """Raises BadInput for a number out of bounds."""
        if not LEAST_CAP <= messages <= MOST_CAP:
            raise BadInput(f"The most messages a day must be a number from {LEAST_CAP} to {MOST_CAP}.")
        return await self._save(replace(await self._settings(user_id), daily_cap=messages))

    async def end(self, user_id: int, edge: Edge | None, value: Any = None, asset: str = "") -> AlertSettings:
        """Agree upon a way out, or (None) upon none any more. Values are numbers, or a date for `until`."""
        settings = await self._settings(user_id)
        exits = dict(settings.exits) if edge is not None else {}
        if edge == "until":
            exits["until"] = value.isoformat()
        elif edge is not None:
            number = float(Decimal(value))
            if number <= 0:
                raise BadInput("That must be more than zero.")
            exits[edge] = number
        if asset:
            exits["asset"] = asset
            exits.pop("below" if edge == "above" else "above", None)
        return await self._save(replace(settings, exits=exits))

    async def details(self, alert_id: int, user_id: int) -> tuple[Alert, StatusView]:
        """The alert, and how its owner stands now. Who looks into it has seen it."""
        alert = await self.acknowledge(alert_id, user_id)
        return alert, await self._status.view(user_id)

    async def told(self, alert_id: int, user_id: int) -> dict[str, Any]:
        """What is known of the matter, without a look at the market."""
        return {**payload_of(await self._own(alert_id, user_id), "over"), "alert_id": alert_id}

    async def shown(self, alert_id: int, user_id: int) -> dict[str, Any]:
        """What its message says, with its remedy priced now."""
        alert = await self._own(alert_id, user_id)
        user = await self._store.user(user_id)
        if user is None:
            raise ProposalGone("This alert is not known any more.")
        payload = {**payload_of(alert, "due"), "alert_id": alert.id}
        item = OutboxItem("", user_id, user.chat_id, "alert", payload, alert.raised_at)
        ready = await self._remedies.prepare(item)
        if ready is None:
            raise ProposalGone("This alert is over.")
        return dict(ready.payload)

    async def _put_off(self, alert: Alert, until: datetime) -> Alert:
        if alert.state is AlertState.RECOVERED:
            return alert
        return await self._moved(alert, AlertState.SNOOZED, until)

    async def _moved(self, alert: Alert, to: AlertState, until: datetime | None = None) -> Alert:
        try:
            return await self._store.move_alert(alert, to, at=alert.updated_at, snoozed_until=until)
        except StaleVersion:  # the watch or another tap was quicker: what it made of the alert stands
            return await self._own(alert.id, alert.user_id)

    async def _timed(self, settings: AlertSettings) -> AlertSettings:
        """With the next summary at its hour."""
        if settings.summary_at is None:
            return replace(settings, next_at=None)
        now = await self._now(settings.user_id)
        return replace(settings, next_at=next_at(now, settings.summary_at, settings))

    async def _save(self, settings: AlertSettings) -> AlertSettings:
        await self._store.save_alert_settings(settings)
        return settings

    async def _settings(self, user_id: int) -> AlertSettings:
        return (await self._store.alert_settings([user_id]))[user_id]

    async def _now(self, user_id: int) -> datetime:
        return (await self._markets.of(await self._accounts.in_use(user_id)).snapshot()).time

    async def _own(self, alert_id: int, user_id: int) -> Alert:
        alert = await self._store.alert(alert_id)
        if alert is None:
            raise ProposalGone("This alert is not known any more.")
        if alert.user_id != user_id:
            raise NotYours("This alert belongs to somebody else.")
        return alert


def muted_kinds(settings: AlertSettings) -> Sequence[str]:
    return [kind for kind in KINDS if kind in settings.muted]
