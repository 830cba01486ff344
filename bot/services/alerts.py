"""What a user does about an alert: snooze it, look into it."""

from datetime import timedelta

from bot.ports.errors import StaleVersion
from bot.ports.records import Alert, AlertState
from bot.ports.store import AlertStore
from bot.services.accounts import Accounts
from bot.services.errors import NotYours, ProposalGone
from bot.services.markets import Markets
from bot.services.status import Status, StatusView


class Alerts:
    def __init__(self, store: AlertStore, accounts: Accounts, status: Status, markets: Markets) -> None:
        self._store = store
        self._accounts = accounts
        self._status = status
        self._markets = markets

    async def snooze(self, alert_id: int, user_id: int, hours: int = 4) -> Alert:
        """Silence this matter for so many hours of market time. One that has recovered stays recovered."""
        alert = await self._own(alert_id, user_id)
        if alert.state is AlertState.RECOVERED:
            return alert
        now = (await self._markets.of(await self._accounts.in_use(user_id)).snapshot()).time
        until = now + timedelta(hours=hours)
        try:
            return await self._store.move_alert(alert, AlertState.SNOOZED, at=now, snoozed_until=until)
        except StaleVersion:  # the watch or another tap was quicker: what it made of the alert stands
            return await self._own(alert_id, user_id)

    async def details(self, alert_id: int, user_id: int) -> tuple[Alert, StatusView]:
        """The alert, and how its owner stands now."""
        alert = await self._own(alert_id, user_id)
        return alert, await self._status.view(user_id)

    async def _own(self, alert_id: int, user_id: int) -> Alert:
        alert = await self._store.alert(alert_id)
        if alert is None:
            raise ProposalGone("This alert is not known any more.")
        if alert.user_id != user_id:
            raise NotYours("This alert belongs to somebody else.")
        return alert
