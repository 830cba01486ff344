"""The keys of all accounts, looked at about once a day: when they end, and what was taken from them."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.ports.clock import Clock
from bot.ports.errors import PortError
from bot.ports.exchange import Connections
from bot.ports.records import Account, AccountState, KeyLook
from bot.ports.store import Store
from bot.ports.vault import VaultError
from bot.services.key_looks import days_left, look_of

log = logging.getLogger(__name__)

EVERY = timedelta(hours=24)
AGAIN_AFTER = timedelta(hours=1)  # where it could not be told
EARLY = timedelta(minutes=5)  # clocks differ by less: beyond it, this one has stepped back
A_TICK = 8  # keys at most, one after another: nobody waits for this
SECONDS = 5.0  # for one
STAGES = (14, 7, 1)  # days before a key ends at which its owner is told
LAST_STAGE = len(STAGES)  # presses more than the others
KEY_KINDS = frozenset(("key_expiring", "key_rights"))


class KeyLooks:
    """What was told is kept: neither a restart nor another replica asks again before its time."""

    def __init__(self, store: Store, connections: Connections, clock: Clock) -> None:
        self._store, self._connections, self._clock = store, connections, clock

    async def refresh(self, shard: int = 0, shards: int = 1) -> int:
        """Look at those that are due, the longest unseen first; how many."""
        now = self._clock.now()
        every = await self._store.key_looks(shard, shards)
        active = [one for one in every if one[0].state is AccountState.ACTIVE]
        due = [one for one in active if one[1] is None or not now - EVERY < one[1].looked_at <= now + EARLY]
        due.sort(key=lambda one: one[1].looked_at.timestamp() if one[1] else 0.0)
        for account, known in due[:A_TICK]:
            await self._store.save_key_look(await self._look(account, known))
        return len(due[:A_TICK])

    async def _look(self, account: Account, known: KeyLook | None) -> KeyLook:
        now = self._clock.now()
        try:
            async with asyncio.timeout(SECONDS):
                return look_of(account, await self._connections.permissions(account), known, now)
        except (PortError, VaultError, TimeoutError) as failure:
            log.info("what the key of account %d may do is not told: %s", account.id, failure)
            return look_of(account, None, known, now - EVERY + AGAIN_AFTER)


def key_matters(
    looks: Sequence[tuple[Account, KeyLook | None]], now: datetime
) -> Iterator[tuple[Account, str, int, dict[str, Any]]]:
    """Account, kind, level and facts of all that is the matter with keys at `now` (wall time)."""
    for account, look in looks:
        if look is None:
            continue
        told = {"exchange": account.exchange, "mode": account.mode}
        days = days_left(look, now)
        level = 0 if days is None else sum(days <= stage for stage in STAGES)
        if look.expires is not None and level:
            yield account, "key_expiring", level, {**told, "days": days, "expires": look.expires.isoformat()}
        lost = "trading" if look.lost_trading else "addresses" if look.lost_addresses else ""
        if lost:
            yield account, "key_rights", 2 if lost == "trading" else 1, {**told, "lost": lost}
