"""What keeps this installation from working, a line each, with what to do about it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.ports.clock import Clock
from bot.ports.errors import KeyRefused, PortError
from bot.ports.exchange import Connections, Offer
from bot.ports.records import Account, AccountState
from bot.ports.store import Store
from bot.ports.vault import Vault, VaultError
from bot.services.key_looks import days_left, look_of
from hedging.assets import KNOWN, Alias
from hedging.errors import BadInput

CLOCK_TOLERANCE = timedelta(seconds=1)  # exchanges refuse what is 1 s ahead or some seconds behind
SOON = 14  # days before a key ends
PATIENCE = 20.0  # seconds for one exchange


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at; `said` tells how it is and, where it is not well, what to do."""

    what: str
    well: bool
    said: str


class Checkup:
    """`greet` reaches Telegram with the token: the bot's name there. Raises PortError. `coins` reads what coins really
    are. Raises BadInput. `webhook`: what is wrong with the address for webhooks; None where there is none."""

    def __init__(
        self,
        greet: Callable[[], Awaitable[str]],
        store: Store,
        vault: Vault,
        connections: Connections,
        coins: Callable[[], Mapping[str, Alias]],
        clock: Clock,
        *,
        webhook: str | None = None,
    ) -> None:
        self._clock = clock
        self._greet = greet
        self._store = store
        self._vault = vault
        self._connections = connections
        self._coins = coins
        self._webhook = webhook

    async def findings(self) -> list[Finding]:
        """Everything at once; nothing is changed anywhere."""
        offers = self._connections.offers
        own = await asyncio.gather(self._telegram(), self._database(), self._master_key())
        reached = await asyncio.gather(*map(self._exchange, offers))
        return [
            *own,
            *self._webhooks(),
            self._assets(),
            *(finding for finding, _ in reached),
            _clock([ahead for _, ahead in reached]),
            *await self._keys(),
        ]

    async def _telegram(self) -> Finding:
        try:
            return Finding("Telegram", True, f"the bot is @{await self._greet()}")
        except PortError as failure:
            return Finding("Telegram", False, str(failure))

    async def _database(self) -> Finding:
        try:
            await self._store.ping()
        except PortError as failure:
            return Finding(
                "Database", False, f"{failure} Check DATABASE_URL, or the data folder's disk and rights."
            )
        return Finding("Database", True, "it answers, and its tables are up to date")

    async def _master_key(self) -> Finding:
        try:
            trouble = await self._vault.read_only()
        except (VaultError, PortError) as failure:
            return Finding("Master key", False, str(failure))
        return Finding("Master key", not trouble, trouble or "exchange keys can be sealed and opened")

    def _webhooks(self) -> list[Finding]:
        if self._webhook is None:
            return []
        return [Finding("Webhook", not self._webhook, self._webhook or "address, secret and port are given")]

    def _assets(self) -> Finding:
        try:
            known = self._coins()
        except BadInput as failure:
            return Finding("Coins", False, str(failure))
        own = sum(KNOWN.get(name) != alias for name, alias in known.items())
        named = f"{len(known)} names of wrapped, staked and renamed ones are known"
        return Finding("Coins", True, f"{named}, {own} of them from HEDGEHOG_ASSETS" if own else named)

    async def _exchange(self, offer: Offer) -> tuple[Finding, timedelta | None]:
        try:
            async with asyncio.timeout(PATIENCE):
                ahead = await self._connections.clock_ahead(offer.name)
        except (PortError, TimeoutError) as failure:
            why = str(failure) or f"no answer within {PATIENCE:g} s"
            return Finding(
                offer.title, False, f"{why} Check this machine's network; from some countries it is closed."
            ), None
        return Finding(offer.title, True, "reached"), ahead

    async def _keys(self) -> list[Finding]:
        try:
            sealed = await self._vault.sealed()
        except PortError as failure:
            return [Finding("Accounts", False, f"they cannot be listed: {failure}")]
        return list(await asyncio.gather(*(self._key(one.account) for one in sealed)))

    async def _key(self, account: Account) -> Finding:
        what = f"Account {account.id} ({account.exchange}, {account.mode})"
        if account.state is not AccountState.ACTIVE:
            return Finding(what, False, f"{account.state}: its owner has to /connect it again")
        try:
            async with asyncio.timeout(PATIENCE):
                may = await self._connections.permissions(account)
        except KeyRefused as refused:
            return Finding(what, False, f"{refused} Its owner has to /connect it again.")
        except (PortError, VaultError, TimeoutError) as failure:
            return Finding(what, False, str(failure) or f"no answer within {PATIENCE:g} s")
        if may.withdraw:
            return Finding(
                what, False, "its key can withdraw: its owner should make one that cannot, and /connect that"
            )
        if may.futures is False:
            return Finding(
                what, False, "its key may not trade futures: its owner has to tick that on the exchange"
            )
        look = look_of(account, may, None, self._clock.now())
        days = days_left(look, self._clock.now())
        if days is not None and days <= SOON:
            return Finding(what, False, f"its key ends in {days} days: its owner should /connect a new one")
        ends = f" and ends in {days} days" if days is not None else ""
        if may.address_list is False:
            return Finding(
                what, True, f"its key trades{ends}; it would be safer bound to this server's address"
            )
        return Finding(
            what,
            True,
            f"its key trades futures{ends} and cannot withdraw"
            if may.withdraw is False
            else f"its key works{ends}",
        )


def _clock(told: list[timedelta | None]) -> Finding:
    """By the middle of what the exchanges say."""
    known = sorted(ahead for ahead in told if ahead is not None)
    if not known:
        return Finding("Clock", False, "no exchange told its time, so it could not be compared")
    ahead = known[len(known) // 2].total_seconds()
    way = "ahead of" if ahead > 0 else "behind"
    if abs(ahead) > CLOCK_TOLERANCE.total_seconds():
        return Finding(
            "Clock",
            False,
            f"it is {abs(ahead):.1f} s {way} the exchanges'; let it be set by NTP, or they refuse orders",
        )
    return Finding("Clock", True, f"{abs(ahead):.2f} s {way} the exchanges'")
