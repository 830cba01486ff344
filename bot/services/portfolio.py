"""What somebody holds, and what it is worth and exposed to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bot.ports.store import HoldingChange, PeopleStore
from bot.services.accounts import Accounts
from bot.services.errors import UnknownAssets
from bot.services.markets import Market, Markets
from bot.services.rules import Rules
from hedging.plan import exposure
from hedging.portfolio import Exposure, Holding


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """One coin. Price, cost (a unit) and value in US dollars; None where nothing is known."""

    asset: str
    amount: Decimal
    price: Decimal | None
    value: Decimal | None
    cost: Decimal | None
    beta: float | None


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """All holdings, largest first. `exposure` is before any hedge."""

    lines: tuple[HoldingLine, ...]
    value: Decimal
    exposure: Exposure
    factor: str
    market_time: datetime


class Portfolio:
    def __init__(self, people: PeopleStore, accounts: Accounts, rules: Rules, markets: Markets) -> None:
        self._people = people
        self._accounts = accounts
        self._rules = rules
        self._markets = markets

    async def change(self, user_id: int, changes: Sequence[HoldingChange], *, key: str) -> PortfolioView:
        """Apply all changes or, when a name is unknown to the market, none: UnknownAssets."""
        prices = (await (await self._market(user_id)).snapshot()).spot
        unknown = tuple(change.asset for change in changes if not change.clear and change.asset not in prices)
        if unknown:
            raise UnknownAssets(unknown)
        changed = await self._people.change_holdings(user_id, changes, key=key)
        return await self._view(user_id, changed.holdings)

    async def view(self, user_id: int) -> PortfolioView:
        """The holdings as they are valued now; no lines when nothing is held."""
        return await self._view(user_id, await self._people.holdings(user_id))

    async def known_assets(self, user_id: int) -> frozenset[str]:
        """Every name that has a price where the user trades."""
        return frozenset((await (await self._market(user_id)).snapshot()).spot)

    async def _market(self, user_id: int) -> Market:
        return self._markets.of(await self._accounts.in_use(user_id))

    async def _view(self, user_id: int, holdings: Sequence[Holding]) -> PortfolioView:
        market = await self._market(user_id)
        snapshot = await market.snapshot()
        factor = (await self._rules.get(user_id)).factor
        betas = await market.betas_of(holdings, (), factor, snapshot)
        lines = []
        for holding in holdings:
            price = snapshot.spot.get(holding.asset)
            value = None if price is None else price * holding.amount
            estimate = betas.get(holding.asset)
            beta = estimate.beta if estimate else None
            lines.append(HoldingLine(holding.asset, holding.amount, price, value, holding.cost, beta))
        lines.sort(key=lambda line: line.value or Decimal(0), reverse=True)
        exposed = exposure(holdings, (), snapshot, betas, factor)
        return PortfolioView(tuple(lines), exposed.value, exposed, factor, snapshot.time)
