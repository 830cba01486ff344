"""The attempt ledger: one order, sent at most once.

RESERVED -> SENDING (committed before the socket is touched) -> ACKED | PARTIAL | FILLED | CANCELLED | REJECTED or
UNKNOWN.
UNKNOWN -> RECONCILING -> ACKED | FILLED | CANCELLED | ABSENT | MANUAL.
Whoever finds an attempt at SENDING after a crash reads it as UNKNOWN: it is looked up by our id and never sent again.
"""

import hashlib
import logging
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.ports.clock import Clock
from bot.ports.errors import Ambiguous, KeyRefused, Rejected, StaleVersion, SymbolBusy, Unavailable
from bot.ports.exchange import Exchange
from bot.ports.records import (
    PREFIX,
    TERMINAL,
    Account,
    Attempt,
    AttemptState,
    Order,
    OrderReport,
    Proposal,
)
from bot.ports.store import Store
from hedging.money import ZERO
from hedging.plan import Leg
from hedging.portfolio import Position

log = logging.getLogger(__name__)

TAP_LASTS = timedelta(minutes=2)  # what was not sent so long after the tap is not sent any more
LEAVES_WITHIN = timedelta(seconds=5)  # of its commit, or not at all; `settles_within` counts on it
LEVERAGE_PAUSES = (0.5, 2.0)  # seconds before a leverage whose setting is unclear is set again
LOOKUPS_FOR_ABSENCE = 3
GIVE_UP_AFTER = timedelta(minutes=10)  # an order nobody can find or rule out by then is a person's to settle


def client_id(proposal_id: str, leg: int, number: int) -> str:
    """Our id on an order: the prefix and lower-case base32 of a hash, 28 characters in all, never used twice."""
    digest = hashlib.sha256(f"{proposal_id}/{leg}/{number}".encode()).digest()
    return (PREFIX + b32encode(digest).decode().lower())[:28]


class Attempts:
    """Each method is a step of the durable workflow: it may run again after a crash, at any point of an earlier run."""

    def __init__(self, store: Store, exchange: Exchange, clock: Clock) -> None:
        self._store = store
        self._exchange = exchange
        self._clock = clock

    async def reserve(self, proposal: Proposal, account: Account, index: int, number: int) -> Attempt | None:
        """Take the account and symbol for this leg. None while another order there is open or unknown, and when another
        worker has settled the card."""
        leg = proposal.plan.legs[index]
        now = self._clock.now()
        attempt = Attempt(
            client_id=client_id(proposal.id, index, number),
            proposal_id=proposal.id,
            leg=index,
            number=number,
            account_id=account.id,
            symbol=leg.symbol,
            side=leg.side,
            contracts=leg.contracts,
            limit_price=leg.limit_price,
            reduce_only=leg.reduce_only,
            leverage=leg.leverage,
            position_before=ZERO,  # read just before the order is sent
            state=AttemptState.RESERVED,
            created_at=now,
            updated_at=now,
        )
        try:
            return await self._store.reserve(attempt)
        except (SymbolBusy, StaleVersion):
            return None

    async def send(self, attempt: Attempt, account: Account, tapped_at: datetime) -> Attempt:
        """Send the order if it was never tried; otherwise only say where it stands."""
        if attempt.state is AttemptState.SENDING:  # an earlier life got this far and no further
            return await self._move(attempt, AttemptState.UNKNOWN, reason="cut off while sending")
        if attempt.state is not AttemptState.RESERVED:
            return attempt
        if self._clock.now() - tapped_at > TAP_LASTS:
            return await self._move(attempt, AttemptState.REJECTED, reason="too_late")
        try:
            held = await self._exchange.read_ahead(account, attempt.symbol)
        except Unavailable as failure:
            log.warning("order %s is not sent: %s", attempt.client_id, failure)
            reason = "key" if isinstance(failure, KeyRefused) else "unavailable"
            return await self._move(attempt, AttemptState.REJECTED, reason=reason)
        short = sum((-p.contracts for p in held if p.contracts < 0), ZERO)
        amount = min(attempt.contracts, short) if attempt.reduce_only else attempt.contracts
        refusal = "reduce_only" if not amount else await self._prepare(attempt, account, held)
        if not refusal and self._clock.now() - tapped_at > TAP_LASTS:  # a slow exchange takes its time
            refusal = "too_late"
        if refusal:
            return await self._move(attempt, AttemptState.REJECTED, reason=refusal)
        try:
            now = self._clock.now()
            sending = await self._store.transition(
                attempt, AttemptState.SENDING, at=now, position_before=-short
            )
        except StaleVersion:  # another worker has taken it, and may be sending it just now
            return await self._standing(attempt)
        order = Order(
            client_id=attempt.client_id,
            symbol=attempt.symbol,
            side=attempt.side,
            contracts=amount,
            limit_price=attempt.limit_price,
            reduce_only=attempt.reduce_only,
            not_after=sending.updated_at + LEAVES_WITHIN,
        )
        try:
            report = await self._exchange.place(account, order)
        except Rejected as refused:
            reason = refused.code or str(refused)
            if reason == "reduce_only" and await self._still_short(attempt, account):
                reason = "still_open"
            return await self._move(sending, AttemptState.REJECTED, reason=reason)
        except Ambiguous as unclear:
            log.warning("order %s is ambiguous: %s", attempt.client_id, unclear)
            return await self._move(sending, AttemptState.UNKNOWN, reason=str(unclear))
        return await self._note(sending, report)

    async def look(self, attempt: Attempt, account: Account) -> Attempt:
        """Ask the exchange for the order by our id, and settle what can be settled."""
        if attempt.state in TERMINAL:
            return attempt
        if attempt.state is AttemptState.RESERVED:
            return attempt
        now = self._clock.now()
        sent_at = await self._sent_at(attempt)
        try:
            report = await self._exchange.find_order(account, attempt.symbol, attempt.client_id)
            if report is not None:
                return await self._note(attempt, report)
            unmoved = await self._short(
                account, attempt.symbol
            ) == attempt.position_before and await self._exchange.quiet(account, attempt.symbol, sent_at)
        except Unavailable as failure:
            log.info("order %s cannot be looked up now: %s", attempt.client_id, failure)
            report, unmoved = None, None
        lookups = attempt.lookups + (unmoved is not None)
        waited = now - sent_at
        sought = lookups >= LOOKUPS_FOR_ABSENCE and waited > self._exchange.settles_within(account)
        if unmoved and sought and not attempt.order_id:  # what was acknowledged is there, seen or not
            return await self._move(attempt, AttemptState.ABSENT, lookups=lookups, reason="never arrived")
        if waited > GIVE_UP_AFTER:
            return await self._move(attempt, AttemptState.MANUAL, lookups=lookups, reason="check_by_hand")
        return await self._move(attempt, AttemptState.RECONCILING, lookups=lookups)

    async def _prepare(self, attempt: Attempt, account: Account, held: Sequence[Position]) -> str:
        """Set the margin mode, where no position has one yet, and the leverage; why nothing may be sent, or an empty
        text. What is set for a symbol holds for every position in it: under one that its owner opened, nothing is."""
        if attempt.reduce_only:
            return ""
        if any(p.contracts > 0 and not p.beside for p in held):
            return "own_long"
        book = await self._store.book(account.id) if held else None
        known = book.shorts.get(attempt.symbol) if book else None
        if any(p.contracts > 0 for p in held) or (known is not None and known.own):
            return ""
        for pause in (*LEVERAGE_PAUSES, None):
            try:
                if not held:
                    await self._exchange.set_margin_mode(account, attempt.symbol, "cross")
                await self._exchange.set_leverage(account, attempt.symbol, attempt.leverage)
                return ""
            except Rejected as refused:
                return refused.code or str(refused)
            except Ambiguous as unclear:  # setting it twice is harmless, sending an order on a guess is not
                log.warning("leverage of %s is unclear: %s", attempt.symbol, unclear)
                if pause is not None:
                    await self._clock.sleep(pause)
        return "leverage_unknown"

    async def _note(self, attempt: Attempt, report: OrderReport) -> Attempt:
        state = {
            "filled": AttemptState.FILLED,
            "cancelled": AttemptState.CANCELLED,
            "open": AttemptState.PARTIAL if report.filled else AttemptState.ACKED,
        }[report.status]
        return await self._move(
            attempt,
            state,
            order_id=report.order_id,
            filled=report.filled,
            average_price=report.average_price,
            fee=report.fee,
        )

    async def _move(self, attempt: Attempt, to: AttemptState, **changes: Any) -> Attempt:
        """Move on; when another worker was quicker, what it made of the attempt stands."""
        try:
            return await self._store.transition(attempt, to, at=self._clock.now(), **changes)
        except StaleVersion:
            return await self._standing(attempt)

    async def _standing(self, attempt: Attempt) -> Attempt:
        """What another worker made of it."""
        current = await self._store.attempt(attempt.client_id)
        if current is None:
            raise StaleVersion(f"The attempt {attempt.client_id} is gone.")
        log.info("attempt %s was moved to %s by another worker", attempt.client_id, current.state)
        return current

    async def _short(self, account: Account, symbol: str) -> Decimal:
        """Signed contracts; never positive."""
        held = await self._exchange.positions(account)
        return sum((p.contracts for p in held if p.symbol == symbol and p.contracts < 0), ZERO)

    async def _still_short(self, attempt: Attempt, account: Account) -> bool:
        """After a refusal to reduce: whether there is something left to close, as far as that can be told now."""
        try:
            return bool(await self._short(account, attempt.symbol))
        except Unavailable:
            return False

    async def _sent_at(self, attempt: Attempt) -> datetime:
        for state, at in await self._store.events(attempt.client_id):
            if state is AttemptState.SENDING:
                return at
        return attempt.created_at


def unsent(leg: Leg, index: int, reason: str) -> dict[str, Any]:
    """How the receipt tells of a leg for which no order was made."""
    return {
        "leg": index,
        "symbol": leg.symbol,
        "side": leg.side,
        "contracts": str(leg.contracts),
        "limit_price": str(leg.limit_price),
        "filled": "0",
        "average_price": None,
        "fee": "0",
        "state": AttemptState.REJECTED.value,
        "reason": reason,
        "order_id": None,
    }
