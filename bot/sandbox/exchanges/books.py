"""Order books of the sandbox's market as exchanges tell them: its depth evenly within 0.1 % of the touch, as much again
beyond."""

from decimal import Decimal

from bot.sandbox.exchanges.desk import Desk
from hedging.money import ceil_to_step, floor_to_step

_LEVELS, _STEP = 20, Decimal("0.000105")  # ten of them within 0.1 %

Level = tuple[Decimal, Decimal]  # price, contracts


def book(desk: Desk, symbol: str) -> tuple[list[Level], list[Level]]:
    """Bids and asks, the best first."""
    quote, contract = desk.market.snapshot().quotes[symbol], desk.contracts()[symbol]
    each = quote.depth / (_LEVELS // 2)

    def amount(price: Decimal) -> Decimal:
        return floor_to_step(
            each / (contract.contract_size * (price if contract.linear else 1)), contract.lot
        )

    away = [1 - n * _STEP for n in range(_LEVELS)]
    bids = [ceil_to_step(quote.bid * part, contract.tick) for part in away]
    asks = [floor_to_step(quote.ask * (2 - part), contract.tick) for part in away]
    return [(price, amount(price)) for price in bids], [(price, amount(price)) for price in asks]
