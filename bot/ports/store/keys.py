"""Who is expected to send a key, and which keys are not let in any more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.ports.records import Account, Invitation, KeyLook, OutboxItem, User


class KeyStore(Protocol):
    """What is remembered of keys besides the keys."""

    async def user(self, user_id: int) -> User | None: ...

    async def account(self, account_id: int) -> Account | None: ...

    async def invite(self, invitation: Invitation) -> None:
        """In place of the user's earlier one."""
        ...

    async def invitation(self, user_id: int) -> Invitation | None: ...

    async def answer_invitation(self, user_id: int, *, by: str, now: datetime) -> Invitation | None:
        """The invitation that the update `by` answers. None when there is none, its time is over, or another update
        has fulfilled it. The same update again gets the same, also when it has fulfilled it."""
        ...

    async def save_invitation(self, invitation: Invitation) -> None:
        """Its message and whether it is over; left alone when another update has answered it meanwhile."""
        ...

    async def withdraw_invitation(self, user_id: int) -> None: ...

    async def renew_key(self, account_id: int) -> Account:
        """A new key is kept for the account: it is active, with a new number and no refusals."""
        ...

    async def count_refusal(self, account: Account, *, most: int, outbox: OutboxItem | None) -> Account:
        """The key of exactly that number was not let in once more. The `most`th time in a row an active account is
        suspended and the message owed, in one transaction."""
        ...

    async def forget_refusals(self, account: Account) -> None:
        """The key of that number was let in."""
        ...

    async def key_looks(self, shard: int = 0, shards: int = 1) -> "Sequence[tuple[Account, KeyLook | None]]":
        """Every connected account with a key, of that shard's users, and what was last told of the present key."""
        ...

    async def key_look(self, account: Account) -> KeyLook | None:
        """What was last told of the key that the account has now."""
        ...

    async def save_key_look(self, look: KeyLook) -> None:
        """In place of the account's earlier one."""
        ...
