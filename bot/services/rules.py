"""A user's rule: read it, change parts of it."""

from dataclasses import replace
from decimal import Decimal

from bot.ports.store import PeopleStore
from hedging.rules import HedgeRule


class Rules:
    def __init__(self, people: PeopleStore) -> None:
        self._people = people

    async def get(self, user_id: int) -> HedgeRule:
        """The user's rule, or the default when none was set."""
        return await self._people.rule(user_id) or HedgeRule()

    async def change(
        self,
        user_id: int,
        *,
        target: Decimal | None = None,
        leverage: int | None = None,
        band: Decimal | None = None,
        factor: str | None = None,
    ) -> HedgeRule:
        """Change what is given and keep the rest. Raises BadInput with a sentence for values out of bounds."""
        now = await self.get(user_id)
        rule = replace(
            now,
            target=now.target if target is None else target,
            leverage=now.leverage if leverage is None else leverage,
            band=now.band if band is None else band,
            factor=now.factor if factor is None else factor,
        )
        await self._people.save_rule(user_id, rule)
        return rule
