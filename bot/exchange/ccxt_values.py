"""From ccxt's dictionaries to the domain's values. Whatever is not whole is Malformed; nothing is guessed."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from bot.exchange.ccxt_outcome import Malformed
from bot.exchange.dialects.dialect import Dialect
from bot.ports.exchange import FundingPayment, Tier, TradeFill
from bot.ports.records import Order, OrderReport
from hedging.errors import BadInput
from hedging.market import Contract
from hedging.money import ZERO, decimal
from hedging.portfolio import Position

Json = Mapping[str, Any]

_STATES: Mapping[str, Literal["open", "filled", "cancelled"]] = {
    "open": "open",
    "canceling": "open",
    "closed": "filled",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "expired": "cancelled",
    "rejected": "cancelled",
}
_SIDES: Mapping[str, Literal["long", "short"]] = {"long": "long", "short": "short"}
_FALLBACK_MARGIN, _FALLBACK_LEVERAGE = Decimal("0.025"), 20  # where only a key's owner is told the tiers


def contract_of(market: Json, dialect: Dialect) -> Contract | None:
    """A tradable perpetual of a kind that the exchange is used for, quoted in dollars; None for every other market."""
    if not market.get("swap") or market.get("active") is False:
        return None
    linear = bool(market.get("linear"))
    if ("linear" if linear else "inverse") not in dialect.sub_types:
        return None
    if linear and market.get("settle") not in dialect.settles:
        return None  # neither its positions nor the money behind them would be seen
    limits, precision = market.get("limits") or {}, market.get("precision") or {}
    try:
        lot = decimal(precision["amount"])
        tick = decimal(precision["price"])
        size = Decimal(1) if dialect.amount_in_base else decimal(market["contractSize"])
        contract = Contract(
            symbol=str(market["symbol"]),
            base=str(market["base"]),
            quote=str(market["quote"]),
            settle=str(market["settle"]),
            linear=linear,
            contract_size=size,
            lot=lot,
            tick=tick,
            min_amount=max(_limit(limits, "amount"), lot),
            min_notional=dialect.min_notional(market) or _limit(limits, "cost"),
            taker_fee=decimal(market["taker"]),
            maker_fee=decimal(market["maker"]),
            maintenance_margin_rate=dialect.maintenance_rate(market) or _FALLBACK_MARGIN,
            max_leverage=int(dialect.max_leverage(market) or _limit(limits, "leverage", "max") or 0)
            or _FALLBACK_LEVERAGE,
            closes_at=None if (closes := dialect.closes_at(market)) is None else time_of(closes),
            max_amount=dialect.max_amount(market) or _limit(limits, "amount", "max") or None,
        )
    except (LookupError, TypeError, ValueError):
        return None
    return contract if contract.in_dollars and lot > 0 and tick > 0 and size > 0 else None


def report_of(
    raw: Json | None, client_id: str, contract: Contract, dialect: Dialect, order: Order | None = None
) -> OrderReport:
    """An order as it stands. Raises Malformed without an id, with another's id, or with amounts that cannot be."""
    if not isinstance(raw, Mapping) or not raw.get("id"):
        raise Malformed("the answer has no order id")
    echoed = raw.get("clientOrderId")
    if echoed is not None and str(echoed) != client_id:
        raise Malformed("the answer is about another order")
    state = _STATES.get(str(raw.get("status")))
    if state is None:
        raise Malformed("the order's state is not a known one")
    filled = _number(raw, "filled")
    amount = order.contracts if order else number(raw, "amount") or filled
    if filled < 0 or filled > amount:
        raise Malformed("the order's fill cannot be")
    if state == "filled" and filled != amount:
        state = "cancelled"  # cut to the position by the exchange, or ended short
    average = _average(raw, filled, contract) if filled else None
    return OrderReport(
        client_id, str(raw["id"]), state, filled, average, _fee(raw, filled, average, contract, dialect)
    )


def positions_of(
    rows: Iterable[Json],
    contracts: Mapping[str, Contract],
    marks: Mapping[str, Decimal],
    beside: Collection[str] = (),
    adl_rank: Callable[[Json], int | None] = lambda raw: None,
) -> list[Position]:
    """Open positions by symbol, a short before a long that is held beside it. Several of one side (cross and isolated)
    count as one; prices, leverage and rank are then those of the larger. `beside`: symbols of longs in hedge mode.
    `adl_rank`: of a raw position."""
    sides: dict[tuple[str, bool], list[Position]] = {}
    for row in rows:
        if not isinstance(row, Mapping):
            raise Malformed("a position is no record")
        contract = contracts.get(str(row.get("symbol")))
        amount = _number(row, "contracts")
        if contract is None or amount == 0:
            continue
        position = replace(_position(row, amount, contract, marks), adl_rank=adl_rank(row.get("info") or {}))
        long = position.contracts > 0
        if long and contract.symbol in beside:
            position = replace(position, beside=True)
        sides.setdefault((contract.symbol, long), []).append(position)
    return [_merged(sides[place]) for place in sorted(sides)]


def tiers_of(rows: Iterable[Json]) -> list[Tier]:
    """The steps of a symbol's maintenance margin, ascending."""
    found = [
        Tier(
            _number(row, "minNotional"),
            _number(row, "maintenanceMarginRate"),
            int(_number(row, "maxLeverage")),
        )
        for row in rows
    ]
    return sorted(found, key=lambda tier: tier.notional)


def fill_of(row: Json, symbol: str, dialect: Dialect) -> TradeFill:
    """One execution."""
    sides: Mapping[object, Literal["sell", "buy"]] = {"buy": "buy", "sell": "sell"}
    fee, raw = row.get("fee"), row.get("info") or {}
    order, amount, price = str(row.get("order") or ""), _number(row, "amount"), _number(row, "price")
    return TradeFill(
        symbol=symbol,
        order_id=order,
        side=sides.get(row.get("side")),
        contracts=amount,
        price=price,
        fee=_number(fee, "cost") if isinstance(fee, Mapping) and fee.get("cost") is not None else ZERO,
        time=time_of(row.get("timestamp")),
        forced=dialect.forced(raw),
        id=str(row.get("id") or f"{order}:{row.get('timestamp')}:{amount}:{price}"),
        of=dialect.position_side(raw),
    )


def payment_of(row: Json, contract: Contract, dialect: Dialect) -> FundingPayment:
    """One funding settlement; received is positive."""
    amount = _number(row, "amount") * dialect.funding_sign
    return FundingPayment(contract.symbol, amount, contract.settle, time_of(row.get("timestamp")))


def time_of(milliseconds: object) -> datetime:
    """An instant. Raises Malformed."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or milliseconds <= 0:
        raise Malformed("a time is missing")
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def number(row: Json, name: str) -> Decimal | None:
    """A finite amount, or None where there is none. Raises Malformed for what is no number."""
    return None if row.get(name) is None else _number(row, name)


def _number(row: Json, name: str) -> Decimal:
    try:
        return decimal(row[name])
    except (BadInput, LookupError) as error:
        raise Malformed(f"{name} is no number") from error


def _limit(limits: Json, name: str, end: str = "min") -> Decimal:
    found = (limits.get(name) or {}).get(end)
    return decimal(found) if found is not None else ZERO


def _average(raw: Json, filled: Decimal, contract: Contract) -> Decimal:
    average = number(raw, "average")
    if average is None or average <= 0:
        cost = number(raw, "cost")
        if not cost or cost < 0:
            raise Malformed("the order's price is missing")
        size = filled * contract.contract_size
        average = cost / size if contract.linear else size / cost
    return average


def _fee(
    raw: Json, filled: Decimal, average: Decimal | None, contract: Contract, dialect: Dialect
) -> Decimal:
    """In quote units; the taker's rate where the exchange does not tell it with the order."""
    if not filled or average is None:
        return ZERO
    told = dialect.order_fee(raw.get("info") or {})
    fee = raw.get("fee")
    if told is None and isinstance(fee, Mapping) and fee.get("currency") == contract.settle:
        told = fee.get("cost")
    cost = abs(_number({"fee": told}, "fee")) if told is not None else ZERO
    if not cost:
        return abs(contract.notional(filled, average)) * contract.taker_fee
    return cost if contract.linear else cost * average


def _position(row: Json, amount: Decimal, contract: Contract, marks: Mapping[str, Decimal]) -> Position:
    side = _side(row)
    signed = abs(amount) if side == "long" else -abs(amount)
    entry = _number(row, "entryPrice")
    mark = number(row, "markPrice") or marks.get(contract.symbol)
    if not mark or entry <= 0:
        raise Malformed("a position has no price")
    size = signed * contract.contract_size
    gain = size * (mark - entry) if contract.linear else size * (1 / entry - 1 / mark) * mark
    told = number(row, "unrealizedPnl")
    worth = abs(contract.notional(signed, mark)) / (1 if contract.linear else mark)  # settle units
    told_mode = row.get("marginMode")
    mode = str(told_mode) if told_mode in ("cross", "isolated", "portfolio") else "unknown"
    initial = number(row, "initialMargin")
    leverage = number(row, "leverage") or (worth / initial if initial else Decimal(1))
    bound = number(row, "collateral") if mode == "isolated" else initial
    liquidation = number(row, "liquidationPrice")
    return Position(
        symbol=contract.symbol,
        contracts=signed,
        entry_price=entry,
        mark_price=mark,
        leverage=max(int(leverage.to_integral_value()), 1),
        margin_mode=mode,
        margin=bound if bound else worth / max(leverage, Decimal(1)),
        unrealized_pnl=gain if told is None or not contract.linear else told,
        liquidation_price=liquidation if liquidation and liquidation > 0 else None,
    )


def _side(row: Json) -> Literal["long", "short"]:
    """As ccxt has it; where it has none, as the exchange names it or signs the amount."""
    raw = row.get("info") or {}
    side = _SIDES.get(str(row.get("side"))) or _SIDES.get(str(raw.get("positionSide")).lower())
    if side is not None:
        return side
    signed = number(raw, "positionAmt")
    if not signed:
        raise Malformed("a position has no side")
    return "long" if signed > 0 else "short"


def _merged(sides: list[Position]) -> Position:
    """One position of several of one side."""
    if len(sides) == 1:
        return sides[0]
    larger = max(sides, key=lambda side: abs(side.contracts))
    return replace(
        larger,
        contracts=sum((side.contracts for side in sides), ZERO),
        margin=sum((side.margin for side in sides), ZERO),
        unrealized_pnl=sum((side.unrealized_pnl for side in sides), ZERO),
    )
