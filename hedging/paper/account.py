"""A paper account: wallets, positions and what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from hedging.errors import OrderRejected, UnknownContract
from hedging.margin import initial_margin, liquidation_price, maintenance_margin
from hedging.market import Contract
from hedging.money import ZERO

MarginMode = Literal["cross", "isolated"]
Amounts = Mapping[str, Decimal]  # settle asset -> amount of it


@dataclass(frozen=True, slots=True)
class PaperPosition:
    """An open position; it carries its contract, so that it outlives a delisting.

    `contracts`: signed, never zero; negative is short. `margin`: an isolated position's own collateral in settle units,
    zero when cross. `mark_price`: the mark it was last settled with.
    """

    contract: Contract
    contracts: Decimal
    entry_price: Decimal
    mark_price: Decimal
    leverage: int
    margin_mode: MarginMode
    margin: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """Wallets and positions at market time `settled_at`.

    `cash`: wallet by settle asset, without isolated collateral and unrealised profit. The tallies explain it: cash and
    collateral together = deposits + realized + funding - fees + insurance, by asset. `insurance` is what
    liquidations cost beyond the collateral, which the account does not owe.
    """

    cash: Amounts
    settled_at: datetime
    positions: Mapping[str, PaperPosition] = field(default_factory=dict)
    leverage: Mapping[str, int] = field(default_factory=dict)  # by symbol; 1 where nothing was set
    margin_modes: Mapping[str, MarginMode] = field(
        default_factory=dict
    )  # by symbol; cross where nothing was set
    realized: Amounts = field(default_factory=dict)
    fees: Amounts = field(default_factory=dict)
    funding: Amounts = field(default_factory=dict)  # received less paid
    insurance: Amounts = field(default_factory=dict)


def value(contract: Contract, contracts: Decimal, price: Decimal) -> Decimal:
    """The unsigned worth of `contracts` at `price`, in settle units."""
    notional = abs(contract.notional(contracts, price))
    return notional if contract.linear else notional / price


def unrealized(position: PaperPosition, price: Decimal | None = None) -> Decimal:
    """Unrealised profit at `price` (default: the last mark), in settle units."""
    at = position.mark_price if price is None else price
    return position.contract.profit(position.contracts, position.entry_price, at)


def maintenance(position: PaperPosition, price: Decimal | None = None) -> Decimal:
    """Maintenance margin at `price` (default: the last mark), in settle units."""
    at = position.mark_price if price is None else price
    rate = position.contract.maintenance_margin_rate
    return maintenance_margin(value(position.contract, position.contracts, at), rate)


def set_aside(position: PaperPosition) -> Decimal:
    """The collateral that an open position binds: its own when isolated, the initial margin at the mark when cross."""
    if position.margin_mode == "isolated":
        return position.margin
    return initial_margin(
        value(position.contract, position.contracts, position.mark_price), position.leverage
    )


def equity(account: PaperAccount) -> dict[str, Decimal]:
    """Cash, isolated collateral and unrealised profit, by settle asset."""
    total = dict(account.cash)
    for position in account.positions.values():
        add(total, position.contract.settle, position.margin + unrealized(position))
    return total


def free_margin(account: PaperAccount) -> dict[str, Decimal]:
    """What is there for new positions, by settle asset: cash, plus cross profit, less what cross positions bind.
    Negative when the account is short of initial margin."""
    total = dict(account.cash)
    for position in account.positions.values():
        if position.margin_mode == "cross":
            add(total, position.contract.settle, unrealized(position) - set_aside(position))
    return total


def liquidation(account: PaperAccount, symbol: str) -> Decimal | None:
    """The mark price that liquidates a position while the account's other positions stay at their marks; None when no
    price does. Raises UnknownContract when there is no such position."""
    position = account.positions.get(symbol)
    if position is None:
        raise UnknownContract(f"there is no position in {symbol}")
    contract = position.contract
    collateral = position.margin
    if position.margin_mode == "cross":
        collateral = account.cash.get(contract.settle, ZERO)
        for name, other in account.positions.items():
            if name != symbol and other.margin_mode == "cross" and other.contract.settle == contract.settle:
                collateral += unrealized(other) - maintenance(other)
    return liquidation_price(contract, position.contracts, position.entry_price, collateral)


def with_leverage(account: PaperAccount, contract: Contract, leverage: int) -> PaperAccount:
    """The account with another leverage for a symbol. Isolated collateral in place stays in place.

    Raises OrderRejected: "leverage" outside 1 to the contract's most, "margin" when an open cross position could not
    be held at it.
    """
    if not 1 <= leverage <= contract.max_leverage:
        most = contract.max_leverage
        raise OrderRejected(
            f"The leverage of {contract.symbol} must be from 1 to {most}, not {leverage}.", "leverage"
        )
    positions = dict(account.positions)
    if contract.symbol in positions:
        positions[contract.symbol] = replace(positions[contract.symbol], leverage=leverage)
    levers = {**account.leverage, contract.symbol: leverage}
    changed = replace(account, positions=positions, leverage=levers)
    before, after = (free_margin(one).get(contract.settle, ZERO) for one in (account, changed))
    if after < 0 and after < before:
        raise OrderRejected(
            f"At {leverage}× the position in {contract.symbol} needs more margin than is free.", "margin"
        )
    return changed


def with_margin_mode(account: PaperAccount, contract: Contract, mode: MarginMode) -> PaperAccount:
    """The account with another margin mode for a symbol. Raises OrderRejected ("margin_mode") while a position is
    open there in the other mode."""
    position = account.positions.get(contract.symbol)
    if position is not None and position.margin_mode != mode:
        raise OrderRejected(
            f"Close the position in {contract.symbol} before changing its margin mode.", "margin_mode"
        )
    return replace(account, margin_modes={**account.margin_modes, contract.symbol: mode})


def add(amounts: dict[str, Decimal], asset: str, amount: Decimal) -> None:
    """Add to one asset's amount in place."""
    amounts[asset] = amounts.get(asset, ZERO) + amount


def plus(amounts: Amounts, asset: str, amount: Decimal) -> Amounts:
    """Amounts with one asset's changed."""
    return {**amounts, asset: amounts.get(asset, ZERO) + amount}
