"""Who is there."""

from bot.ports.clock import Clock
from bot.ports.records import User
from bot.ports.store import PeopleStore

_MOST_NEW = 1_000


class People:
    def __init__(self, people: PeopleStore, clock: Clock) -> None:
        self._people = people
        self._clock = clock
        self._new: dict[int, User] = {}  # met lately, who may have written more before that

    async def meet(
        self, user_id: int, chat_id: int, name: str, known: User | None = None, *, unknown: bool = False
    ) -> User:
        """The person who writes; a suspension for having blocked the bot ends. `known`: as stored when they wrote;
        `unknown`: nobody was stored then, so that they can only have been met since."""
        known = self._new.get(user_id) if unknown else known
        if known and (known.chat_id, known.name, known.suspended) == (chat_id, name, False):
            return known
        met = await self._people.ensure_user(User(user_id, chat_id, name, self._clock.now()))
        self._new[user_id] = met
        if len(self._new) > _MOST_NEW:
            del self._new[next(iter(self._new))]
        return met
