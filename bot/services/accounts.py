"""The accounts that somebody has, which one their rule is about, and taking a key back."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from bot.ports.clock import Clock
from bot.ports.errors import KeyRefused, KeyUnusable, PortError, StaleVersion, Unavailable
from bot.ports.exchange import Connections, Exchange
from bot.ports.records import (
    PAPER,
    Account,
    AccountState,
    AlertState,
    Balance,
    KeyLook,
    Mode,
    OutboxItem,
    ProposalState,
)
from bot.ports.store import Store
from bot.ports.vault import Vault
from bot.services.errors import CannotDisconnect, CannotSwitch, NotYours
from bot.services.key_looks import days_left
from bot.services.second_source import SecondSource
from hedging.portfolio import Position

log = logging.getLogger(__name__)

Trouble = Literal["", "away", "refused", "missing", "locked", "damaged"]


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account in its owner's list, as it stands now. `equity` in US dollars. When it cannot be read, both are not
    known, and `trouble` says why: the exchange is away or does not let the key in, or the key cannot be used here.
    `days_left`: until the key ends, where that is told; `address`: this machine's own, where it is known."""

    account: Account
    in_use: bool
    equity: Decimal | None = None
    positions: tuple[Position, ...] = ()
    trouble: Trouble = ""
    key: KeyLook | None = None
    days_left: int | None = None
    address: str = ""
    unpriced: tuple[str, ...] = ()  # assets that nobody prices, and that the equity leaves out

    @property
    def shorts(self) -> tuple[Position, ...]:
        return tuple(position for position in self.positions if position.contracts < 0)


class Accounts:
    """`start`: the exchange and mode of those who never chose."""

    def __init__(
        self,
        store: Store,
        exchange: Exchange,
        source: SecondSource,
        connections: Connections,
        vault: Vault,
        clock: Clock,
        start: tuple[str, Mode] = (PAPER, "paper"),
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._source = source
        self._connections = connections
        self._vault = vault
        self._clock = clock
        self._start = start

    async def in_use(self, user_id: int) -> Account:
        """The account that the user's rule is about."""
        chosen = await self._store.chosen_account(user_id, *self._start)
        if chosen is None or chosen.state is AccountState.DISCONNECTED:
            return await self._default(user_id)
        return chosen

    async def connected(self, user_id: int) -> Sequence[Account]:
        """The user's accounts on exchanges that are not disconnected, also those whose key is not let in any more."""
        found = await self._store.accounts(user_id)
        return [a for a in found if a.mode != "paper" and a.state is not AccountState.DISCONNECTED]

    async def list(self, user_id: int) -> Sequence[AccountLine]:
        """The connected accounts and those on paper, each as it stands now; the one in use comes first."""
        current = await self.in_use(user_id)
        await self._store.ensure_account(user_id, PAPER, "paper")
        every = sorted(await self._store.accounts(user_id), key=lambda account: account.mode == "paper")
        mine = (account for account in every if account.state is not AccountState.DISCONNECTED)
        others = [account for account in mine if account.id != current.id]
        lines = [self._line(account, in_use=account.id == current.id) for account in [current, *others]]
        return await asyncio.gather(*lines)

    async def own(self, user_id: int, account_id: int) -> Account:
        """Raises NotYours."""
        account = await self._store.account(account_id)
        if account is None or account.user_id != user_id:
            raise NotYours("This account belongs to somebody else.")
        return account

    async def line(self, user_id: int, account_id: int) -> AccountLine:
        """One of the user's accounts as it stands now. Raises NotYours."""
        account = await self.own(user_id, account_id)
        return await self._line(account, in_use=account.id == (await self.in_use(user_id)).id)

    async def use(self, user_id: int, account_id: int) -> Account:
        """Let the rule be about this account from now on. What is watched is watched there.

        Raises NotYours, and CannotSwitch while shorts are open on the one before or an order there is not settled.
        """
        wanted = await self.own(user_id, account_id)
        if wanted.state is not AccountState.ACTIVE:
            suspended = wanted.state is AccountState.SUSPENDED
            raise CannotSwitch("suspended" if suspended else "gone", wanted.exchange)
        current = await self.in_use(user_id)
        if current.id == wanted.id:
            await self._store.name_account(user_id, wanted.id)  # also when it was only the default
            return wanted
        if current.state is AccountState.ACTIVE:
            if not await self.settled(current):
                raise CannotSwitch("orders", current.exchange)
            if await self._has_shorts(current):
                raise CannotSwitch("shorts", current.exchange)
        await self._name(user_id, wanted)
        return wanted

    async def practise(self, user_id: int, exchange: str) -> Account:
        """Let the rule be about an account on paper that follows the prices of that exchange. Raises CannotSwitch."""
        account = await self._store.ensure_account(user_id, exchange, "paper")
        return await self.use(user_id, account.id)

    async def disconnect(self, user_id: int, account_id: int) -> Account:
        """Forget the key, and let nothing be sent with it any more. Shorts that are open stay open on the exchange, and
        nobody watches them.

        A rule that was about it is about the account that everybody starts with. Raises NotYours or CannotDisconnect.
        """
        account = await self.own(user_id, account_id)
        if account.mode == "paper":
            raise CannotDisconnect("paper", account.exchange)
        if account.state is AccountState.ACTIVE and not await self.settled(account):
            raise CannotDisconnect("orders", account.exchange)
        current = await self.in_use(user_id)
        gone = await self._store.set_account_state(account_id, AccountState.DISCONNECTED)
        await self.take_permission_back(gone, why="gone")
        await self._vault.forget(gone)
        self._connections.forget(account_id)
        if current.id == account_id:
            await self._name(user_id, await self._default(user_id))
        return gone

    async def take_permission_back(self, account: Account, *, why: Literal["switch", "key", "gone"]) -> None:
        """Nothing is done on the account without a tap any more; its owner is told where something was permitted."""
        user = await self._store.user(account.user_id)
        owed = None
        if user is not None and why != "gone":
            at = self._clock.now()
            owed = OutboxItem(
                key=f"permission_taken:{user.id}:{account.id}:{at.isoformat()}",
                user_id=user.id,
                chat_id=user.chat_id,
                kind="permission_taken",
                payload={"exchange": account.exchange, "mode": account.mode, "why": why},
                created_at=at,
            )
        await self._store.take_back(account.user_id, account.id, owed)

    async def settled(self, account: Account) -> bool:
        """Whether no order on the account is under way or unknown."""
        confirmed = await self._store.latest_proposals(account.user_id, state=ProposalState.CONFIRMED)
        if any(proposal.account_id == account.id for proposal in confirmed):
            return False
        soon = self._clock.now() + timedelta(seconds=1)
        return all(
            attempt.account_id != account.id for attempt in await self._store.open_attempts(before=soon)
        )

    async def _default(self, user_id: int) -> Account:
        account = await self._store.ensure_account(user_id, *self._start)
        if account.state is AccountState.DISCONNECTED:
            return await self._store.ensure_account(user_id, PAPER, "paper")
        return account

    async def _name(self, user_id: int, account: Account) -> None:
        """The rule is about another account: what was noticed on the one before is over, and must not be looked for on
        this one. Where that is real money, nothing is done without a tap until it is permitted anew."""
        if account.mode == "live":
            await self.take_permission_back(account, why="switch")
        await self._store.name_account(user_id, account.id)
        now = self._clock.now()
        for alert in await self._store.live_alerts(user_id):
            with contextlib.suppress(StaleVersion):  # the watch was quicker
                await self._store.move_alert(alert, AlertState.RECOVERED, at=now)
        await self._store.change_alerts((), {user_id: {}})

    async def _line(self, account: Account, *, in_use: bool) -> AccountLine:
        """Its key's end is told even while the exchange is away."""
        look = await self._store.key_look(account) if account.mode != "paper" else None
        line = AccountLine(
            account,
            in_use,
            key=look,
            days_left=days_left(look, self._clock.now()) if look else None,
            address=self._connections.own_address,
        )
        if account.state is AccountState.SUSPENDED:
            return replace(line, trouble="refused")
        try:
            positions, balance = await self._read(account)
        except KeyUnusable as failure:
            return replace(line, trouble=failure.why)
        except PortError as failure:
            log.info("account %d cannot be read: %s", account.id, failure)
            return replace(line, trouble="refused" if isinstance(failure, KeyRefused) else "away")
        return replace(line, equity=balance.equity, positions=tuple(positions), unpriced=balance.unpriced)

    async def _read(self, account: Account) -> tuple[Sequence[Position], Balance]:
        """Both reads are waited for, whatever becomes of one: a refusal of the key is counted only then."""
        reads = (self._source.positions(account), self._exchange.balance(account))
        positions, balance = await asyncio.gather(*reads, return_exceptions=True)
        if isinstance(positions, BaseException):
            raise positions
        if isinstance(balance, BaseException):
            raise balance
        return positions, balance

    async def _has_shorts(self, account: Account) -> bool:
        """Not when the key is good for nothing any more: then nobody can close them from here. Raises CannotSwitch when
        it cannot be told just now."""
        try:
            return any(position.contracts < 0 for position in await self._source.positions(account))
        except (KeyRefused, KeyUnusable):
            return False
        except Unavailable as failure:
            raise CannotSwitch("away", account.exchange) from failure
