"""What holding a hedge costs or earns: funding, basis and fees."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput, NotEnoughHistory
from hedging.market import Contract, Funding, Quote

HOURS_A_MONTH = 30 * 24


def funding_payment(contracts_signed: Decimal, contract: Contract, mark: Decimal, rate: Decimal) -> Decimal:
    """What one funding settlement credits to the position, in settle units; negative is paid.

    A positive rate is paid by longs to shorts: payment = -signed notional x rate; for an inverse contract the
    notional is reckoned in the base coin. Source: Binance, "Introduction to Binance Futures Funding Rates".

    Raises BadInput for a mark that is not positive.

    >>> D = Decimal
    >>> numbers = (D(1), D(1), D(1), D(1), D(5), *(D("0.001"),) * 3, 50)
    >>> sol = Contract("SOL/USDT:USDT", "SOL", "USDT", "USDT", True, *numbers)
    >>> funding_payment(D(-100), sol, D(150), D("0.0001"))
    Decimal('1.5000')
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
    """The fee of trading `notional` (either sign) at `rate`, a fraction of notional, in quote units.

    >>> fee(Decimal(-13_500), Decimal("0.0005"))
    Decimal('6.7500')
    """
    return abs(notional) * rate


@dataclass(frozen=True, slots=True)
class Carry:
    """What a short receives over a horizon, as a fraction of its notional; negative is paid. `low` and `high`: the
    range that held `level` of the time in history. `n`: settlements it was learnt from."""

    mean: float
    low: float
    high: float
    level: float
    n: int


def expected_carry(rates: NDArray[np.float64], horizon: int, *, level: float = 0.8) -> Carry:
    """From (M,) settled funding rates, oldest first, what the next `horizon` settlements bring a short.

    The mean is the forecast of a first-order autoregression: the present rate decays to the long-run mean m as
    r' = m + phi^k (r - m), phi clipped to [0, 0.999]. The range is the mean plus the quantiles of what the same
    forecast missed, from every earlier point in the history that has `horizon` settlements after it. Source of the
    forecast: J. Hamilton, Time Series Analysis (1994), ch. 4.

    >>> steady = expected_carry(np.full(200, 0.0001), 90)
    >>> round(steady.mean, 6), round(steady.low, 6), round(steady.high, 6)
    (0.009, 0.009, 0.009)

    Raises BadInput for a horizon below 1, a level outside (0, 1) or rates that are not finite, NotEnoughHistory for
    fewer than 30 settlements, or fewer than twice the horizon.
    """
    if horizon < 1 or not 0 < level < 1 or rates.ndim != 1 or not np.isfinite(rates).all():
        raise BadInput(
            "expected carry needs finite rates, a horizon of at least 1 and a level between 0 and 1"
        )
    if len(rates) < max(30, 2 * horizon):
        raise NotEnoughHistory(f"{len(rates)} settlements are too few to expect the next {horizon} from")
    middle = float(rates.mean())
    around = rates - middle
    power = float(around[:-1] @ around[:-1])
    # A series that only trembles by rounding has no memory to speak of.
    phi = float(np.clip(around[1:] @ around[:-1] / power, 0.0, 0.999)) if power > 1e-30 * len(rates) else 0.0
    fade = phi * (1 - phi**horizon) / (1 - phi)
    total = np.concatenate([[0.0], np.cumsum(rates)])
    happened = total[horizon + 1 :] - total[1:-horizon]  # the sum of the `horizon` settlements after each one
    missed = happened - (horizon * middle + fade * around[: len(happened)])
    mean = horizon * middle + fade * float(around[-1])
    low, high = np.quantile(missed, [(1 - level) / 2, (1 + level) / 2])
    return Carry(mean, mean + float(low), mean + float(high), level, len(rates))


def basis(quote: Quote) -> Decimal:
    """How far the contract stands above its index, as a fraction; a short gains when it closes.

    Raises BadInput for an index that is not positive.

    >>> prices = (Decimal(p) for p in ("100.1", "100.3", "100.2", "100"))
    >>> basis(Quote("SOL/USDT:USDT", *prices, Decimal(1)))
    Decimal('0.002')
    """
    if quote.index <= 0:
        raise BadInput(f"the index of {quote.symbol} must be positive, not {quote.index}")
    return quote.mark / quote.index - 1


def round_trip(notional: Decimal, contract: Contract, quote: Quote) -> Decimal:
    """What opening and closing `notional` costs: both taker fees and the spread, in quote units.

    >>> from decimal import Decimal as D
    >>> sol = Contract("SOL/USDT:USDT", "SOL", "USDT", "USDT", True, D(1), D(1), D(1), D(1), D(5), D("0.0005"),
    ...                D("0.0002"), D("0.01"), 50)
    >>> round_trip(D(1000), sol, Quote("SOL/USDT:USDT", D("99.9"), D("100.1"), D(100), D(100), D(1)))
    Decimal('3.0000')
    """
    middle = (quote.bid + quote.ask) / 2
    return 2 * fee(notional, contract.taker_fee) + abs(notional) * (quote.ask - quote.bid) / middle


def insurance_per_month(
    notional: Decimal, trip: Decimal, months: Decimal, carry_per_month: Decimal
) -> Decimal:
    """The price of the insurance: fees spread over the months it is held, less what funding brings; positive costs.

    >>> insurance_per_month(Decimal(10_000), Decimal(12), Decimal(3), Decimal("-0.002"))
    Decimal('24.000')

    Raises BadInput for a span that is not positive.
    """
    if months <= 0:
        raise BadInput(f"an insurance must be held for some time, not {months} months")
    return trip / months - abs(notional) * carry_per_month
