"""The attempt ledger: one order, sent at most once.

RESERVED -> SENDING (committed before the socket is touched) -> ACKED | PARTIAL | FILLED | CANCELLED | REJECTED or
UNKNOWN.
UNKNOWN -> RECONCILING -> ACKED | FILLED | CANCELLED | REJECTED | ABSENT | MANUAL.
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
from bot.services.footing import footing, short_of
from hedging.money import ZERO
from hedging.plan import Leg, LegPart
from hedging.portfolio import Position

log = logging.getLogger(__name__)

TAP_LASTS = timedelta(minutes=2)  # what was not sent so long after the tap is not sent any more
LEAVES_WITHIN = timedelta(seconds=5)  # of its commit, or not at all; `settles_within` counts on it
LEVERAGE_PAUSES = (0.5, 2.0)  # seconds before a leverage whose setting is unclear is set again
LOOKUPS_FOR_ABSENCE = 3
REFUSED_AFTER = timedelta(seconds=5)  # what was answered with an error is not on its way any more
GIVE_UP_AFTER = timedelta(minutes=10)  # an order nobody can find or rule out by then is a person's to settle


# How the reason begins of an attempt that was answered with a code: of an error after which nothing stands as far as
# anybody knows, of one after which something may, and of a refusal to set leverage or margin mode.
REFUSED, UNCLEAR, SETTING = "refused:", "unclear:", "setting:"


def client_id(proposal_id: str, leg: int, number: int) -> str:
    """Our id on an order: the prefix and lower-case base32 of a hash, 28 characters in all, never used twice. `leg`:
    the order's place among those of its plan."""
    digest = hashlib.sha256(f"{proposal_id}/{leg}/{number}".encode()).digest()
    return (PREFIX + b32encode(digest).decode().lower())[:28]


class Attempts:
    """Each method is a step of the durable workflow: it may run again after a crash, at any point of an earlier run."""

    def __init__(self, store: Store, exchange: Exchange, clock: Clock) -> None:
        self._store = store
        self._exchange = exchange
        self._clock = clock

    async def reserve(self, proposal: Proposal, account: Account, index: int, number: int) -> Attempt | None:
        """Take the account and symbol for the order at this place of the plan. None while another order there is open
        or unknown, and when another worker has settled the card."""
        order = proposal.plan.orders[index]
        leg = proposal.plan.legs[order.leg]
        now = self._clock.now()
        attempt = Attempt(
            client_id=client_id(proposal.id, index, number),
            proposal_id=proposal.id,
            leg=index,
            number=number,
            account_id=account.id,
            symbol=leg.symbol,
            side=leg.side,
            contracts=order.contracts,
            limit_price=leg.limit_price,
            reduce_only=leg.reduce_only,
            leverage=leg.leverage,
            position_before=await self._expected(
                proposal, order, number
            ),  # until it is read before the order
            state=AttemptState.RESERVED,
            created_at=now,
            updated_at=now,
        )
        try:
            return await self._store.reserve(attempt)
        except (SymbolBusy, StaleVersion):
            return None

    async def send(self, attempt: Attempt, account: Account, leg: Leg, tapped_at: datetime) -> Attempt:
        """Send the order if it was never tried; otherwise only say where it stands."""
        if attempt.state is AttemptState.SENDING:  # an earlier life got this far and no further
            return await self._move(attempt, AttemptState.UNKNOWN, reason="cut off while sending")
        if attempt.state is not AttemptState.RESERVED:
            return attempt
        if self._clock.now() - tapped_at > TAP_LASTS:
            return await self._move(attempt, AttemptState.REJECTED, reason="too_late")
        try:
            found = await footing(self._exchange, self._clock, attempt, account, leg)
        except Unavailable as failure:
            log.warning("order %s is not sent: %s", attempt.client_id, failure)
            reason = "key" if isinstance(failure, KeyRefused) else "unavailable"
            return await self._move(attempt, AttemptState.REJECTED, reason=reason)
        refusal = found.refusal or await self._prepare(attempt, account, found.held)
        if not refusal and self._clock.now() - tapped_at > TAP_LASTS:  # a slow exchange takes its time
            refusal = "too_late"
        if refusal:
            return await self._move(attempt, AttemptState.REJECTED, reason=refusal)
        try:
            now = self._clock.now()
            sending = await self._store.transition(
                attempt, AttemptState.SENDING, at=now, position_before=-found.short
            )
        except StaleVersion:  # another worker has taken it, and may be sending it just now
            return await self._standing(attempt)
        order = Order(
            client_id=attempt.client_id,
            symbol=attempt.symbol,
            side=attempt.side,
            contracts=found.amount,
            limit_price=attempt.limit_price,
            reduce_only=attempt.reduce_only,
            not_after=sending.updated_at + LEAVES_WITHIN,
        )
        try:
            report = await self._exchange.place(account, order)
        except Rejected as refused:
            reason = _refusal(refused, REFUSED)
            if reason == "reduce_only" and await self._still_short(attempt, account):
                reason = "still_open"
            return await self._move(sending, AttemptState.REJECTED, reason=reason)
        except Ambiguous as unclear:
            log.warning("order %s is ambiguous: %s", attempt.client_id, unclear)
            return await self._move(sending, AttemptState.UNKNOWN, reason=_doubt(unclear))
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
        answered = attempt.reason.startswith(REFUSED)
        long_enough = REFUSED_AFTER if answered else self._exchange.settles_within(account)
        sought = lookups >= LOOKUPS_FOR_ABSENCE and waited > long_enough
        if unmoved and sought and not attempt.order_id:  # what was acknowledged is there, seen or not
            coded = answered or attempt.reason.startswith(UNCLEAR)
            return await self._move(
                attempt,
                AttemptState.REJECTED if answered else AttemptState.ABSENT,
                lookups=lookups,
                reason=attempt.reason if coded else "never arrived",
            )
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
                return _refusal(refused, SETTING)
            except Ambiguous as unclear:  # setting it twice is harmless, sending an order on a guess is not
                if unclear.refused and unclear.raw:
                    return SETTING + unclear.raw
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
        return -short_of(await self._exchange.positions_in(account, symbol), symbol)

    async def _expected(self, proposal: Proposal, order: LegPart, number: int) -> Decimal:
        """The position that this order is to meet: the plan's, and what earlier orders of the card made of it. Of those
        there are none before a leg's first try."""
        leg = proposal.plan.legs[order.leg]
        mine = await self._store.attempts(proposal.id) if order.number or number else ()
        filled = sum((one.filled for one in mine if one.symbol == leg.symbol), ZERO)
        return leg.position_before + (filled if leg.side == "buy" else -filled)

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


def _refusal(refused: Rejected, begins: str) -> str:
    """Our word for it, or the exchange's code where no word says more."""
    return begins + refused.raw if refused.code == "refused" and refused.raw else refused.code or str(refused)


def _doubt(unclear: Ambiguous) -> str:
    return (REFUSED if unclear.refused else UNCLEAR) + unclear.raw if unclear.raw else str(unclear)
