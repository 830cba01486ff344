"""Margin of a perpetual: what opening it sets aside, what keeping it needs, and the price at which it is taken away."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput, NotEnoughHistory
from hedging.market import Contract
from hedging.money import ZERO

Floats = NDArray[np.float64]
MaintenanceBasis = Literal["mark", "entry"]


def initial_margin(notional: Decimal, leverage: int) -> Decimal:
    """Collateral that `notional` sets aside at `leverage`, in the notional's unit.

    >>> initial_margin(Decimal(20000), 50)
    Decimal('400')

    Raises BadInput for a leverage below 1.
    """
    if leverage < 1:
        raise BadInput(f"a leverage must be at least 1, not {leverage}")
    return abs(notional) / leverage


def maintenance_margin(notional: Decimal, rate: Decimal, deduction: Decimal = ZERO) -> Decimal:
    """Collateral below which a position is liquidated: notional x rate - the tier's deduction, never below zero.

    Source: Binance, "Leverage and Margin of USD-M Futures": Maintenance Margin = Position Notional x Maintenance
    Margin Rate - Maintenance Amount; there, 500,000 USDT of BTCUSDT at 1 % with 1,300 deducted:

    >>> maintenance_margin(Decimal(500000), Decimal("0.01"), Decimal(1300))
    Decimal('3700.00')
    """
    return max(abs(notional) * rate - deduction, ZERO)


def contradicted(equity: Floats, maintenance: Floats, largest: Floats, reach: Floats) -> NDArray[np.bool_]:
    """(U,) whose balance the exchange's own liquidation price contradicts.

    `equity` above `maintenance` is used up by a rise of their difference over the notional of the `largest` short, in
    US dollars; `reach`: the smallest rise to a liquidation price that the exchange tells, a fraction (not finite: it
    tells none). They contradict each other when the told rise is more than twice the reckoned one, and 5 points more:
    that is far beyond what tiers, fees and other positions make of it.

    >>> dollars, short = np.array([600.0, 60.0]), np.array([10_000.0, 10_000.0])
    >>> contradicted(dollars, np.array([50.0, 50.0]), short, np.array([0.054, 0.60]))
    array([False,  True])
    """
    with np.errstate(all="ignore"):
        reckoned = np.maximum(equity - maintenance, 0.0) / largest
        told: NDArray[np.bool_] = np.isfinite(reach) & (reach > 2.0 * reckoned + 0.05)
    return told


def liquidation_price(
    contract: Contract,
    contracts_signed: Decimal,
    entry: Decimal,
    collateral: Decimal,
    *,
    rate: Decimal | None = None,
    deduction: Decimal = ZERO,
    maintenance_at: MaintenanceBasis = "mark",
) -> Decimal | None:
    """The mark price at which `collateral` plus unrealised profit equals the maintenance margin.

    `contracts_signed`: negative is short. `entry`: quote units per base unit. `collateral` in settle units (quote for
    linear, base for inverse): for an isolated position its own margin, for the only cross position the wallet balance,
    for one cross position of several the wallet balance plus the others' unrealised profit less the others'
    maintenance margin. `rate`, `deduction`: of the position's tier (default: the contract's lowest tier).
    `maintenance_at`: whether the exchange reckons the maintenance margin at the mark price (Binance) or at the entry
    price (Bybit). None when flat, or when no positive price liquidates it (a fully covered inverse short, say).

    Linear, s = sign, q = base units, m = rate, c = deduction, W = collateral: W + s q (P - E) = q P m - c, hence
    P = (W + c - s q E) / (q (m - s)). Inverse, N = quote units: W + s N (1/E - 1/P) = N m / P - c, hence
    P = N (m + s) / (W + c + s N / E). Sources: Binance, "How to Calculate Liquidation Price of USD-M Futures
    Contracts" and the COIN-M page of the same name; Bybit, "Liquidation Price Calculation under Isolated Mode".
    At the entry price the maintenance margin is a constant that is taken off the collateral.

    Raises BadInput for an entry that is not positive.

    >>> D = Decimal
    >>> numbers = (D(1), D(1), D(1), D(1), D(5), *(D("0.01"),) * 3, 50)
    >>> sol = Contract("SOL/USDT:USDT", "SOL", "USDT", "USDT", True, *numbers)
    >>> liquidation_price(sol, D(-100), D(101), D(5050))
    Decimal('1.5E+2')
    """
    if entry <= 0:
        raise BadInput(f"the entry price of {contract.symbol} must be positive, not {entry}")
    if contracts_signed == 0:
        return None
    m = contract.maintenance_margin_rate if rate is None else rate
    side = 1 if contracts_signed > 0 else -1
    units = abs(contracts_signed) * contract.contract_size  # base units if linear, quote units if inverse
    if maintenance_at == "entry":
        value = units * entry if contract.linear else units / entry
        collateral, m, deduction = collateral - maintenance_margin(value, m, deduction), ZERO, ZERO
    if contract.linear:
        top, bottom = collateral + deduction - side * units * entry, units * (m - side)
    else:
        top, bottom = units * (m + side), collateral + deduction + side * units / entry
    if bottom == 0 or top == 0:
        return None
    price = top / bottom
    return price if price > 0 else None


@dataclass(frozen=True, slots=True)
class Tier:
    """A bracket of position size. `floor`: notional from which it applies; `rate`: maintenance margin rate;
    `deduction`: taken off it, so that the margin does not jump; `max_leverage`: allowed up to its end."""

    floor: Decimal
    rate: Decimal
    deduction: Decimal
    max_leverage: int


def tiers(brackets: Sequence[tuple[Decimal, Decimal, int]]) -> tuple[Tier, ...]:
    """Tiers from (floor, rate, maximum leverage), ascending, their deductions reckoned as the exchanges publish them:
    deduction = floor x (rate - rate of the tier before) + deduction of the tier before.

    Source and figures: Binance, "How to Calculate Liquidation Price of USD-M Futures Contracts" (BTCUSDT, levels 1-3):

    >>> levels = ((0, "0.004", 125), (50_000, "0.005", 100), (250_000, "0.01", 50))
    >>> [t.deduction for t in tiers([(Decimal(f), Decimal(r), x) for f, r, x in levels])]
    [Decimal('0'), Decimal('50.000'), Decimal('1300.000')]

    Raises BadInput for no brackets, floors that do not start at 0 and ascend, or rates that fall.
    """
    made: list[Tier] = []
    for floor, rate, leverage in brackets:
        last = made[-1] if made else None
        if (floor != 0) if last is None else (floor <= last.floor or rate < last.rate):
            raise BadInput("margin tiers start at 0 and ascend in size and rate")
        deduction = ZERO if last is None else floor * (rate - last.rate) + last.deduction
        made.append(Tier(floor, rate, deduction, leverage))
    if not made:
        raise BadInput("there is no margin tier")
    return tuple(made)


def tier_of(levels: Sequence[Tier], notional: Decimal) -> Tier:
    """The tier of a position of `notional` (either sign); a bracket's floor belongs to the bracket before it.

    >>> levels = tiers([(Decimal(0), Decimal("0.004"), 125), (Decimal(50_000), Decimal("0.005"), 100)])
    >>> tier_of(levels, Decimal(-60_000)).max_leverage
    100
    """
    size = abs(notional)
    return next((tier for tier in reversed(levels) if size > tier.floor), levels[0])


def tiered_liquidation_price(
    contract: Contract, contracts_signed: Decimal, entry: Decimal, collateral: Decimal, levels: Sequence[Tier]
) -> Decimal | None:
    """The liquidation price with the tier that the position is in at that very price, as the exchanges ask for.

    For linear contracts the size is the notional at the price; for inverse ones, in base coin. Tiers make the
    maintenance margin continuous and convex in size, so at most one price fits; None when none does.

    >>> D = Decimal
    >>> numbers = (D(1), D(1), D(1), D(1), D(5), *(D("0.01"),) * 3, 50)
    >>> btc = Contract("BTC/USDT:USDT", "BTC", "USDT", "USDT", True, *numbers)
    >>> levels = tiers([(D(0), D("0.01"), 50), (D(100_000), D("0.05"), 10)])
    >>> tiered_liquidation_price(btc, D(-10), D(10_000), D(26_000), levels)
    Decimal('12380.95238095238095238095238')
    """
    flat = contracts_signed * contract.contract_size
    for tier in levels:
        price = liquidation_price(
            contract, contracts_signed, entry, collateral, rate=tier.rate, deduction=tier.deduction
        )
        if price is not None and tier_of(levels, flat * price if contract.linear else flat / price) is tier:
            return price
    return None


def liquidation_prices(
    units: NDArray[np.float64],
    entry: NDArray[np.float64],
    collateral: NDArray[np.float64],
    rate: NDArray[np.float64],
    linear: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(P,) liquidation prices of many positions; NaN where flat or not reachable. `units`: signed, base units if
    linear, quote units if inverse; the rest as `liquidation_price` has it, maintenance at the mark.

    >>> units, entry, collateral = np.array([-100.0, 0.0]), np.full(2, 101.0), np.full(2, 5050.0)
    >>> liquidation_prices(units, entry, collateral, np.full(2, 0.01), np.full(2, True)).tolist()
    [150.0, nan]
    """
    side = np.sign(units)
    size = np.abs(units)
    with np.errstate(all="ignore"):
        straight = (collateral - units * entry) / (size * (rate - side))
        curved = size * (rate + side) / (collateral + units / entry)
        price = np.where(linear, straight, curved)
        known = (side != 0) & np.isfinite(price) & (price > 0)
    return np.where(known, price, np.nan)


def runway(mark: Decimal, liquidation: Decimal | None) -> Decimal | None:
    """How far the price can rise before a short is taken away, as a fraction; None when it never is.

    >>> runway(Decimal(100), Decimal(148))
    Decimal('0.48')

    Raises BadInput for a mark that is not positive.
    """
    if mark <= 0:
        raise BadInput(f"a mark price must be positive, not {mark}")
    return None if liquidation is None else liquidation / mark - 1


def worst_pumps(
    close: NDArray[np.float64], high: NDArray[np.float64], bars: Sequence[int]
) -> tuple[float, ...]:
    """The largest rise from a close to any high of the next b bars, as a fraction, for each b of `bars`: what a short
    of this coin would have had to survive. (T,) prices, NaN where a bar is missing.

    >>> worst_pumps(np.array([10.0, 12.0, 9.0, 18.0]), np.array([10.0, 13.0, 12.0, 20.0]), [1, 2])
    (1.2222222222222223, 1.2222222222222223)

    Raises BadInput for shapes that differ or spans below 1, NotEnoughHistory when no span has both its ends.
    """
    if close.shape != high.shape or close.ndim != 1 or min(bars, default=0) < 1:
        raise BadInput("pumps are looked for in closes and highs of the same bars, over at least one bar")
    found = []
    for span in bars:
        if len(close) <= span:
            raise NotEnoughHistory(f"{len(close)} bars are too few to look {span} ahead")
        # Highs after each close; beyond the last bar there are none.
        later = np.concatenate([np.where(np.isfinite(high), high, -np.inf)[1:], np.full(span - 1, -np.inf)])
        ahead = np.lib.stride_tricks.sliding_window_view(later, span)
        rises = ahead.max(axis=1) / close[:-1] - 1
        rises = rises[np.isfinite(rises)]
        if not len(rises):
            raise NotEnoughHistory("there are no prices to look for pumps in")
        found.append(float(rises.max()))
    return tuple(found)
