"""Whose keys are where: connect an exchange, choose the account that the rule is about, take a key back."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.ports.clock import Clock
from bot.ports.errors import KeyRefused, PortError, Unavailable
from bot.ports.exchange import Connections, Exchange, Offer, Trial
from bot.ports.records import PAPER, Account, AccountState, Mode, ProposalState
from bot.ports.store import Store
from bot.ports.vault import Credentials, NoMasterKey, Vault
from bot.services.errors import CannotConnect, CannotSwitch, NotYours
from hedging.portfolio import Position

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account in its owner's list. `equity` in US dollars; None, and why in `trouble`, when it cannot be read."""

    account: Account
    title: str
    in_use: bool
    equity: str | None = None
    positions: tuple[Position, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Connected:
    """An account that was just connected, and what its key turned out to be good for."""

    account: Account
    offer: Offer
    trial: Trial
    warnings: tuple[Literal["no_address_list", "permissions_unknown", "hedge_mode"], ...]


class Accounts:
    """`start`: the exchange and mode of those who never chose."""

    def __init__(
        self,
        store: Store,
        exchange: Exchange,
        connections: Connections,
        vault: Vault,
        clock: Clock,
        start: tuple[str, Mode] = (PAPER, "paper"),
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._connections = connections
        self._vault = vault
        self._clock = clock
        self._start = start

    @property
    def offers(self) -> Sequence[Offer]:
        """What can be connected."""
        return self._connections.offers

    def offer(self, name: str) -> Offer:
        """Raises CannotConnect with a sentence that names what there is."""
        for offer in self.offers:
            if offer.name == name.lower():
                return offer
        titles = ", ".join(offer.title for offer in self.offers)
        raise CannotConnect(f"That exchange cannot be connected. There are {titles}.")

    async def ready(self) -> None:
        """Raises CannotConnect while no key can be kept."""
        if await self._vault.read_only():
            raise CannotConnect(
                "Exchanges cannot be connected here yet: this bot has no master key to keep keys under."
            )

    async def in_use(self, user_id: int) -> Account:
        """The account that the user's rule is about."""
        return await self._store.named_account(user_id) or await self._default(user_id)

    async def connect(self, user_id: int, name: str, mode: Mode, credentials: Credentials) -> Connected:
        """Try the key, keep it sealed, and let the rule be about its account.

        A key that can withdraw is refused, as is one that cannot trade futures: CannotConnect. While another account
        has shorts open, the rule stays with that one: CannotSwitch, and the key is kept nevertheless.
        """
        await self.ready()
        offer = self.offer(name)
        if mode not in offer.modes:
            raise CannotConnect(f"{offer.title} has no {mode} mode.")
        account = await self._store.ensure_account(user_id, offer.name, mode)
        trial = await self._tried(offer, account, credentials)
        account = await self._store.set_account_state(account.id, AccountState.ACTIVE)
        try:
            await self._vault.seal(account, credentials, at=self._clock.now())
        except NoMasterKey as failure:
            raise CannotConnect(str(failure)) from failure
        self._connections.forget(account.id)
        await self.use(user_id, account.id)
        return Connected(account, offer, trial, _warnings(trial))

    async def use(self, user_id: int, account_id: int) -> Account:
        """Let the rule be about this account. Raises CannotSwitch while shorts are open on the one before, or an order
        there is not settled."""
        wanted = await self.own(user_id, account_id)
        if wanted.state is not AccountState.ACTIVE:
            raise CannotSwitch("That account is not connected any more. Connect it again with /connect.")
        current = await self.in_use(user_id)
        if current.id == wanted.id:
            return wanted
        if await self._store.latest_proposals(user_id, state=ProposalState.CONFIRMED, limit=1):
            raise CannotSwitch("Orders are being placed just now. Wait for their receipt, then switch.")
        if current.state is AccountState.ACTIVE and await self._open_shorts(current):
            raise CannotSwitch(
                f"A hedge is open on {self.title(current)}. Close it with /unhedge first, then switch with /accounts."
            )
        await self._store.name_account(user_id, wanted.id)
        return wanted

    async def list(self, user_id: int) -> Sequence[AccountLine]:
        """All of the user's accounts that are not disconnected, each as it stands now."""
        current = await self.in_use(user_id)
        found = [a for a in await self._store.accounts(user_id) if a.state is not AccountState.DISCONNECTED]
        return [await self._line(account, in_use=account.id == current.id) for account in found]

    async def own(self, user_id: int, account_id: int) -> Account:
        """Raises NotYours."""
        account = await self._store.account(account_id)
        if account is None or account.user_id != user_id:
            raise NotYours("This account belongs to somebody else.")
        return account

    async def line(self, user_id: int, account_id: int) -> AccountLine:
        """One of the user's accounts as it stands now."""
        account = await self.own(user_id, account_id)
        return await self._line(account, in_use=account.id == (await self.in_use(user_id)).id)

    async def disconnect(self, user_id: int, account_id: int) -> Account:
        """Forget the key. Shorts that are open stay open on the exchange, and nobody watches them any more."""
        account = await self.own(user_id, account_id)
        if account.mode == "paper":
            raise CannotConnect("The paper account has no key: there is nothing to disconnect.")
        await self._vault.forget(account)
        gone = await self._store.set_account_state(account_id, AccountState.DISCONNECTED)
        self._connections.forget(account_id)
        named = await self._store.named_account(user_id)
        if named is not None and named.id == account_id:
            await self._store.name_account(user_id, (await self._default(user_id)).id)
        return gone

    def title(self, account: Account) -> str:
        """How people call its exchange."""
        return next((o.title for o in self.offers if o.name == account.exchange), "the paper account")

    async def _default(self, user_id: int) -> Account:
        account = await self._store.ensure_account(user_id, *self._start)
        if account.state is AccountState.DISCONNECTED:
            return await self._store.ensure_account(user_id, PAPER, "paper")
        return account

    async def _tried(self, offer: Offer, account: Account, credentials: Credentials) -> Trial:
        if offer.passphrase and not credentials.passphrase:
            raise CannotConnect(f"{offer.title} keys have three parts: key, secret and passphrase.")
        try:
            trial = await self._connections.trial(account, credentials)
        except KeyRefused as refused:
            raise CannotConnect(
                f"{offer.title} does not accept this key. Check that you copied key and secret whole, and that the key "
                "may be used from this server's address."
            ) from refused
        except Unavailable as failure:
            raise CannotConnect(
                f"The key could not be tried: {failure} Nothing was kept; try again soon."
            ) from failure
        if trial.permissions.withdraw:
            raise CannotConnect(
                f"This key can withdraw money, so it was not kept. Make one on {offer.title} without withdrawals, and "
                "delete this one."
            )
        if trial.permissions.futures is False:
            raise CannotConnect(
                f"This key may not trade futures. Tick the futures permission on {offer.title}, then connect again."
            )
        return trial

    async def _line(self, account: Account, *, in_use: bool) -> AccountLine:
        title = self.title(account)
        if account.state is AccountState.SUSPENDED:
            return AccountLine(
                account, title, in_use, trouble="Its key is not accepted any more: /connect it again."
            )
        try:
            positions = tuple(await self._exchange.positions(account))
            balance = await self._exchange.balance(account)
        except PortError as failure:
            log.info("account %d cannot be read: %s", account.id, failure)
            return AccountLine(account, title, in_use, trouble="It cannot be read just now.")
        return AccountLine(account, title, in_use, str(balance.equity), positions)

    async def _open_shorts(self, account: Account) -> bool:
        """Also when it cannot be told: then the exchange is asked again later."""
        try:
            return any(position.contracts < 0 for position in await self._exchange.positions(account))
        except KeyRefused:
            return False
        except Unavailable as failure:
            raise CannotSwitch(
                f"{self.title(account)} cannot be read just now; try again in a minute."
            ) from failure


def _warnings(
    trial: Trial,
) -> tuple[Literal["no_address_list", "permissions_unknown", "hedge_mode"], ...]:
    found: list[Literal["no_address_list", "permissions_unknown", "hedge_mode"]] = []
    if trial.permissions.address_list is False:
        found.append("no_address_list")
    if trial.permissions.withdraw is None:
        found.append("permissions_unknown")
    if trial.hedge_mode:
        found.append("hedge_mode")
    return tuple(found)
