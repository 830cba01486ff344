"""People, what they hold and want, and their accounts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from bot.ports.records import Account, AccountState, KeptRule, User
from hedging.portfolio import Holding
from hedging.rules import HedgeRule


@dataclass(frozen=True, slots=True)
class HoldingChange:
    """Add `amount` (negative takes away; never below zero) or, with `clear`, remove the asset wholly."""

    asset: str
    amount: Decimal = Decimal(0)
    cost: Decimal | None = None  # averaged in by amount
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """Holdings after a change, and whether the change was a repetition that had no effect of its own."""

    holdings: tuple[Holding, ...]
    repeated: bool


class PeopleStore(Protocol):
    async def user(self, user_id: int) -> User | None: ...

    async def users(self, ids: Collection[int]) -> Mapping[int, User]:
        """Those of them who are known."""
        ...

    async def ensure_user(self, user: User) -> User:
        """Insert, or update name and chat and lift a suspension; `joined` of the first time stays."""
        ...

    async def suspend(self, user_id: int) -> None: ...

    async def holdings(self, user_id: int) -> tuple[Holding, ...]:
        """By asset, alphabetically; never one of amount zero."""
        ...

    async def change_holdings(
        self, user_id: int, changes: Sequence[HoldingChange], *, key: str
    ) -> Changed: ...

    async def rule(self, user_id: int) -> HedgeRule | None: ...

    async def kept_rule(self, user_id: int) -> KeptRule:
        """The rule with its version; the default one, version 0, for who has set none."""
        ...

    async def save_rule(self, user_id: int, rule: HedgeRule, *, under: int | None = None) -> None:
        """A rule that is another one gets the next version. With `under`, only over exactly that version: raises
        StaleVersion."""
        ...

    async def ensure_account(
        self, user_id: int, exchange: str, mode: str, *, state: AccountState = AccountState.ACTIVE
    ) -> Account:
        """The user's account there, made in that state when it is the first time."""
        ...

    async def account(self, account_id: int) -> Account | None: ...

    async def chosen_account(self, user_id: int, exchange: str, mode: str) -> Account | None:
        """The account that the user's rule names, else the one on that exchange and in that mode, if there is one."""
        ...

    async def name_account(self, user_id: int, account_id: int | None) -> None:
        """From now on the user's rule is about that account (a default rule, where there was none yet)."""
        ...

    async def set_account_state(self, account_id: int, state: AccountState) -> Account: ...

    async def accounts(self, user_id: int | None = None) -> Sequence[Account]:
        """One user's accounts, or everybody's."""
        ...
