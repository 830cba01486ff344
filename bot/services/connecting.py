"""Connecting an exchange: an invitation to send its key, a trial of the key, and what it turned out to be good for."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from bot.ports.clock import Clock
from bot.ports.errors import KeyRefused, PortError, Unavailable
from bot.ports.exchange import Connections, Exchange, Offer, Trial
from bot.ports.records import Account, AccountState, Invitation, Mode, OutboxItem
from bot.ports.store import Store
from bot.ports.vault import Credentials, Vault, VaultError
from bot.services.accounts import Accounts
from bot.services.errors import CannotConnect, CannotSwitch
from bot.services.key_looks import look_of

log = logging.getLogger(__name__)

INVITED_FOR = timedelta(minutes=10)
TRIAL_SECONDS = 30.0  # both together below the patience of the handler that waits for them
OTHER_SECONDS = 10.0

Warned = Literal["no_address_list", "permissions_unknown", "hedge_mode", "credits"]


@dataclass(frozen=True, slots=True)
class Connected:
    """An account that was just connected. `in_use`: the rule is about it now; else `waits` says what for: a tap,
    because it is real money, or what CannotSwitch names."""

    account: Account
    trial: Trial
    warnings: tuple[Warned, ...]
    in_use: bool
    waits: str = ""


class Connecting:
    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        exchange: Exchange,
        connections: Connections,
        vault: Vault,
        clock: Clock,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._exchange = exchange
        self._connections = connections
        self._vault = vault
        self._clock = clock

    @property
    def offers(self) -> Sequence[Offer]:
        """What can be connected."""
        return self._connections.offers

    def offer(self, name: str) -> Offer:
        """Raises CannotConnect."""
        for offer in self.offers:
            if offer.name == name.lower():
                return offer
        raise CannotConnect("unknown", name)

    async def ready(self) -> None:
        """Raises CannotConnect while no key can be kept."""
        try:
            trouble = await self._vault.read_only()
        except VaultError as failure:
            trouble = str(failure)
        if trouble:
            log.warning("no key can be kept: %s", trouble)
            raise CannotConnect("read_only")

    async def invite(self, user_id: int, name: str, mode: Mode) -> Offer:
        """From now on, and for ten minutes, what looks like a key is this exchange's. Raises CannotConnect."""
        await self.ready()
        offer = self.offer(name)
        if mode not in offer.modes:
            raise CannotConnect("no_mode", name)
        until = self._clock.now() + INVITED_FOR
        await self._store.invite(Invitation(user_id, offer.name, mode, until))
        return offer

    async def withdraw(self, user_id: int) -> None:
        """Wait for no key any more."""
        await self._store.withdraw_invitation(user_id)

    async def invited(self, user_id: int) -> bool:
        """Whether a key is waited for."""
        known = await self._store.invitation(user_id)
        return known is not None and not known.over and self._clock.now() < known.until

    async def late(self, user_id: int) -> bool:
        """Whether one was waited for until a while ago."""
        known = await self._store.invitation(user_id)
        return known is not None and not known.over and self._clock.now() >= known.until

    async def answer(self, user_id: int, *, by: str) -> Invitation | None:
        """The invitation that the update `by` answers; None when nobody waits for a key. The same update again gets the
        same."""
        return await self._store.answer_invitation(user_id, by=by, now=self._clock.now())

    async def shown(self, invitation: Invitation, message_id: int) -> Invitation:
        """Remember which message tells what comes of the key."""
        told = replace(invitation, message_id=message_id)
        await self._store.save_invitation(told)
        return told

    async def fulfilled(self, invitation: Invitation) -> None:
        """The key is kept and its owner knows: nothing more comes of the invitation."""
        await self._store.save_invitation(replace(invitation, over=True))

    async def owe_deletion(self, user_id: int, chat_id: int, message_id: int) -> None:
        """A message that holds a key is deleted as soon as Telegram lets it be."""
        await self._store.owe(
            OutboxItem(
                key=f"deletion:{chat_id}:{message_id}",
                user_id=user_id,
                chat_id=chat_id,
                kind="deletion",
                payload={},
                created_at=self._clock.now(),
                edit=message_id,
            )
        )

    async def connect(self, invitation: Invitation, credentials: Credentials) -> Connected:
        """Try the key, keep it sealed, and let the rule be about its account, unless that is real money.

        Done again with the same key it changes nothing. Raises CannotConnect; then what was connected before stays so.
        """
        await self.ready()
        user_id, offer = invitation.user_id, self.offer(invitation.exchange)
        if offer.passphrase and not credentials.passphrase:
            raise CannotConnect("no_passphrase", offer.name)
        trial = await self._tried(Account(0, user_id, offer.name, invitation.mode), credentials)
        account = await self._store.ensure_account(
            user_id, offer.name, invitation.mode, state=AccountState.DISCONNECTED
        )
        await self._must_see_the_hedge(account, trial)
        try:
            await self._vault.seal(account, credentials, at=self._clock.now())
        except VaultError as failure:
            log.warning("a key of account %d was not kept: %s", account.id, failure)
            raise CannotConnect("read_only", offer.name) from failure
        self._connections.forget(account.id)
        await self._accounts.take_permission_back(
            account, why="key"
        )  # the key may open another account there
        account = await self._store.renew_key(account.id)
        await self._store.save_key_look(look_of(account, trial.permissions, None, self._clock.now()))
        return await self._put_to_use(account, trial)

    async def _tried(self, account: Account, credentials: Credentials) -> Trial:
        try:
            async with asyncio.timeout(TRIAL_SECONDS):
                trial = await self._connections.trial(account, credentials)
        except KeyRefused as refused:
            if refused.address:
                raise CannotConnect("elsewhere", account.exchange, refused.address) from refused
            other = await self._works_for_other_money(account, credentials)
            raise CannotConnect(f"for_{other}" if other else "refused", account.exchange) from refused
        except (Unavailable, TimeoutError) as failure:
            log.info("a key for %s could not be tried: %s", account.exchange, failure)
            raise CannotConnect("away", account.exchange) from failure
        if trial.permissions.withdraw:
            raise CannotConnect("withdraw", account.exchange)
        if trial.permissions.reads_only:
            raise CannotConnect("reads_only", account.exchange)
        if trial.permissions.futures is False:
            raise CannotConnect("europe" if trial.permissions.europe else "no_futures", account.exchange)
        if trial.margin in ("portfolio", "unknown"):
            raise CannotConnect(
                "portfolio" if trial.margin == "portfolio" else "mode_unknown", account.exchange
            )
        return trial

    async def _works_for_other_money(self, account: Account, credentials: Credentials) -> Mode | None:
        """The other of real and test money, where it lets in the key that this one refused."""
        other: Mode = "demo" if account.mode == "live" else "live"
        if other not in self.offer(account.exchange).modes:
            return None
        try:
            async with asyncio.timeout(OTHER_SECONDS):
                await self._connections.trial(replace(account, mode=other), credentials)
        except (PortError, TimeoutError):
            return None
        return other

    async def _must_see_the_hedge(self, account: Account, trial: Trial) -> None:
        """A key that takes the place of a working one must open the same account: a hedge that is open there would be
        lost from view. Raises CannotConnect."""
        if account.state is not AccountState.ACTIVE:
            return
        if not await self._accounts.settled(account):
            raise CannotConnect("orders", account.exchange)
        try:
            known = await self._exchange.positions(account)
        except (
            Unavailable
        ):  # the earlier key is good for nothing, or the exchange was there only for the trial
            return
        shorts = {position.symbol for position in known if position.contracts < 0}
        if not shorts <= {position.symbol for position in trial.positions if position.contracts < 0}:
            raise CannotConnect("other_account", account.exchange)

    async def _put_to_use(self, account: Account, trial: Trial) -> Connected:
        warnings = _warnings(trial)
        if (await self._accounts.in_use(account.user_id)).id == account.id:
            return Connected(account, trial, warnings, in_use=True)
        if account.mode == "live":
            return Connected(account, trial, warnings, in_use=False, waits="live")
        try:
            await self._accounts.use(account.user_id, account.id)
        except CannotSwitch as refusal:
            return Connected(account, trial, warnings, in_use=False, waits=refusal.why)
        return Connected(account, trial, warnings, in_use=True)


def _warnings(trial: Trial) -> tuple[Warned, ...]:
    found: list[Warned] = []
    if trial.permissions.address_list is False:
        found.append("no_address_list")
    if trial.permissions.withdraw is None:
        found.append("permissions_unknown")
    if trial.hedge_mode:
        found.append("hedge_mode")
    if trial.permissions.europe:
        found.append("credits")
    return tuple(found)
