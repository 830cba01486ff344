"""Paper accounts as JSON-able mappings, for the store; amounts as decimal text."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.ports.records import OrderReport
from hedging.market import Contract
from hedging.money import decimal
from hedging.paper import FundingPaid, Liquidation, PaperAccount, PaperPosition

_TALLIES = ("cash", "realized", "fees", "funding", "insurance")
_NO_AMOUNTS = ("symbol", "base", "quote", "settle", "linear", "max_leverage")  # of a contract
_LISTINGS = ("closes_at", "max_amount")  # of a contract: the listing's to tell, each time anew
_MOST_EVENTS = 100
_MOST_PAID = 400  # settlements of one position that are kept by themselves: more than anybody leaves unread


def encode(
    account: PaperAccount, forced: tuple[Liquidation, ...], paid: tuple[FundingPaid, ...]
) -> dict[str, Any]:
    """The state to save; of the forced closes, the latest hundred."""
    return {
        **{name: _texts(getattr(account, name)) for name in _TALLIES},
        "settled_at": account.settled_at.isoformat(),
        "positions": [_position(position) for position in account.positions.values()],
        "leverage": dict(account.leverage),
        "margin_modes": dict(account.margin_modes),
        "events": [_event(event) for event in forced[-_MOST_EVENTS:]],
        "paid": [_payment(event) for event in paid],
    }


def decode(
    state: Mapping[str, Any],
) -> tuple[PaperAccount, tuple[Liquidation, ...], tuple[FundingPaid, ...]]:
    """What `encode` was given. Raises ValueError, LookupError or TypeError for what it never wrote."""
    positions = [_read_position(item) for item in state["positions"]]
    account = PaperAccount(
        cash=_amounts(state["cash"]),
        settled_at=datetime.fromisoformat(state["settled_at"]),
        positions={position.contract.symbol: position for position in positions},
        leverage={symbol: int(leverage) for symbol, leverage in state["leverage"].items()},
        margin_modes=dict(state["margin_modes"]),
        realized=_amounts(state["realized"]),
        fees=_amounts(state["fees"]),
        funding=_amounts(state["funding"]),
        insurance=_amounts(state["insurance"]),
    )
    forced = tuple(_read_event(item) for item in state["events"])
    return account, forced, tuple(_read_payment(item) for item in state.get("paid", ()))


def kept(account: PaperAccount, paid: Sequence[FundingPaid]) -> tuple[FundingPaid, ...]:
    """What is worth keeping of the funding: all since the account last held nothing; of each contract the latest four
    hundred settlements by themselves and those before as one, at the time of its last."""
    if not account.positions:
        return ()
    by_symbol: dict[str, list[FundingPaid]] = {}
    for payment in paid:
        mine = by_symbol.setdefault(payment.symbol, [])
        mine.append(payment)
        if len(mine) > _MOST_PAID:
            first, second = mine[:2]
            mine[:2] = [replace(second, amount=first.amount + second.amount)]
    together = [payment for mine in by_symbol.values() for payment in mine]
    return tuple(sorted(together, key=lambda payment: (payment.time, payment.symbol)))


def encode_report(report: OrderReport, symbol: str) -> dict[str, Any]:
    """An order's report as it is kept beside its client id."""
    return {
        "symbol": symbol,
        "client_id": report.client_id,
        "order_id": report.order_id,
        "status": report.status,
        "filled": str(report.filled),
        "average_price": None if report.average_price is None else str(report.average_price),
        "fee": str(report.fee),
    }


def decode_report(row: Mapping[str, Any]) -> OrderReport:
    """The report that was kept."""
    return OrderReport(
        client_id=row["client_id"],
        order_id=row["order_id"],
        status=row["status"],
        filled=decimal(row["filled"]),
        average_price=None if row["average_price"] is None else decimal(row["average_price"]),
        fee=decimal(row["fee"]),
    )


def _position(position: PaperPosition) -> dict[str, Any]:
    return {
        "contract": {
            field.name: _plain(getattr(position.contract, field.name))
            for field in fields(Contract)
            if field.name not in _LISTINGS
        },
        "contracts": str(position.contracts),
        "entry_price": str(position.entry_price),
        "mark_price": str(position.mark_price),
        "leverage": position.leverage,
        "margin_mode": position.margin_mode,
        "margin": str(position.margin),
    }


def _read_position(item: Mapping[str, Any]) -> PaperPosition:
    kept = item["contract"]
    amounts = {name: decimal(kept[name]) for name in kept if name not in _NO_AMOUNTS}
    return PaperPosition(
        contract=Contract(**{**kept, **amounts}),
        contracts=decimal(item["contracts"]),
        entry_price=decimal(item["entry_price"]),
        mark_price=decimal(item["mark_price"]),
        leverage=int(item["leverage"]),
        margin_mode=item["margin_mode"],
        margin=decimal(item["margin"]),
    )


def _payment(payment: FundingPaid) -> dict[str, Any]:
    return {
        "time": payment.time.isoformat(),
        "symbol": payment.symbol,
        "rate": str(payment.rate),
        "amount": str(payment.amount),
        "asset": payment.asset,
    }


def _read_payment(item: Mapping[str, Any]) -> FundingPaid:
    return FundingPaid(
        time=datetime.fromisoformat(item["time"]),
        symbol=item["symbol"],
        rate=decimal(item["rate"]),
        amount=decimal(item["amount"]),
        asset=item["asset"],
    )


def _event(event: Liquidation) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "time": event.time.isoformat(),
        "symbol": event.symbol,
        "contracts": str(event.contracts),
        "price": str(event.price),
        "loss": str(event.loss),
        "asset": event.asset,
    }


def _read_event(item: Mapping[str, Any]) -> Liquidation:
    return Liquidation(
        time=datetime.fromisoformat(item["time"]),
        symbol=item["symbol"],
        contracts=decimal(item["contracts"]),
        price=decimal(item["price"]),
        loss=decimal(item["loss"]),
        asset=item["asset"],
        kind=item["kind"],
    )


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {asset: str(amount) for asset, amount in amounts.items()}


def _amounts(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {asset: decimal(amount) for asset, amount in texts.items()}
