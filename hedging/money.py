"""Decimal amounts: the one border between decimals (orders, balances, storage) and floats (analytics)."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation

from hedging.errors import BadInput

ZERO = Decimal(0)


def decimal(value: object) -> Decimal:
    """`value` (str, int, Decimal or float, read through its shortest text) as a finite Decimal.

    >>> decimal(0.1) + decimal("0.2")
    Decimal('0.3')

    Raises BadInput for NaN, infinities and what is no number.
    """
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation as error:
        raise BadInput(f"{value!r} is not a number") from error
    if not number.is_finite():
        raise BadInput(f"{value!r} is not a finite number")
    return number


def to_float(value: Decimal) -> float:
    """`value` as a finite float64 for analytics. Raises BadInput when it overflows."""
    number = float(value)
    if not math.isfinite(number):
        raise BadInput(f"{value} is too large to reckon with")
    return number


def floor_to_step(amount: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` (> 0) that does not exceed `amount`, toward zero for negatives.

    >>> floor_to_step(Decimal("1.239"), Decimal("0.01"))
    Decimal('1.23')
    """
    return _to_step(abs(amount), step, ROUND_FLOOR).copy_sign(amount)


def ceil_to_step(amount: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` (> 0) that is at least `amount`, away from zero for negatives.

    >>> ceil_to_step(Decimal("1.21"), Decimal("0.1"))
    Decimal('1.3')
    """
    return _to_step(abs(amount), step, ROUND_CEILING).copy_sign(amount)


def round_to_step(amount: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` (> 0) nearest to `amount`, ties to even.

    >>> round_to_step(Decimal("1.26"), Decimal("0.1"))
    Decimal('1.3')
    """
    return _to_step(amount, step, ROUND_HALF_EVEN)


def cap_price(price: Decimal, tick: Decimal, *, selling: bool) -> Decimal:
    """`price` on the tick grid, never beyond it: up for the least a seller takes, down for the most a buyer pays.

    >>> [cap_price(Decimal("99.12"), Decimal("0.5"), selling=selling) for selling in (True, False)]
    [Decimal('99.5'), Decimal('99.0')]
    """
    return _to_step(price, tick, ROUND_CEILING if selling else ROUND_FLOOR)


def _to_step(amount: Decimal, step: Decimal, rounding: str) -> Decimal:
    if step <= 0:
        raise BadInput(f"a step must be positive, not {step}")
    return (amount / step).to_integral_value(rounding=rounding) * step
