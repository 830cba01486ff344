"""Margin of a perpetual: what opening it sets aside, what keeping it needs, and the price at which it is taken away."""

from decimal import Decimal
from typing import Literal

from hedging.errors import BadInput
from hedging.market import Contract
from hedging.money import ZERO

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
