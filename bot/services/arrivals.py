"""Whether a message that was begun and never noted has arrived: it is looked for in its chat."""

from dataclasses import dataclass, replace
from itertools import count, islice, takewhile

from bot.ports.notifier import Notifier
from bot.ports.records import OutboxItem
from bot.ports.store import Store
from bot.services.slots import Slots

MOST_QUESTIONS = 30  # about one message
MOST_TRIES = 60  # of a message, about one a minute; after them nothing more is asked about it


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking for a message. `stands`: where it is. `below`: it has no id lower than this one; None: it
    has none at all. `doubtful`: nobody can tell."""

    stands: int | None = None
    below: int | None = None
    doubtful: bool = False


class Arrivals:
    """Asks Telegram, which numbers the messages of a bot in one row, about the few ids that a message can have.

    They lie above the last id that was known when it was begun, and below those of messages that were begun much later;
    ids of other messages of ours are left out.
    """

    def __init__(self, store: Store, notifier: Notifier, slots: Slots) -> None:
        self._store = store
        self._notifier = notifier
        self._slots = slots

    async def look_for(self, item: OutboxItem) -> Search:
        """`item` is in doubt. Raises ChatGone, DeliveryDelayed or Unavailable; then it stays in doubt."""
        if item.after_id is None or item.tries > MOST_TRIES:
            return Search(doubtful=True)
        before, known = await self._known(item, item.after_id)
        free = (one for one in count(item.after_id + 1) if one not in known)
        asked = list(islice(takewhile(lambda one: before is None or one < before, free), MOST_QUESTIONS))
        standing = []
        async for n in self._slots.questions(len(asked)):
            if await self._notifier.stands(item.chat_id, asked[n]):
                standing.append(asked[n])
        if len(standing) > 1:  # an answer to its owner is among them
            return Search(doubtful=True)
        if standing:
            return Search(stands=standing[0])
        return Search(below=asked[-1] + 1 if len(asked) == MOST_QUESTIONS else None)

    async def certain(self, item: OutboxItem, search: Search, message_id: int) -> bool:
        """Whether every id was looked at that `item` could have, now that it was sent and has this one."""
        if search.doubtful or search.below is None:
            return True  # it says so already, or there is nothing to say
        _, known = await self._known(item, search.below - 1)
        return all(one in known for one in range(search.below, message_id))

    async def _known(self, item: OutboxItem, after: int) -> tuple[int | None, set[int]]:
        traces = await self._store.traces(item)
        return traces.before, self._notifier.traffic.seen(after).union(traces.known)


def repeated(item: OutboxItem) -> OutboxItem:
    """The same with the word that it may be a repetition."""
    return replace(item, payload={**item.payload, "repeat": True})
