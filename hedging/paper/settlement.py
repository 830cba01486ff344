"""What time does to an account: funding at every interval, and liquidation when the mark goes too far."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from hedging.carry import funding_payment
from hedging.market import Funding
from hedging.money import ZERO
from hedging.paper.account import PaperAccount, PaperPosition, maintenance, plus, unrealized, value

LIQUIDATION_FEE = Decimal("0.005")  # fraction of the liquidated value, kept by the exchange


@dataclass(frozen=True, slots=True)
class Marks:
    """Mark prices by symbol over the span that ends at `time` and begins where the last one ended. A symbol without a
    price keeps its last mark."""

    time: datetime
    high: Mapping[str, Decimal]
    low: Mapping[str, Decimal]
    close: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class FundingPaid:
    """One funding settlement of one position. `amount`: credited, in `asset`; negative is paid."""

    time: datetime
    symbol: str
    rate: Decimal
    amount: Decimal
    asset: str


@dataclass(frozen=True, slots=True)
class Liquidation:
    """A position that the exchange closed. `contracts`: signed, as held. `loss`: what the account lost by it with the
    liquidation fee, in `asset`; negative when it closed with a profit. `kind`: settlement when the contract ended."""

    time: datetime
    symbol: str
    contracts: Decimal
    price: Decimal
    loss: Decimal
    asset: str
    kind: Literal["liquidation", "settlement"] = "liquidation"


Event = FundingPaid | Liquidation


def settle(
    account: PaperAccount, path: Sequence[Marks], funding: Sequence[Funding]
) -> tuple[PaperAccount, tuple[Event, ...]]:
    """The account after the marks of `path` from `settled_at` on, and what happened on the way.

    `path`: ascending. `funding`: what was settled, ascending per symbol, with `next_time` the instant; each is charged
    once, at the close of the span in which it falls. Within a span the adverse extreme comes first (highs for shorts,
    lows for longs, of all positions at once, which is on the safe side), then funding, then the close.

    Liquidation: an isolated position when its collateral and unrealised profit fall to its maintenance margin; the
    cross positions of one settle asset, all of them, when the wallet and their profits fall to the sum of their
    maintenance margins. They are closed where that happens on the way from the last mark to the extreme, less
    LIQUIDATION_FEE; what that costs beyond the collateral is not owed (tally `insurance`). Exchanges liquidate large
    positions step by step; this one does not.

    Settling a path at once or mark by mark comes to the same.
    """
    events: list[Event] = []
    due = sorted(funding, key=lambda item: (item.next_time, item.symbol))
    for marks in path:
        if marks.time < account.settled_at:
            continue
        now = [item for item in due if account.settled_at < item.next_time <= marks.time]
        adverse = {
            symbol: (marks.high if position.contracts < 0 else marks.low).get(symbol, position.mark_price)
            for symbol, position in account.positions.items()
        }
        account = _liquidated(account, adverse, marks.time, events)
        account = _marked(account, marks.close)
        for item in now:
            account = _funded(account, item, events)
        account = _liquidated(account, {}, marks.time, events)
        account = replace(account, settled_at=marks.time)
    return account, tuple(events)


def settle_ended(
    account: PaperAccount, listed: Collection[str], time: datetime
) -> tuple[PaperAccount, tuple[Liquidation, ...]]:
    """The account without the positions whose contracts are not `listed` any more, settled at their last marks."""
    events = []
    for symbol, position in account.positions.items():
        if symbol in listed:
            continue
        gain, asset = unrealized(position), position.contract.settle
        kept = {name: other for name, other in account.positions.items() if name != symbol}
        account = replace(
            account,
            positions=kept,
            cash=plus(account.cash, asset, position.margin + gain),
            realized=plus(account.realized, asset, gain),
        )
        mark = position.mark_price
        events.append(Liquidation(time, symbol, position.contracts, mark, -gain, asset, "settlement"))
    return account, tuple(events)


def _marked(account: PaperAccount, close: Mapping[str, Decimal]) -> PaperAccount:
    positions = {
        symbol: replace(position, mark_price=close.get(symbol, position.mark_price))
        for symbol, position in account.positions.items()
    }
    return replace(account, positions=positions)


def _funded(account: PaperAccount, item: Funding, events: list[Event]) -> PaperAccount:
    position = account.positions.get(item.symbol)
    if position is None:
        return account
    asset = position.contract.settle
    amount = funding_payment(position.contracts, position.contract, position.mark_price, item.rate)
    events.append(FundingPaid(item.next_time, item.symbol, item.rate, amount, asset))
    account = replace(account, funding=plus(account.funding, asset, amount))
    if position.margin_mode == "cross":
        return replace(account, cash=plus(account.cash, asset, amount))
    charged = replace(position, margin=position.margin + amount)
    return replace(account, positions={**account.positions, item.symbol: charged})


def _liquidated(
    account: PaperAccount, reach: Mapping[str, Decimal], time: datetime, events: list[Event]
) -> PaperAccount:
    """The account without the positions that do not survive their marks moving to `reach`."""
    for group in _groups(account.positions.values()):
        isolated, asset = group[0].margin_mode == "isolated", group[0].contract.settle
        backing = group[0].margin if isolated else account.cash.get(asset, ZERO)
        there = [reach.get(position.contract.symbol, position.mark_price) for position in group]
        after = _surplus(backing, group, there)
        if after > 0:
            continue
        before = _surplus(backing, group, [position.mark_price for position in group])
        share = before / (before - after) if before > 0 else ZERO
        outcomes = []
        for position, extreme in zip(group, there, strict=True):
            price = position.mark_price + share * (extreme - position.mark_price)
            account, outcome = _taken(account, position, price)
            outcomes.append((outcome, price, position))
        left = backing
        for outcome, price, position in sorted(
            outcomes, key=lambda item: item[0], reverse=True
        ):  # gains pay losses
            borne = max(outcome, -left)
            left += borne
            account = replace(account, insurance=plus(account.insurance, asset, borne - outcome))
            events.append(
                Liquidation(time, position.contract.symbol, position.contracts, price, -borne, asset)
            )
        kept = account.cash.get(asset, ZERO) + left if isolated else left
        account = replace(account, cash={**account.cash, asset: kept})
    return account


def _groups(positions: Iterable[PaperPosition]) -> list[list[PaperPosition]]:
    """Positions that stand and fall together: every isolated one alone, the cross ones of an asset with each other."""
    groups: dict[str, list[PaperPosition]] = {}
    for position in positions:
        symbol, asset = position.contract.symbol, position.contract.settle
        groups.setdefault(symbol if position.margin_mode == "isolated" else asset, []).append(position)
    return list(groups.values())


def _surplus(backing: Decimal, group: Sequence[PaperPosition], prices: Sequence[Decimal]) -> Decimal:
    """What the group has above its maintenance margin at `prices`."""
    pairs = list(zip(group, prices, strict=True))
    return backing + sum((unrealized(one, price) - maintenance(one, price) for one, price in pairs), ZERO)


def _taken(account: PaperAccount, position: PaperPosition, price: Decimal) -> tuple[PaperAccount, Decimal]:
    """The account without a position but with its tallies, and the position's profit less the liquidation fee."""
    contract = position.contract
    gain = contract.profit(position.contracts, position.entry_price, price)
    cost = value(contract, position.contracts, price) * LIQUIDATION_FEE
    kept = {symbol: other for symbol, other in account.positions.items() if symbol != contract.symbol}
    taken = replace(
        account,
        positions=kept,
        realized=plus(account.realized, contract.settle, gain),
        fees=plus(account.fees, contract.settle, cost),
    )
    return taken, gain - cost
