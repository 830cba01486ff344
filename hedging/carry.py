"""What holding a hedge costs or earns: funding and fees."""

from decimal import Decimal

from hedging.errors import BadInput
from hedging.market import Contract, Funding

HOURS_A_MONTH = 30 * 24


def funding_payment(contracts_signed: Decimal, contract: Contract, mark: Decimal, rate: Decimal) -> Decimal:
    """What one funding settlement credits to the position, in settle units; negative is paid.

    A positive rate is paid by longs to shorts: payment = -signed notional x rate; for an inverse contract the
    notional is reckoned in the base coin. Source: Binance, "Introduction to Binance Futures Funding Rates".

    Raises BadInput for a mark that is not positive.
    """
    if mark <= 0:
        raise BadInput(f"the mark price of {contract.symbol} must be positive, not {mark}")
    notional = contract.notional(contracts_signed, mark)
    return -(notional if contract.linear else notional / mark) * rate


def funding_per_month(short_notional: Decimal, funding: Funding) -> Decimal:
    """What a short of `short_notional` receives in 30 days at the present rate; negative when it pays.

    >>> from datetime import datetime, timezone
    >>> rate = Funding("SOL/USDT:USDT", Decimal("0.0001"), 8, datetime(2025, 1, 1, tzinfo=timezone.utc))
    >>> funding_per_month(Decimal(1000), rate)
    Decimal('9.0000')

    Raises BadInput for an interval below one hour.
    """
    if funding.interval_hours < 1:
        raise BadInput(f"a funding interval must be at least an hour, not {funding.interval_hours}")
    return short_notional * funding.rate * HOURS_A_MONTH / funding.interval_hours


def fee(notional: Decimal, rate: Decimal) -> Decimal:
    """The fee of trading `notional` (either sign) at `rate`, a fraction of notional, in quote units."""
    return abs(notional) * rate
