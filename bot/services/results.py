"""What somebody's hedge has made or cost since it began, and what their coins did meanwhile."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bot.ports.errors import PortError
from bot.ports.exchange import Exchange, FundingPayment
from bot.ports.records import Account, Attempt, Proposal
from bot.ports.store import Store
from bot.services.markets import Markets
from bot.services.situation import Situation
from hedging.assets import STABLECOINS
from hedging.market import Snapshot
from hedging.money import ZERO
from hedging.portfolio import Holding

log = logging.getLogger(__name__)

TOLD_AFTER = timedelta(minutes=5)  # by then an exchange lists what it has settled
MOST_KNOWN = 50_000
_MOMENT = timedelta(milliseconds=1)  # exchanges tell time no finer
SECONDS = 5.0  # at a glance: other messages wait behind it


@dataclass(frozen=True, slots=True)
class Result:
    """US dollars that somebody made since their hedge began (`since`, market time): without it, and with it."""

    unhedged: Decimal
    hedged: Decimal
    since: datetime

    @property
    def hedge(self) -> Decimal:
        return self.hedged - self.unhedged


@dataclass(frozen=True, slots=True)
class Trade:
    """Signed contracts at a price. `fee` in quote units."""

    contracts: Decimal
    price: Decimal
    fee: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Funded:
    """Received less paid, by asset, as of the settlement at `settled`; what was settled at `next` or later is not in
    it."""

    amounts: Mapping[str, Decimal]
    settled: datetime
    next: datetime


async def hedge_began(store: Store, user_id: int) -> Proposal | None:
    """The proposal that opened the present hedge: the latest settled one that started from no short at all."""
    for proposal in await store.latest_proposals(user_id):
        if proposal.purpose == "hedge" and proposal.outcome.get("status") != "nothing":
            return proposal
    return None


def of_the_coins(began: Proposal, holdings: Sequence[Holding], snapshot: Snapshot) -> Decimal | None:
    """US dollars that the holdings made since the hedge began, at their present amounts, by the change of price since
    then; coins added later do not count. None when it is not known what they cost then."""
    then: Mapping[str, str] | None = began.outcome.get("prices")
    if then is None:
        return None
    spot = snapshot.spot
    held = [h for h in holdings if h.asset in then and h.asset in spot]
    return sum((h.amount * (spot[h.asset] - Decimal(then[h.asset])) for h in held), ZERO)


class Results:
    """Counts a hedge by its own trades and funding. The account's equity would not do: it also moves with deposits and
    with the price of coins that are collateral."""

    def __init__(self, store: Store, exchange: Exchange, markets: Markets) -> None:
        self._store = store
        self._exchange = exchange
        self._markets = markets
        self._funding: dict[tuple[int, str, datetime], Funded] = {}

    async def at_a_glance(self, user_id: int) -> Decimal | None:
        """US dollars that the hedge has made, at the prices that were read last."""
        began = await hedge_began(self._store, user_id)
        account = await self._store.account(began.account_id) if began is not None else None
        snapshot = self._markets.of(account).latest if account is not None else None
        if began is None or account is None or snapshot is None:
            return None
        try:
            async with asyncio.timeout(SECONDS):
                return await self.of_the_hedge(began, account, snapshot)
        except TimeoutError:
            log.info("what the hedge of user %d has made is not known in time", user_id)
            return None

    async def of_both(self, situation: Situation) -> Result | None:
        """None when there is no hedge, or when something of it is not known now."""
        began = await hedge_began(self._store, situation.account.user_id)
        if began is None:
            return None
        made = await self.of_the_hedge(began, situation.account, situation.snapshot)
        unhedged = of_the_coins(began, situation.holdings, situation.snapshot)
        if made is None or unhedged is None:
            return None
        return Result(unhedged, unhedged + made, began.plan.quoted_at)

    async def of_the_hedge(self, began: Proposal, account: Account, snapshot: Snapshot) -> Decimal | None:
        """US dollars: every trade from its price to the present mark, also those that closed something again, less
        fees, and the funding of its contracts. None when something of it is not known now.

        What the exchange or the account's owner traded in the same contracts counts too.
        """
        if account.id != began.account_id:
            return None
        since, total = began.plan.quoted_at, ZERO
        for symbol, trades in (await self._trades(began, account)).items():
            made = _made(trades, symbol, snapshot)
            funding = await self._funded(account, symbol, since, snapshot)
            if made is None or funding is None:
                return None
            total += made + funding
        return total

    async def _trades(self, began: Proposal, account: Account) -> dict[str, list[Trade | None]]:
        """By symbol; None: one whose price nobody told."""
        found: dict[str, list[Trade | None]] = {}
        for order in await self._store.orders_of(account.id):
            if order.filled and began.confirmed_at is not None and order.created_at >= began.confirmed_at:
                found.setdefault(order.symbol, []).append(_trade(order))
        for symbol, trades in found.items():
            for change in await self._store.position_changes(account.id, symbol):
                if change.contracts and change.kind != "found" and change.at >= began.plan.quoted_at:
                    trades.append(None if change.price is None else Trade(change.contracts, change.price))
        return found

    async def _funded(
        self, account: Account, symbol: str, since: datetime, snapshot: Snapshot
    ) -> Decimal | None:
        """Received less paid, in US dollars. Asked for once after every settlement; what cannot be read anew is as it
        was known last."""
        key, settled = (account.id, symbol, since), _last_settlement(symbol, snapshot)
        known = self._funding.get(key)
        if known is None or known.settled != settled:
            start = since if known is None else known.next
            try:
                payments = await self._exchange.funding_paid(account, symbol, start, snapshot.time)
            except PortError as failure:
                log.info("the funding of %s on account %d is not known now: %s", symbol, account.id, failure)
            else:
                if len(self._funding) >= MOST_KNOWN:
                    self._funding.clear()
                known = self._funding[key] = _with(known, payments, start, settled)
        if known is None:
            return None
        return sum((amount * _dollars(asset, snapshot) for asset, amount in known.amounts.items()), ZERO)


def _with(
    known: Funded | None, payments: Sequence[FundingPayment], start: datetime, settled: datetime
) -> Funded:
    amounts = dict(known.amounts) if known is not None else {}
    for payment in payments:
        amounts[payment.asset] = amounts.get(payment.asset, ZERO) + payment.amount
    following = max((payment.time for payment in payments), default=start - _MOMENT) + _MOMENT
    return Funded(amounts, settled, following)


def _trade(order: Attempt) -> Trade | None:
    signed = order.filled if order.side == "buy" else -order.filled
    return None if order.average_price is None else Trade(signed, order.average_price, order.fee)


def _made(trades: Sequence[Trade | None], symbol: str, snapshot: Snapshot) -> Decimal | None:
    """US dollars from each trade to the present mark, less fees."""
    contract, quote, total = snapshot.contracts.get(symbol), snapshot.quotes.get(symbol), ZERO
    known = [trade for trade in trades if trade is not None]
    if contract is None or quote is None or len(known) < len(trades):
        return None
    for trade in known:
        gain = contract.profit(trade.contracts, trade.price, quote.mark)
        total += gain * _dollars(contract.settle, snapshot) - trade.fee
    return total


def _dollars(asset: str, snapshot: Snapshot) -> Decimal:
    return Decimal(1) if asset in STABLECOINS else snapshot.spot.get(asset, ZERO)


def _last_settlement(symbol: str, snapshot: Snapshot) -> datetime:
    """When funding was settled last (market time), or the last full hour where that is not known."""
    told = snapshot.time - TOLD_AFTER
    funding = snapshot.funding.get(symbol)
    if funding is None:
        return told.replace(minute=0, second=0, microsecond=0)
    every = timedelta(hours=funding.interval_hours)
    return funding.next_time - every * -(-(funding.next_time - told) // every)
