"""Keys that an exchange does not let in any more: a few probes, then nothing is asked or sent with them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from bot.exchange.ccxt_clients import CredentialsOf
from bot.ports.clock import Clock
from bot.ports.errors import KeyRefused, KeyUnusable, PortError, Rejected
from bot.ports.exchange import Exchange, FundingPayment, MarginMode, TradeFill
from bot.ports.records import Account, AccountState, Balance, Order, OrderReport, OutboxItem
from bot.ports.store import KeyStore
from bot.ports.vault import Credentials, NoCredentials, Tampered, VaultError
from hedging.portfolio import Position

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_PROBES = 3  # refusals in a row until the account is suspended


@dataclass(slots=True)
class _Doubts:
    """What is known of one account's key in this process."""

    refused: int = 0
    under_way: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def release(self) -> None:
        self.under_way -= 1
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)
        self.waiting.clear()


class Probation:
    """bot.ports.exchange.Exchange around another one.

    Refusals of a key are counted in the database, over restarts and replicas. As many calls of an account are under
    way as its key may still be refused: the third refusal in a row suspends it, and its owner is told once.
    """

    def __init__(self, exchange: Exchange, store: KeyStore, clock: Clock) -> None:
        self._exchange, self._store, self._clock = exchange, store, clock
        self._doubts: dict[tuple[int, int], _Doubts] = {}  # by account and number of its key
        self.name = exchange.name

    async def positions(self, account: Account) -> Sequence[Position]:
        return await self._ask(account, lambda: self._exchange.positions(account))

    async def balance(self, account: Account) -> Balance:
        return await self._ask(account, lambda: self._exchange.balance(account))

    async def find_order(self, account: Account, symbol: str, client_id: str) -> OrderReport | None:
        return await self._ask(account, lambda: self._exchange.find_order(account, symbol, client_id))

    async def quiet(self, account: Account, symbol: str, since: datetime) -> bool:
        return await self._ask(account, lambda: self._exchange.quiet(account, symbol, since))

    async def fills(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        return await self._ask(account, lambda: self._exchange.fills(account, symbol, since))

    async def forced_closes(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        return await self._ask(account, lambda: self._exchange.forced_closes(account, symbol, since))

    async def funding_paid(
        self, account: Account, symbol: str, since: datetime, until: datetime
    ) -> Sequence[FundingPayment]:
        return await self._ask(account, lambda: self._exchange.funding_paid(account, symbol, since, until))

    async def listed(self, account: Account, symbol: str) -> bool:
        return await self._exchange.listed(account, symbol)

    def names_forced_closes(self, account: Account) -> bool:
        return self._exchange.names_forced_closes(account)

    async def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        await self._send(account, lambda: self._exchange.set_leverage(account, symbol, leverage))

    async def positions_in(self, account: Account, symbol: str) -> Sequence[Position]:
        return await self._ask(account, lambda: self._exchange.positions_in(account, symbol))

    async def read_ahead(self, account: Account, symbol: str) -> Sequence[Position]:
        return await self._ask(account, lambda: self._exchange.read_ahead(account, symbol))

    async def set_margin_mode(self, account: Account, symbol: str, mode: MarginMode) -> None:
        await self._send(account, lambda: self._exchange.set_margin_mode(account, symbol, mode))

    async def place(self, account: Account, order: Order) -> OrderReport:
        return await self._send(account, lambda: self._exchange.place(account, order))

    def settles_within(self, account: Account) -> timedelta:
        return self._exchange.settles_within(account)

    async def _send(self, account: Account, work: Callable[[], Awaitable[T]]) -> T:
        """A write: what is not sent was refused for good."""
        try:
            return await self._ask(account, work)
        except KeyRefused as refused:
            raise Rejected(f"Nothing was sent: {refused}", "key") from None

    async def _ask(self, account: Account, work: Callable[[], Awaitable[T]]) -> T:
        doubts = await self._turn(account)
        try:
            result = await work()
            if doubts.refused:
                await self._forget(account, doubts)
            return result
        except KeyRefused:
            await self._count(account, doubts)
            raise
        except Rejected as refused:
            if refused.code == "key":
                await self._count(account, doubts)
            raise
        finally:
            doubts.release()
            if not (doubts.under_way or doubts.refused):
                self._doubts.pop((account.id, account.key_number), None)

    async def _turn(self, account: Account) -> _Doubts:
        """Wait until one more refusal would not be one too many. Raises KeyRefused when it would for good."""
        if account.state is not AccountState.ACTIVE:
            raise _not_let_in(account)
        doubts = self._doubts.setdefault((account.id, account.key_number), _Doubts())
        doubts.refused = max(doubts.refused, account.refusals)
        while doubts.under_way >= MOST_PROBES - doubts.refused:
            if not doubts.under_way:
                raise _not_let_in(account)
            waiter = asyncio.get_running_loop().create_future()
            doubts.waiting.append(waiter)
            await waiter
        doubts.under_way += 1
        return doubts

    async def _forget(self, account: Account, doubts: _Doubts) -> None:
        doubts.refused = 0
        try:
            await self._store.forget_refusals(account)
        except PortError as failure:  # an order that went through is not unclear because of this
            log.warning("refusals of the key of account %d are still counted: %s", account.id, failure)

    async def _count(self, account: Account, doubts: _Doubts) -> None:
        try:
            news = await self._news(account)
            counted = await self._store.count_refusal(account, most=MOST_PROBES, outbox=news)
        except PortError as failure:  # what the exchange said counts more than that it was not written down
            log.warning("a refusal of the key of account %d was not counted: %s", account.id, failure)
            doubts.refused += 1
            return
        doubts.refused = counted.refusals
        if counted.state is AccountState.SUSPENDED:
            log.warning("account %d is suspended: its key is not let in any more", account.id)

    async def _news(self, account: Account) -> OutboxItem | None:
        user = await self._store.user(account.user_id)
        now = self._clock.now()
        if user is None:
            return None
        return OutboxItem(
            key=f"key_refused:{account.id}:{now.isoformat()}",
            user_id=user.id,
            chat_id=user.chat_id,
            kind="key_refused",
            payload={"exchange": account.exchange, "mode": account.mode},
            created_at=now,
        )


def usable(credentials: CredentialsOf) -> CredentialsOf:
    """The same credentials, with the vault's failures as the exchange's users know them: KeyUnusable."""

    async def opened(account: Account) -> Credentials:
        try:
            return await credentials(account)
        except NoCredentials as failure:
            raise KeyUnusable(str(failure), "missing") from None
        except Tampered as failure:
            raise KeyUnusable(str(failure), "damaged") from None
        except VaultError as failure:
            raise KeyUnusable(str(failure), "locked") from None

    return opened


def _not_let_in(account: Account) -> KeyRefused:
    return KeyRefused(f"The key of account {account.id} is not let in any more.")
