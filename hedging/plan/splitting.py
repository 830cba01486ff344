"""An amount as the fewest orders that the exchange takes."""

from decimal import Decimal

from hedging.market import Contract
from hedging.money import floor_to_step


def split(contracts: Decimal, contract: Contract) -> tuple[Decimal, ...]:
    """The parts of an amount (contracts, > 0), as equal as the lot allows and the larger ones first: together exactly
    the amount, none above the contract's largest order. Empty when one order carries it. Equal parts are the furthest
    from the smallest order: where these are below it, no other split of so few is above.

    >>> numbers = (Decimal(1),) * 5
    >>> sol = Contract("SOL/USDT:USDT", "SOL", "USDT", "USDT", True, *numbers, *numbers[:3], 5, max_amount=Decimal(400))
    >>> split(Decimal(400), sol), split(Decimal(1000), sol)
    ((), (Decimal('334'), Decimal('333'), Decimal('333')))
    """
    if contract.max_amount is None or contracts <= contract.max_amount:
        return ()
    largest = max(floor_to_step(contract.max_amount, contract.lot), contract.lot)
    whole, rest = divmod(contracts, largest)
    count = int(whole) + (rest > 0)
    lots, dust = divmod(contracts, contract.lot)  # dust: a position that is closed may lie beside the lot
    each, over = divmod(int(lots), count)
    parts = [(each + (n < over)) * contract.lot for n in range(count)]
    parts[-1] += dust
    return tuple(parts)
