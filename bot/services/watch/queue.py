"""Shorts that stand far in front in the queue for auto-deleveraging, where the exchange tells it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.ports.records import Account, AccountState, Alert, AlertState
from bot.ports.watching import Crowd
from bot.services.desk.kinds import ADL, FAR
from bot.services.desk.policy import Event, Matter

NEAR, FRONT = 4, 5  # ranks: told from the last but one on
RANK = 6  # its place in a row of a look


class QueueMatters:
    """Everybody's, as changes against the alerts that are live. `time`: market time, by user id."""

    def __init__(self, crowd: Crowd, time: Callable[[int], datetime]) -> None:
        self._crowd, self._time = crowd, time

    def matters(self) -> Iterator[tuple[int, Matter]]:
        """By user id."""
        for user, account in zip(self._crowd.users, self._crowd.accounts, strict=True):
            look = self._crowd.looks.get(user)
            live = {alert.subject: alert for alert in self._crowd.alerts.get(user, ()) if alert.kind == ADL}
            if look is None or look.failure or account.state is not AccountState.ACTIVE:
                continue  # what is not seen stays as it was told
            ranks = {row[0]: row[RANK] for row in look.positions if len(row) > RANK and _short(row)}
            for symbol in sorted({*live, *ranks}):
                matter = self._matter(user, account, symbol, ranks.get(symbol), live.get(symbol))
                if matter is not None:
                    yield user, matter

    def _matter(
        self, user: int, account: Account, symbol: str, rank: int | None, alert: Alert | None
    ) -> Matter | None:
        at = self._time(user)
        if rank is None or rank < NEAR:
            if alert is None:
                return None
            if rank is None or rank <= FAR:
                return Matter(replace(alert, updated_at=at, facts=_facts(account, symbol, rank)), Event.OVER)
            rank = NEAR  # not yet far enough behind
        facts, level = _facts(account, symbol, rank), 2 if rank >= FRONT else 1
        if alert is None:
            new = Alert(0, user, ADL, AlertState.RAISED, facts, at, at, subject=symbol, level=level)
            return Matter(new, Event.RAISED)
        if level != alert.level:
            event = Event.WORSE if level > alert.level else Event.BETTER
            return Matter(replace(alert, level=level, facts=facts, updated_at=at), event)
        when = alert.due_at or alert.snoozed_until
        return Matter(alert, Event.DUE) if when is not None and when <= at else None


def _short(row: Any) -> bool:
    return str(row[1]).startswith("-")


def _facts(account: Account, symbol: str, rank: int | None) -> Mapping[str, Any]:
    return {"kind": ADL, "exchange": account.exchange, "mode": account.mode, "symbol": symbol, "rank": rank}
