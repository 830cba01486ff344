"""bot.ports.exchange.MarketFeed with prices that stand still until the test moves them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from bot.ports.errors import Unavailable
from bot.ports.exchange import Health, MarketFeed, Offer, Permissions, Trial
from bot.ports.records import Account
from bot.ports.vault import Credentials
from hedging.market import Candles, Contract, Funding, Quote, Snapshot
from tests.fakes.clock import NOON

D = Decimal
BETAS = {"BTC": 1.0, "ETH": 1.1, "SOL": 1.5, "ADA": 1.2, "ATOM": 1.3, "UNI": 1.4}
PRICES = {"BTC": "60000", "ETH": "3000", "SOL": "150", "ADA": "0.5", "ATOM": "8", "UNI": "10", "USDT": "1"}
PERPETUALS = {"BTC": "0.001", "ETH": "0.01", "SOL": "0.1", "ADA": "1"}  # asset -> lot


def perpetual(asset: str) -> Contract:
    return Contract(
        symbol=f"{asset}/USDT:USDT",
        base=asset,
        quote="USDT",
        settle="USDT",
        linear=True,
        contract_size=D(1),
        lot=D(PERPETUALS[asset]),
        tick=D("0.0001") if asset == "ADA" else D("0.1"),
        min_amount=D(PERPETUALS[asset]),
        min_notional=D(5),
        taker_fee=D("0.0005"),
        maker_fee=D("0.0002"),
        maintenance_margin_rate=D("0.005"),
        max_leverage=50,
    )


class StillMarket:
    """Ten thousand dollars within a tenth of a percent on each side; funding of one basis point every 8 hours."""

    name = "still"

    def __init__(self) -> None:
        self.time = NOON
        self.prices = {asset: D(price) for asset, price in PRICES.items()}
        self.away = False
        self.unquoted: set[str] = set()  # contracts without a quote just now
        self.unpriced: set[str] = set()  # coins without a spot price just now
        self.funding = D("0.0001")
        self.rates: dict[str, Decimal] = {}  # by symbol, where one is not as the others
        self.others: dict[str, StillMarket] = {}  # by name, where another exchange is not as this one
        self.on_offer: tuple[Offer, ...] = ()
        self.trials: dict[str, Trial | Exception] = {}  # what comes of a key
        self.tried: list[str] = []
        rng = np.random.default_rng(11)
        market = rng.normal(0, 0.01, 60 * 24)
        noise = {asset: rng.normal(0, 0.004, market.size) for asset in BETAS}
        self._returns = {a: beta * market + (noise[a] if a != "BTC" else 0) for a, beta in BETAS.items()}

    def move(self, **factors: float) -> None:
        """`market.move(BTC=0.7)`: BTC is worth 70 % of what it was."""
        for asset, factor in factors.items():
            self.prices[asset] *= D(str(factor))

    async def snapshot(self) -> Snapshot:
        if self.away:
            raise Unavailable("the market cannot be reached")
        contracts = {c.symbol: c for c in map(perpetual, PERPETUALS)}
        quotes = {s: self._quote(c) for s, c in contracts.items() if s not in self.unquoted}
        funding = {s: self._rate(s) for s in contracts}
        spot = {coin: price for coin, price in self.prices.items() if coin not in self.unpriced}
        return Snapshot(self.name, self.time, spot, quotes, funding, contracts)

    async def candles(
        self, names: Sequence[str], *, since: datetime, bar: timedelta = timedelta(hours=1)
    ) -> Candles:
        if self.away:
            raise Unavailable("the market cannot be reached")
        known = [name for name in names if name in self._returns]
        end = np.datetime64(self.time.replace(tzinfo=None), "s")
        length = len(self._returns["BTC"])
        times = end - np.arange(length, 0, -1) * np.timedelta64(3600, "s")
        columns = [np.exp(np.cumsum(self._returns[name])) for name in known]
        return Candles(tuple(known), times, np.column_stack(columns) if columns else np.empty((length, 0)))

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        """Every eight hours the present rate."""
        hours = range(8, int((self.time - since).total_seconds() // 3600), 8)
        rate = self._rate(symbol).rate
        return [Funding(symbol, rate, 8, since + timedelta(hours=n)) for n in hours]

    def _rate(self, symbol: str) -> Funding:
        return Funding(symbol, self.rates.get(symbol, self.funding), 8, self.time + timedelta(hours=4))

    # The only exchange that there is: bot.ports.exchange.Feeds and Connections over this one market.

    @property
    def home(self) -> str:
        return self.name

    def feed(self, name: str) -> MarketFeed:
        return self.others.get(name, self)

    def health(self, name: str, *, demo: bool = False) -> Health:
        return Health("up", NOON)

    @property
    def offers(self) -> Sequence[Offer]:
        return self.on_offer

    async def clock_ahead(self, name: str) -> timedelta:
        if self.away:
            raise Unavailable("the market cannot be reached")
        return timedelta(0)

    own_address = ""

    async def permissions(self, account: Account) -> Permissions:
        return Permissions(futures=True, withdraw=False, address_list=True)

    async def trial(self, account: Account, credentials: Credentials) -> Trial:
        self.tried.append(credentials.api_key)
        came = self.trials.get(credentials.api_key, Unavailable("nobody knows this key"))
        if isinstance(came, Exception):
            raise came
        return came

    def forget(self, account_id: int) -> None:
        """Nothing was made with any key."""

    def _quote(self, contract: Contract) -> Quote:
        mark = self.prices[contract.base]
        return Quote(contract.symbol, mark * D("0.9999"), mark * D("1.0001"), mark, mark, D(10_000_000))
