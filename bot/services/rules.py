"""A user's rule: read it, change parts of it."""

from dataclasses import replace
from decimal import Decimal

from bot.ports.records import KeptRule
from bot.ports.store import PeopleStore
from hedging.rules import HedgeRule


class Rules:
    def __init__(self, people: PeopleStore) -> None:
        self._people = people

    async def get(self, user_id: int) -> HedgeRule:
        """The user's rule, or the default when none was set."""
        return await self._people.rule(user_id) or HedgeRule()

    async def kept(self, user_id: int) -> KeptRule:
        """The same, with its version."""
        return await self._people.kept_rule(user_id)

    async def change(
        self,
        user_id: int,
        *,
        under: int | None = None,
        target: Decimal | None = None,
        leverage: int | None = None,
        band: Decimal | None = None,
        factor: str | None = None,
    ) -> HedgeRule:
        """Change what is given and keep the rest. `under`: what was shown is that version of the rule, and nothing is
        changed of any other. Raises StaleVersion, and BadInput with a sentence for values out of bounds."""
        now = await self.get(user_id)
        rule = replace(
            now,
            target=now.target if target is None else target,
            leverage=now.leverage if leverage is None else leverage,
            band=now.band if band is None else band,
            factor=now.factor if factor is None else factor,
        )
        await self._people.save_rule(user_id, rule, under=under)
        return rule
