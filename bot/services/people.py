"""Who is there."""

from bot.ports.clock import Clock
from bot.ports.records import User
from bot.ports.store import PeopleStore


class People:
    def __init__(self, people: PeopleStore, clock: Clock) -> None:
        self._people = people
        self._clock = clock

    async def meet(self, user_id: int, chat_id: int, name: str, known: User | None = None) -> User:
        """The person who writes; a suspension for having blocked the bot ends. `known`: as stored when they wrote."""
        known = known or await self._people.user(user_id)
        if known and known.chat_id == chat_id and known.name == name and not known.suspended:
            return known
        return await self._people.ensure_user(User(user_id, chat_id, name, self._clock.now()))
