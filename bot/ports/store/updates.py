"""What has come from Telegram: kept until it has been handled, and remembered so that it is not handled again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TakenUpdate:
    """An update that was taken in at `at`. `lane`: whose updates are handled one after another. `content`: as Telegram
    sent it. `since`: it was made after that time; None when nobody can tell. `tries`: how often a process has begun to
    handle it that took it up from an earlier one."""

    id: int
    lane: int
    content: bytes
    at: datetime
    since: datetime | None = None
    tries: int = 0


class UpdateStore(Protocol):
    """Contents are sealed in the database, and gone from it when their handling has ended."""

    async def settle_updates(
        self, taken: Sequence[TakenUpdate], ended: Collection[int], *, by: str, now: datetime
    ) -> frozenset[int]:
        """In one transaction, keep what was taken in and drop what has ended. Those of `taken` that this replica is to
        handle: not what was taken in before, nor what belongs to a lane at which another one is at work."""
        ...

    async def claim_updates(
        self, *, by: str, now: datetime, stale: datetime, own: bool = False
    ) -> Sequence[TakenUpdate]:
        """Take over, by id, what waits for this replica or for anybody, and what belongs to a replica that has not been
        heard of since `stale`. `own`: also what an earlier life of this replica had."""
        ...

    async def hold_updates(self, *, by: str, now: datetime) -> frozenset[int]:
        """Say that this replica is alive; the ids that are still its own."""
        ...

    async def release_updates(self, *, by: str) -> None:
        """Leave what has not been handled to whoever asks next."""
        ...

    async def begin_again(self, update_id: int) -> None:
        """Count a try of an update that an earlier process has not ended."""
        ...

    async def forget_updates(self, *, before: datetime) -> int:
        """Drop what was kept to recognise repetitions from before that wall time; how many rows went."""
        ...
