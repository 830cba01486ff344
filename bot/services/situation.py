"""Everything a plan for somebody is made from, read at one moment."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.ports.exchange import Exchange
from bot.ports.records import Account, Balance
from bot.ports.store import PeopleStore
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
    holdings: Sequence[Holding]
    positions: Sequence[Position]
    snapshot: Snapshot
    betas: Mapping[str, Estimate]
    balance: Balance

    def plan(self) -> HedgePlan:
        """The plan that brings coverage to the rule's target. Raises NothingToHedge."""
        return propose(
            rule=self.rule,
            holdings=self.holdings,
            positions=self.positions,
            snapshot=self.snapshot,
            betas=self.betas,
            free_collateral=self.balance.free,
            purpose="rebalance" if self.positions else "hedge",
        )

    def unwinding(self) -> HedgePlan:
        """The plan that closes every short."""
        return unwind(
            rule=self.rule,
            positions=self.positions,
            snapshot=self.snapshot,
            holdings=self.holdings,
            betas=self.betas,
        )

    def exposure(self) -> Exposure:
        """How exposed the holdings leave their owner after the shorts."""
        return exposure(self.holdings, self.positions, self.snapshot, self.betas, self.rule.factor)


class Situations:
    def __init__(self, people: PeopleStore, exchange: Exchange, markets: Markets, rules: Rules) -> None:
        self._people = people
        self._exchange = exchange
        self._markets = markets
        self._rules = rules

    async def of(self, user_id: int, *, fresh: bool = False) -> Situation:
        """How the user stands now; with `fresh` the market is read anew. Raises Unavailable."""
        account = await self._people.ensure_account(user_id, self._exchange.name, "paper")
        rule, holdings, snapshot = await asyncio.gather(
            self._rules.get(user_id), self._people.holdings(user_id), self._markets.snapshot(fresh=fresh)
        )
        return await self.at(account, rule, holdings, snapshot)

    async def at(
        self, account: Account, rule: HedgeRule, holdings: Sequence[Holding], snapshot: Snapshot
    ) -> Situation:
        """The same for what was read already: only the account itself is asked."""
        positions, balance = await asyncio.gather(
            self._exchange.positions(account), self._exchange.balance(account)
        )
        betas = await self._markets.betas_of(holdings, positions, rule.factor, snapshot)
        return Situation(account, rule, holdings, positions, snapshot, betas, balance)
