"""Who is there, and which of their updates have been dealt with."""

from bot.ports.clock import Clock
from bot.ports.records import User
from bot.ports.store import PeopleStore, UpdateStore


class People:
    def __init__(self, people: PeopleStore, updates: UpdateStore, clock: Clock) -> None:
        self._people = people
        self._updates = updates
        self._clock = clock

    async def meet(self, user_id: int, chat_id: int, name: str) -> User:
        """The person who writes; a suspension for having blocked the bot ends."""
        known = await self._people.user(user_id)
        if known and known.chat_id == chat_id and known.name == name and not known.suspended:
            return known
        return await self._people.ensure_user(User(user_id, chat_id, name, self._clock.now()))

    async def update_done(self, update_id: int) -> bool:
        """Whether this update was handled to its end before."""
        return await self._updates.update_done(update_id)

    async def finish_update(self, update_id: int) -> None:
        """From now on the update has no effect when it is delivered again."""
        await self._updates.finish_update(update_id, self._clock.now())
