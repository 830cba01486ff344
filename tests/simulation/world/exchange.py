"""The exchange's side of a run: a stand-in with an account for each user, and what happens there of itself."""

import asyncio
import contextlib
import json
import random
from collections.abc import Sequence
from decimal import Decimal

from starlette.applications import Starlette

from bot.exchange.dialects import DIALECTS
from bot.sandbox.exchanges import VENUES
from bot.sandbox.exchanges.traders import Trader
from bot.sandbox.exchanges.venue import Asked, Venue
from hedging.errors import OrderRejected
from hedging.money import cap_price
from tests.simulation.evidence import Booked
from tests.simulation.story import SECRETS, Story
from tests.simulation.world.market import SmallMarket
from tests.simulation.world.weather import UNCLEAR, SeededFaults, Weather

D = Decimal
_KINDS = ("move", "move", "leap", "adl", "liquidation", "hand", "hand", "clock", "share", "delist")


class ExchangeSide:
    """`trace`: what happened when."""

    def __init__(
        self, story: Story, market: SmallMarket, weather: Weather, chance: random.Random, trace: list[str]
    ) -> None:
        self._story, self._market, self._weather = story, market, weather
        self._chance, self._trace = chance, trace
        self.venue = VENUES[story.exchange](market)
        self.venue.faults = SeededFaults(weather, self._beside_an_order)
        weather.unclear = tuple(word for word in UNCLEAR if _is_unclear(self.venue, word))
        self.venue.desk.share = chance.choice((None, None, None, D("0.37"), D("0.9")))
        apart = random.Random(repr(story))  # so that what else is drawn stays as it was
        if apart.random() < 0.4:
            for symbol, contract in self.venue.desk.contracts().items():
                worth = contract.notional(contract.lot, self.venue.desk.market.snapshot().quotes[symbol].mark)
                lots = apart.choice((1_000, 2_500, 6_000)) // worth + 1  # dollars of one order
                self.venue.desk.largest[symbol] = max(lots * contract.lot, 3 * contract.min_amount)
        self.app = Starlette(routes=self.venue.routes())
        self._traders: dict[int, Trader] = {}
        for user in range(1, story.users + 1):
            key, secret, words = (part.format(user) for part in SECRETS)
            self._traders[user] = self.venue.desk.open_account(key, secret, words)
            self._traders[user].hedged = story.hedged

    async def live(self) -> None:
        """Prices that leap, forced closes, the user's own hand, clocks that go wrong, until the weather is over."""
        longest = 90 * self._story.minutes / max(self._story.events, 1)
        for _ in range(self._story.events):
            await asyncio.sleep(self._chance.uniform(5, max(longest, 5)))
            if self._weather.over:
                return
            self._happen(self._chance.choice(_KINDS), self._chance.choice(self._open_symbols()))

    def calm(self) -> None:
        """Honest from now on."""
        self.venue.clock_ahead_ms = 0
        self.venue.desk.share = None

    def book(self) -> list[Booked]:
        """Every order of every account, in its own order."""
        return [booked for user, trader in self._traders.items() for booked in _booked(user, trader)]

    def _open_symbols(self) -> Sequence[str]:
        return sorted(set(self.venue.desk.contracts()) - self.venue.desk.delisted)

    def _happen(self, kind: str, symbol: str) -> None:
        chance, desk, coin = self._chance, self.venue.desk, symbol.partition("/")[0]
        trader = chance.choice(list(self._traders.values()))
        self._trace.append(f"{asyncio.get_running_loop().time():9.3f} the world: {kind} {symbol}")
        match kind:
            case "move":
                self._market.move(coin, chance.uniform(0.985, 1.015))
            case "leap":
                self._market.move(coin, chance.choice((0.6, 0.93, 1.07, 1.4)))
            case "adl" | "liquidation":
                with contextlib.suppress(OrderRejected):  # half of a smallest position is none
                    desk.force_close(trader, symbol, kind, chance.choice((D("0.5"), D(1))))
            case "clock":
                self.venue.clock_ahead_ms = chance.choice((-30_000, -2_000, 2_000, 30_000))
            case "share":
                desk.share = chance.choice((None, D("0.37"), D("0.9"), D(0)))
            case "delist":
                if chance.random() < 0.3:
                    desk.delist(symbol)
            case "hand":
                self._by_hand(trader, symbol)

    def _beside_an_order(self) -> None:
        """While an order is on its way somebody may trade by hand, too."""
        if not self._weather.over and self._chance.random() < 0.03:
            trader = self._chance.choice(list(self._traders.values()))
            self._by_hand(trader, self._chance.choice(self._open_symbols()))

    def _by_hand(self, trader: Trader, symbol: str) -> None:
        desk, chance = self.venue.desk, self._chance
        quote, contract = desk.market.snapshot().quotes[symbol], desk.contract(symbol)
        selling = chance.random() < 0.5
        worst = quote.bid * D("0.95") if selling else quote.ask * D("1.05")
        amount = contract.lot * chance.randint(1, 200)
        with contextlib.suppress(OrderRejected):
            desk.place(
                trader,
                client_id=f"by-hand-{chance.randint(1, 999)}",
                symbol=symbol,
                side="sell" if selling else "buy",
                contracts=amount,
                limit_price=cap_price(worst, contract.tick, selling=selling),
                reduce_only=False,
                position_side="both" if not trader.hedged else chance.choice(("long", "short")),
            )


def _is_unclear(venue: Venue, word: str) -> bool:
    """Whether what this stand-in says for the word leaves open what came of an order. Where it has no word of its own
    it says something definite, which no exchange says of an order that it took."""
    asked = Asked("POST", venue.hosts[0], "/", "", "", {}, {})
    dialect = DIALECTS[venue.name]
    said = json.loads(bytes(venue.refusal(word, word, asked).body))
    return dialect.error(said) not in dialect.rejections


def _booked(user: int, trader: Trader) -> list[Booked]:
    found: list[Booked] = []
    held: dict[tuple[str, str], Decimal] = {}
    for order in trader.orders:
        place = order.symbol, order.position_side
        before = held.get(place, D(0))
        booked = Booked(
            user,
            order.client_id,
            order.symbol,
            order.side,
            order.contracts,
            order.filled,
            order.limit_price,
            order.reduce_only,
            order.time,
            before,
            order.forced is not None,
        )
        held[place] = before + booked.signed
        found.append(booked)
    return found
