"""Orders against a book: immediate-or-cancel, capped in price, walking a linear depth."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from hedging.errors import OrderRejected
from hedging.margin import initial_margin
from hedging.market import Contract, Quote
from hedging.money import ZERO, floor_to_step, round_to_step
from hedging.paper.account import PaperAccount, PaperPosition, free_margin, plus, value

_DEPTH_RANGE = Decimal("0.001")  # a quote's depth lies within this fraction of the touch


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An immediate-or-cancel order. `contracts`: positive, on the lot; `limit_price`: the worst price, on the tick."""

    symbol: str
    side: Literal["sell", "buy"]
    contracts: Decimal
    limit_price: Decimal
    reduce_only: bool = False


@dataclass(frozen=True, slots=True)
class Fill:
    """What an order got. `contracts` may be less than ordered, also zero; then `price`, the average, is None. `fee`
    (paid) and `realized` (profit of what was closed, before the fee) in settle units."""

    contracts: Decimal
    price: Decimal | None
    fee: Decimal
    realized: Decimal


def fill(
    account: PaperAccount, contract: Contract, order: PaperOrder, quote: Quote
) -> tuple[PaperAccount, Fill]:
    """The account after an order, and its fill.

    The book is linear: `quote.depth` lies evenly within 0.1 % of the touch and goes on so beyond, one tick of it at the
    touch itself. An order takes it up to its limit and no further, and pays the average of what it walked through.
    Taker fees come off the wallet. A reduce-only order is cut to the position and never flips it.

    Raises OrderRejected with code unknown_symbol, lot, max_amount, tick, min_notional, reduce_only or margin; nothing
    stands then.
    """
    wanted = _admitted(account, contract, order, quote)
    filled, price = _walked(contract, order, quote, wanted)
    if filled == 0 or price is None:
        return account, Fill(ZERO, None, ZERO, ZERO)
    signed = filled if order.side == "buy" else -filled
    after, got = _traded(account, contract, signed, price, quote.mark)
    before = account.positions.get(order.symbol)
    grew = before is None or before.contracts * signed > 0 or abs(signed) > abs(before.contracts)
    if grew and free_margin(after).get(contract.settle, ZERO) < 0:
        raise OrderRejected(f"The order in {order.symbol} needs more margin than is free.", "margin")
    return after, got


def _admitted(account: PaperAccount, contract: Contract, order: PaperOrder, quote: Quote) -> Decimal:
    """The contracts that may be traded at most. Raises OrderRejected."""
    if not order.symbol == contract.symbol == quote.symbol:
        raise OrderRejected(f"There is no contract {order.symbol} here.", "unknown_symbol")
    if (
        not order.contracts.is_finite()
        or order.contracts < max(contract.min_amount, contract.lot)
        or order.contracts % contract.lot
    ):
        raise OrderRejected(f"{order.symbol} trades in steps of {contract.lot} contracts.", "lot")
    if contract.max_amount is not None and order.contracts > contract.max_amount:
        raise OrderRejected(
            f"An order in {order.symbol} has {contract.max_amount} contracts at most.", "max_amount"
        )
    if not order.limit_price.is_finite() or order.limit_price <= 0 or order.limit_price % contract.tick:
        raise OrderRejected(f"Prices of {order.symbol} move in steps of {contract.tick}.", "tick")
    if not order.reduce_only:
        if contract.notional(order.contracts, quote.mark) < contract.min_notional:
            least = f"{contract.min_notional} {contract.quote}"
            raise OrderRejected(f"An order in {order.symbol} must be worth at least {least}.", "min_notional")
        return order.contracts
    position = account.positions.get(order.symbol)
    if position is None or (position.contracts > 0) == (order.side == "buy"):
        raise OrderRejected(
            f"There is nothing in {order.symbol} that this order would reduce.", "reduce_only"
        )
    return min(order.contracts, abs(position.contracts))


def _walked(
    contract: Contract, order: PaperOrder, quote: Quote, wanted: Decimal
) -> tuple[Decimal, Decimal | None]:
    """How many contracts the book gives within the limit, and their average price."""
    selling = order.side == "sell"
    touch = quote.bid if selling else quote.ask
    room = touch - order.limit_price if selling else order.limit_price - touch
    if room < 0:
        return ZERO, None
    per_range = quote.depth / (contract.contract_size * (touch if contract.linear else 1))
    reachable = per_range * (room + contract.tick) / (touch * _DEPTH_RANGE)
    filled = min(wanted, floor_to_step(reachable, contract.lot))
    if filled <= 0:
        return ZERO, None
    slip = touch * _DEPTH_RANGE * filled / per_range / 2
    average = round_to_step(touch - slip if selling else touch + slip, contract.tick / 100)
    return filled, max(average, order.limit_price) if selling else min(average, order.limit_price)


def _traded(
    account: PaperAccount, contract: Contract, signed: Decimal, price: Decimal, mark: Decimal
) -> tuple[PaperAccount, Fill]:
    """The account after `signed` contracts at `price`: first the opposite position closes, then the rest opens."""
    asset, symbol = contract.settle, contract.symbol
    before = account.positions.get(symbol)
    held = before.contracts if before else ZERO
    closed = min(abs(held), abs(signed)) if held * signed < 0 else ZERO
    cost = value(contract, signed, price) * contract.taker_fee
    realized = released = ZERO
    rest = before
    if before and closed:
        closing = closed.copy_sign(held)
        realized = contract.profit(closing, before.entry_price, price)
        released = before.margin * closed / abs(held)
        left = held - closing
        rest = (
            replace(before, contracts=left, margin=before.margin - released, mark_price=mark)
            if left
            else None
        )
    opened = abs(signed) - closed
    bound = ZERO
    if opened:
        rest, bound = _opened(account, contract, rest, opened.copy_sign(signed), price, mark)
    positions = {name: position for name, position in account.positions.items() if name != symbol}
    if rest:
        positions[symbol] = rest
    after = replace(
        account,
        positions=positions,
        cash=plus(account.cash, asset, realized + released - cost - bound),
        realized=plus(account.realized, asset, realized),
        fees=plus(account.fees, asset, cost),
    )
    return after, Fill(abs(signed), price, cost, realized)


def _opened(
    account: PaperAccount,
    contract: Contract,
    held: PaperPosition | None,
    signed: Decimal,
    price: Decimal,
    mark: Decimal,
) -> tuple[PaperPosition, Decimal]:
    """The position grown by `signed` contracts, and the isolated collateral that this binds."""
    leverage = account.leverage.get(contract.symbol, 1)
    mode = held.margin_mode if held else account.margin_modes.get(contract.symbol, "cross")
    bound = initial_margin(value(contract, signed, price), leverage) if mode == "isolated" else ZERO
    if held is None:
        return PaperPosition(contract, signed, price, mark, leverage, mode, bound), bound
    total = held.contracts + signed
    if contract.linear:
        entry = (held.contracts * held.entry_price + signed * price) / total
    else:  # so that the profit in base coins adds up
        entry = total / (held.contracts / held.entry_price + signed / price)
    grown = replace(held, contracts=total, entry_price=entry, mark_price=mark, margin=held.margin + bound)
    return grown, bound
