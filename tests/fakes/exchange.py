"""bot.ports.exchange.Exchange that fills at once, or misbehaves exactly as the test scripts it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bot.ports.errors import Ambiguous, Rejected, Unavailable
from bot.ports.exchange import FundingPayment, MarginMode, TradeFill
from bot.ports.records import Account, Balance, Order, OrderReport
from hedging.portfolio import Position
from tests.fakes.market import StillMarket, perpetual

D = Decimal


class ScriptedExchange:
    """`script`: what the next orders meet, in turn; "fill" when it is used up.

    fill, partial (37 %), nothing (an immediate-or-cancel order that found no taker), reject (a definite one),
    hang_after (accepted, then the answer is lost), hang_before (lost before it was accepted),
    late (accepted and lost, and not visible to the first two look-ups).
    """

    name = "paper"

    def __init__(self, market: StillMarket) -> None:
        self._market = market
        self.script: list[str] = []
        self.orders: dict[str, OrderReport] = {}
        self.placed: list[Order] = []
        self.held: dict[str, Decimal] = {}
        self.entries: dict[str, Decimal] = {}
        self.equity = D(100_000)
        self.told: list[Decimal] = []  # equities that the next reads of the balance tell instead
        self.rise: Decimal | None = None  # to the liquidation price of every short; None: it tells none
        self.leverage: dict[str, int] = {}
        self.margin_mode: dict[str, MarginMode] = {}
        self._hidden: dict[str, int] = {}
        self.asked: Counter[str] = Counter()
        self.funding: list[FundingPayment] = []
        self.history: list[TradeFill] = []  # what was traded without an order of ours

    async def positions(self, account: Account) -> Sequence[Position]:
        self.asked["positions"] += 1
        return [self._position(symbol, contracts) for symbol, contracts in self.held.items() if contracts]

    async def balance(self, account: Account) -> Balance:
        equity = self.told.pop(0) if self.told else self.equity
        return Balance(equity, equity)

    async def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        self.leverage[symbol] = leverage

    async def positions_in(self, account: Account, symbol: str) -> Sequence[Position]:
        return [position for position in await self.positions(account) if position.symbol == symbol]

    async def read_ahead(self, account: Account, symbol: str) -> Sequence[Position]:
        return [position for position in await self.positions(account) if position.symbol == symbol]

    async def set_margin_mode(self, account: Account, symbol: str, mode: MarginMode) -> None:
        self.margin_mode[symbol] = mode

    async def fills(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        self.asked["fills"] += 1
        return [fill for fill in self.history if fill.symbol == symbol and fill.time >= since]

    async def forced_closes(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        self.asked["forced_closes"] += 1
        forced = [fill for fill in self.history if fill.forced]
        return [fill for fill in forced if fill.symbol == symbol and fill.time >= since]

    async def funding_paid(
        self, account: Account, symbol: str, since: datetime, until: datetime
    ) -> Sequence[FundingPayment]:
        self.asked["funding_paid"] += 1
        return [
            payment for payment in self.funding if payment.symbol == symbol and since <= payment.time <= until
        ]

    def names_forced_closes(self, account: Account) -> bool:
        return True

    async def listed(self, account: Account, symbol: str) -> bool:
        return symbol in (await self._market.snapshot()).contracts

    async def quiet(self, account: Account, symbol: str, since: datetime) -> bool:
        return True

    def settles_within(self, account: Account) -> timedelta:
        return timedelta(seconds=1)

    async def place(self, account: Account, order: Order) -> OrderReport:
        self.placed.append(order)
        how = self.script.pop(0) if self.script else "fill"
        if how == "reject":
            raise Rejected("not enough margin", "margin")
        if how == "hang_before":
            raise Ambiguous("the answer was lost")
        report = self._accept(order, how)
        if how == "late":
            self._hidden[order.client_id] = 2
        if how in ("hang_after", "late"):
            raise Ambiguous("the answer was lost")
        return report

    async def find_order(self, account: Account, symbol: str, client_id: str) -> OrderReport | None:
        if self._market.away:
            raise Unavailable("the exchange cannot be reached")
        if self._hidden.get(client_id, 0) > 0:
            self._hidden[client_id] -= 1
            return None
        return self.orders.get(client_id)

    def _accept(self, order: Order, how: str) -> OrderReport:
        if order.client_id in self.orders:
            raise Rejected("this id is known", "duplicate")
        share = {"partial": D("0.37"), "nothing": D(0)}.get(how, D(1))
        lot = perpetual(order.symbol.split("/")[0]).lot
        filled = (order.contracts * share / lot).to_integral_value(rounding="ROUND_FLOOR") * lot
        sign = 1 if order.side == "buy" else -1
        self.held[order.symbol] = self.held.get(order.symbol, D(0)) + sign * filled
        price = self._market.prices[order.symbol.split("/")[0]]
        self.entries.setdefault(order.symbol, price)
        report = OrderReport(
            client_id=order.client_id,
            order_id=str(len(self.orders) + 1),
            status="filled" if filled == order.contracts else "cancelled",
            filled=filled,
            average_price=price if filled else None,
            fee=filled * price * D("0.0005"),
        )
        self.orders[order.client_id] = report
        return report

    def _position(self, symbol: str, contracts: Decimal) -> Position:
        mark, entry = self._market.prices[symbol.split("/")[0]], self.entries[symbol]
        return Position(
            symbol,
            contracts,
            entry,
            mark,
            2,
            "cross",
            abs(contracts) * mark / 2,
            contracts * (mark - entry),
            None if self.rise is None else mark * (1 + self.rise),
        )
