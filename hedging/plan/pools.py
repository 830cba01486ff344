"""What backs the shorts of a plan: all free money where it is one pool, or that of each settle coin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hedging.margin import liquidation_price, maintenance_margin
from hedging.market import Contract, Snapshot
from hedging.money import ZERO, floor_to_step
from hedging.plan.parts import Leg
from hedging.portfolio import Position


@dataclass(frozen=True, slots=True)
class Pool:
    """Money that backs positions together, in US dollars. `coin`: the settle coin that it is of; empty: of them all."""

    coin: str
    free: Decimal  # before the legs
    needed: Decimal  # new margin and fees
    equity: Decimal  # free money after fees, and what cross positions have set aside
    upkeep: Decimal  # maintenance margin of everything open after
    short: Decimal  # notional of the shorts after
    opens: bool  # whether a leg opens or grows a short


def pools(
    positions: Sequence[Position],
    legs: Iterable[Leg],
    after: Mapping[str, Decimal],
    marks: Mapping[str, Decimal],
    snapshot: Snapshot,
    free: Decimal,
    free_in: Mapping[str, Decimal],
) -> Mapping[str, Pool]:
    """By coin. `after`: signed contracts of the shorts by symbol; `free_in`: free money by settle coin, empty where all
    is one pool of `free`."""
    legs = tuple(legs)
    listed = snapshot.contracts
    contracts = {s: c for s, c in after.items() if s in listed}
    longs = [p for p in positions if p.contracts > 0 and p.symbol in listed]
    symbols = [*contracts, *(p.symbol for p in longs)]
    coins = dict.fromkeys(listed[symbol].settle for symbol in symbols) if free_in else {"": None}

    def of(symbol: str, coin: str) -> bool:
        return symbol in listed and coin in ("", listed[symbol].settle)

    found = {}
    for coin in coins:
        mine = [leg for leg in legs if of(leg.symbol, coin)]
        fees = sum((leg.fee for leg in mine), ZERO)
        there = free_in.get(coin, ZERO) if free_in else free
        aside = sum((p.margin for p in positions if of(p.symbol, coin) and _cross(p, snapshot)), ZERO)
        open_after = [(s, c) for s, c in contracts.items() if of(s, coin)]
        open_after += [(p.symbol, p.contracts) for p in longs if of(p.symbol, coin)]
        found[coin] = Pool(
            coin=coin,
            free=there,
            needed=sum((leg.margin for leg in mine), ZERO) + fees,
            equity=there - fees + aside,
            upkeep=sum((upkeep(listed[s], c, marks[s]) for s, c in open_after), ZERO),
            short=sum((-listed[s].notional(c, marks[s]) for s, c in open_after if c < 0), ZERO),
            opens=any(not leg.reduce_only for leg in mine),
        )
    return found


def upkeep(contract: Contract, contracts: Decimal, mark: Decimal) -> Decimal:
    """Maintenance margin of a position, in quote units."""
    return maintenance_margin(contract.notional(contracts, mark), contract.maintenance_margin_rate)


def liquidation(leg: Leg, snapshot: Snapshot, pool: Pool) -> Decimal | None:
    """On the tick, down: the price at which the position after is taken away while all else stands still."""
    contract = snapshot.contract(leg.symbol)
    collateral = pool.equity - pool.upkeep + upkeep(contract, leg.position_after, leg.mark_price)
    backing = collateral if contract.linear else collateral / leg.mark_price
    price = liquidation_price(contract, leg.position_after, leg.mark_price, backing)
    return None if price is None else floor_to_step(price, contract.tick)


def _cross(position: Position, snapshot: Snapshot) -> bool:
    contract = snapshot.contracts.get(position.symbol)
    return contract is not None and contract.linear and position.margin_mode == "cross"
