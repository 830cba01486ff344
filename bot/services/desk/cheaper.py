"""Whether the same protection would cost less: on another exchange of the same owner, or in another coin."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from bot.ports.errors import PortError
from bot.ports.records import PAPER, Account, AccountState
from bot.ports.store import Store
from bot.services.markets import Market, Markets
from bot.services.situation import Situation, Situations
from hedging.carry import expected_carry, round_trip
from hedging.errors import HedgingError
from hedging.market import Snapshot
from hedging.plan import HedgePlan

log = logging.getLogger(__name__)

HORIZON = timedelta(days=10)  # so far ahead what is settled of late says something
LEARNT_FROM = timedelta(days=40)
MONTH = timedelta(days=30)
FACTORS = ("BTC", "ETH")
WORTH = Decimal("0.2")  # of what is paid here: a smaller gain is not worth the trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """US dollars: what the short receives a month here and there (negative is paid), what moving costs, and what a
    month there saves after that."""

    here: Decimal
    there: Decimal
    moving: Decimal

    @property
    def saves(self) -> Decimal:
        return self.there - self.here - self.moving

    @property
    def pays(self) -> bool:
        return self.saves > WORTH * abs(self.here)

    def figures(self) -> dict[str, str]:
        """For the view, JSON-able."""
        return {name: str(getattr(self, name)) for name in ("here", "there", "moving", "saves")}


@dataclass(frozen=True, slots=True)
class Cheaper(Move):
    """To another account."""

    account: Account

    def record(self) -> dict[str, Any]:
        return {"exchange": self.account.exchange, "mode": self.account.mode, **self.figures()}


@dataclass(frozen=True, slots=True)
class Switch(Move):
    """To another factor for the coins without a perpetual, by this plan."""

    plan: HedgePlan

    def record(self) -> dict[str, Any]:
        return {"coin": self.plan.factor, **self.figures()}


async def cheaper(store: Store, markets: Markets, situation: Situation) -> Cheaper | None:
    """The best of the user's other accounts with the same kind of money, where it pays. An exchange that cannot be read
    now, lists not all of the contracts or has too little history is passed over."""
    short = _notionals(situation)
    others = [one for one in await store.accounts(situation.account.user_id) if _fits(one, situation.account)]
    if not short or not others:
        return None
    try:
        here = await _month(markets.of(situation.account), situation.snapshot, short)
    except (PortError, HedgingError) as failure:
        log.info("what funding costs user %d cannot be told: %s", situation.account.user_id, failure)
        return None

    async def at(account: Account) -> Cheaper | None:
        try:
            market = markets.of(account)
            snapshot = await market.snapshot()
            if not all(_is_there(symbol, snapshot) for symbol in short):
                return None
            there = await _month(market, snapshot, short)
        except (PortError, HedgingError) as failure:
            log.info("%s is not compared: %s", account.exchange, failure)
            return None
        moving = _moving(short, situation.snapshot, snapshot)
        return Cheaper(account, here=here, there=there, moving=moving)

    found = [one for one in await asyncio.gather(*map(at, others)) if one is not None]
    best = max(found, key=lambda one: one.saves, default=None)
    return best if best is not None and best.pays else None


async def switch(situations: Situations, markets: Markets, situation: Situation) -> Switch | None:
    """Where it pays, and protects as much: coverage must come within the rule's band. May raise what reads raise."""
    rule, snapshot = situation.rule, situation.snapshot
    others = [factor for factor in FACTORS if factor != rule.factor]
    short = _notionals(situation)
    if not short or situation.own:  # what its owner sold by hand is not traded for another coin
        return None
    market = markets.of(situation.account)
    here = await _month(market, snapshot, short)
    found = []
    for factor in others:
        plan = (await situations.measured_against(situation, factor)).plan()
        if not plan.legs or abs(plan.after.coverage - rule.target) > rule.band:
            continue
        after = {**short} | {
            leg.symbol: abs(snapshot.contracts[leg.symbol].notional(leg.position_after, leg.mark_price))
            for leg in plan.legs
        }
        there = await _month(market, snapshot, {symbol: worth for symbol, worth in after.items() if worth})
        moving = sum(
            (
                round_trip(leg.notional, snapshot.contracts[leg.symbol], snapshot.quotes[leg.symbol]) / 2
                for leg in plan.legs
            ),
            Decimal(0),
        )
        found.append(Switch(plan, here=here, there=there, moving=moving))
    best = max(found, key=lambda one: one.saves, default=None)
    return best if best is not None and best.pays else None


def _fits(other: Account, current: Account) -> bool:
    usable = other.state is AccountState.ACTIVE and PAPER not in (other.exchange, current.exchange)
    return usable and other.mode == current.mode and other.exchange != current.exchange


def _is_there(symbol: str, snapshot: Snapshot) -> bool:
    """Whether it is quoted there, and is the same thing: another exchange may call a stock so."""
    contract = snapshot.contracts.get(symbol)
    return contract is not None and snapshot.fit(contract) == "same"


def _notionals(situation: Situation) -> Mapping[str, Decimal]:
    """Symbol -> US dollars short; what their owner sold by hand stays where it is."""
    listed, found = situation.snapshot.contracts, {}
    for position in situation.shorts:
        contracts = position.contracts - situation.own.get(position.symbol, Decimal(0))
        if position.symbol in listed and contracts < 0:
            found[position.symbol] = abs(listed[position.symbol].notional(contracts, position.mark_price))
    return found


async def _month(market: Market, snapshot: Snapshot, short: Mapping[str, Decimal]) -> Decimal:
    """What the shorts are expected to receive in a month at that market."""
    total = Decimal(0)
    for symbol, notional in short.items():
        settled = await market.settled_funding(symbol, since=snapshot.time - LEARNT_FROM)
        present = snapshot.funding.get(symbol)
        if present is None:
            continue
        hours = present.interval_hours  # what was settled at other intervals is reckoned to the present one
        rates = np.array([float(one.rate) * hours / one.interval_hours for one in settled])
        carry = expected_carry(rates, max(int(HORIZON / timedelta(hours=hours)), 1))
        total += notional * Decimal(str(carry.mean)) * Decimal(MONTH / HORIZON)
    return total


def _moving(short: Mapping[str, Decimal], here: Snapshot, there: Snapshot) -> Decimal:
    """Closing here and opening there: half a round trip at each."""
    return sum(
        (
            round_trip(notional, at.contracts[symbol], at.quotes[symbol]) / 2
            for symbol, notional in short.items()
            for at in (here, there)
        ),
        Decimal(0),
    )
