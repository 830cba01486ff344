"""The pinned messages of a shard: which of them say what is no longer so, the most important first."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bot.ports.errors import PortError
from bot.ports.records import AccountState, Alert, AlertState, OutboxItem
from bot.ports.store import AlertChange, Store
from bot.ports.watching import Crowd, Pin
from bot.services.desk.pinned import Look, Standing, due, figures_of, owed, state_of
from bot.services.watch.findings import Findings

log = logging.getLogger(__name__)

MOST_A_TICK = 300  # of all shards: Telegram's pace is for alerts first
AWAY_KINDS = frozenset(("exchange_down", "key_failing"))
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Pins:
    """What one pass has seen of everybody in the shard. `trading`: whose orders are being placed; their message waits
    for the outcome."""

    def __init__(
        self,
        crowd: Crowd,
        findings: Sequence[Findings],
        changes: Sequence[AlertChange],
        trading: Collection[int],
        latest: datetime,
    ) -> None:
        self._crowd, self._trading, self._latest = crowd, trading, latest
        self._place = {user: (one, n) for one in findings for n, user in enumerate(one.users)}
        self._row = {user: n for n, user in enumerate(crowd.users)}
        self._alerts = _after(crowd, changes)

    def due(self, pins: Mapping[int, Pin], now: datetime, most: int) -> tuple[list[Pin], list[OutboxItem]]:
        """At most so many, at wall time `now`: changes of state first, then who has waited longest."""
        waiting = sorted(
            (state == pin.state, pin.told_at or _LONG_AGO, pin.user_id, look, state)
            for pin, look, state in self._states(pins)
            if due(pin, state, now)
        )
        fresh: list[Pin] = []
        messages: list[OutboxItem] = []
        for _, _, user, look, state in waiting:
            pin = pins.get(user) or Pin(user)
            told = owed(pin, self._crowd.chats[self._row[user]], self._standing(user, look, state), now)
            if told is not None:
                fresh.append(told[0])
                messages.append(told[1])
            if len(fresh) >= most:
                log.info("%d pinned messages wait for the next tick", len(waiting) - len(fresh))
                break
        return fresh, messages

    def _states(self, pins: Mapping[int, Pin]) -> Iterator[tuple[Pin, Look, str]]:
        for user, account in zip(self._crowd.users, self._crowd.accounts, strict=True):
            pin = pins.get(user)
            if user in self._trading or not (user in self._place or pin is not None):
                continue
            alerts = self._alerts.get(user, ())
            look = self._look(user, alerts, away=account.state is not AccountState.ACTIVE)
            if look is not None:
                yield pin or Pin(user), look, state_of(look, alerts)

    def _look(self, user: int, alerts: Sequence[Alert], *, away: bool) -> Look | None:
        if away or any(alert.kind in AWAY_KINDS for alert in alerts):
            return "away"
        if user in self._place:
            findings, n = self._place[user]
            if findings.seen.hedged[n] or findings.seen.offset[n] > 0:
                return "hedged"
        elif (self._crowd.memories.get(user) or {}).get("hedged"):
            return None  # just not seen at this tick
        return "open"

    def _standing(self, user: int, look: Look, state: str) -> Standing:
        account = self._crowd.accounts[self._row[user]]
        facts: dict[str, Any] = {"exchange": account.exchange, "mode": account.mode}
        if look != "hedged":
            return Standing(look, state, "", facts | {"at": self._latest.isoformat()})
        findings, n = self._place[user]
        seen, last = findings.seen, self._crowd.looks.get(user)
        equity = float(last.equity) if last is not None else 0.0
        coverage, value = findings.coverage(n), float(np.nan_to_num(seen.value[n]))
        facts |= {
            "coverage": coverage,
            "target": self._crowd.target[self._row[user]],
            "value": value,
            "equity": equity,
            "at": findings.now.isoformat(),
        }
        return Standing(look, state, figures_of(coverage, value, equity), facts)


async def keep_current(store: Store, pins: Pins, now: datetime, shard: int, shards: int) -> int:
    """Owe what has changed; to how many. What fails is owed at the next tick."""
    try:
        known = await store.pins(shard, shards)
        fresh, messages = pins.due(known, now, max(MOST_A_TICK // shards, 1))
        return len(await store.save_pins(fresh, messages)) if fresh else 0
    except PortError as failure:
        log.warning("pinned messages are not kept current at this tick: %s", failure)
        return 0


def _after(crowd: Crowd, changes: Sequence[AlertChange]) -> dict[int, list[Alert]]:
    """What is open of each when the changes are stored."""
    touched: dict[int, dict[tuple[str, str], Alert]] = {}
    for change in changes:
        user = change.alert.user_id
        if user not in touched:
            touched[user] = {(a.kind, a.subject): a for a in crowd.alerts.get(user, ())}
        touched[user][change.alert.kind, change.alert.subject] = change.alert
    live = {user: list(alerts) for user, alerts in crowd.alerts.items()}
    for user, by_matter in touched.items():
        live[user] = [a for a in by_matter.values() if a.state is not AlertState.RECOVERED]
    return live
