"""Everything a plan for somebody is made from, read at one moment."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bot.ports.books import Book
from bot.ports.exchange import Exchange
from bot.ports.records import Account, Balance
from bot.ports.store import Store
from bot.services.accounts import Accounts
from bot.services.markets import Markets
from bot.services.rules import Rules
from hedging.market import Snapshot
from hedging.plan import HedgePlan, exposure, propose, unwind
from hedging.portfolio import Exposure, Holding, Position
from hedging.ratio import Estimate
from hedging.rules import HedgeRule


@dataclass(frozen=True, slots=True)
class Situation:
    """Somebody's account, rule, holdings and shorts, and the market that they stand in."""

    account: Account
    rule: HedgeRule
    rule_version: int
    holdings: Sequence[Holding]
    positions: Sequence[Position]
    snapshot: Snapshot
    betas: Mapping[str, Estimate]
    balance: Balance
    book: Book | None = None  # what was known of the account's shorts at the last look

    @property
    def own(self) -> Mapping[str, Decimal]:
        """What was sold short by hand: signed contracts by symbol."""
        return self.book.own if self.book else {}

    @property
    def shorts(self) -> Sequence[Position]:
        """The positions that hedge; longs are their owner's own business."""
        return [position for position in self.positions if position.contracts < 0]

    def shorted(self) -> Sequence[str]:
        """The coins whose contracts are short, by name."""
        listed = self.snapshot.contracts
        return sorted({listed[p.symbol].base for p in self.shorts if p.symbol in listed})

    def plan(self, *, target: Decimal | None = None) -> HedgePlan:
        """The plan that brings coverage to the rule's target, or to another one. Raises NothingToHedge."""
        return propose(
            rule=self.rule if target is None else replace(self.rule, target=target),
            holdings=self.holdings,
            positions=self.positions,
            snapshot=self.snapshot,
            betas=self.betas,
            free_collateral=self.balance.free,
            purpose="rebalance" if self.shorts else "hedge",
            own=self.own,
            free_in=self.balance.free_in,
        )

    def unwinding(self, *, asset: str = "", share: Decimal = Decimal(1)) -> HedgePlan:
        """The plan that closes every short, or `share` of it, or only those in `asset`."""
        return unwind(
            rule=self.rule,
            positions=self.positions,
            snapshot=self.snapshot,
            holdings=self.holdings,
            betas=self.betas,
            own=self.own,
            asset=asset,
            share=share,
        )

    def marked(self) -> str:
        """Tells these holdings from any others."""
        held = sorted(f"{one.asset} {one.amount.normalize()}" for one in self.holdings)
        return hashlib.sha256("\n".join(held).encode()).hexdigest()[:16]

    def baseline(self) -> dict[str, Any]:
        """What a hedge is of and its profits are counted from, JSON-able: prices and amounts before its first order."""
        spot = self.snapshot.spot
        return {
            "prices": {h.asset: str(spot[h.asset]) for h in self.holdings if h.asset in spot},
            "amounts": {h.asset: str(h.amount) for h in self.holdings},
        }

    def exposure(self) -> Exposure:
        """How exposed the holdings leave their owner after the shorts."""
        return exposure(self.holdings, self.positions, self.snapshot, self.betas, self.rule.factor)


class Situations:
    def __init__(
        self, store: Store, accounts: Accounts, exchange: Exchange, markets: Markets, rules: Rules
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._exchange = exchange
        self._markets = markets
        self._rules = rules

    async def of(self, user_id: int, *, fresh: bool = False) -> Situation:
        """How the user stands now, on the account in use; with `fresh` the market is read anew. Raises Unavailable."""
        return await self.on(await self._accounts.in_use(user_id), fresh=fresh)

    async def on(self, account: Account, *, fresh: bool = False) -> Situation:
        """How its owner stands with this account: all of it is asked for at once."""
        market = self._markets.of(account)
        snapshot, positions, balance, book, rule, holdings = await asyncio.gather(
            market.snapshot(fresh=fresh),
            self._exchange.positions(account),
            self._exchange.balance(account),
            self._store.book(account.id),
            self._rules.kept(account.user_id),
            self._store.holdings(account.user_id),
        )
        betas = await market.betas_of(holdings, positions, rule.rule.factor, snapshot)
        return Situation(
            account, rule.rule, rule.version, holdings, positions, snapshot, betas, balance, book
        )

    async def measured_against(self, situation: Situation, factor: str) -> Situation:
        """The same with betas against another factor, under a rule that says so."""
        market = self._markets.of(situation.account)
        betas = await market.betas_of(situation.holdings, situation.positions, factor, situation.snapshot)
        return replace(situation, rule=replace(situation.rule, factor=factor), betas=betas)
