"""A small market for the tests of plans: prices, contracts, betas, and a plan in a line."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D

from hedging.market import Contract, Funding, Quote, Snapshot
from hedging.plan import Check, HedgePlan, propose
from hedging.portfolio import Holding, Position
from hedging.ratio import Estimate
from hedging.rules import HedgeRule

NOW = datetime(2025, 1, 1, tzinfo=UTC)
PRICES = {
    "BTC": D(60000),
    "ETH": D(3000),
    "SOL": D(150),
    "ADA": D("0.5"),
    "XYZ": D(2),
    "ODD": D(10),
    "USDT": D(1),
}
BETAS = {
    "SOL": Estimate(1.5, 0.1, 0.6, 500),
    "ADA": Estimate(1.25, 0.1, 0.5, 500),
    "XYZ": Estimate(1.2, 0.1, 0.4, 500),
    "ODD": Estimate(0.8, 0.4, 0.05, 500),
}


def contract(base: str, lot: str = "0.001", tick: str = "0.01", min_notional: str = "5") -> Contract:
    return Contract(
        symbol=f"{base}/USDT:USDT",
        base=base,
        quote="USDT",
        settle="USDT",
        linear=True,
        contract_size=D(1),
        lot=D(lot),
        tick=D(tick),
        min_amount=D(lot),
        min_notional=D(min_notional),
        taker_fee=D("0.0005"),
        maker_fee=D("0.0002"),
        maintenance_margin_rate=D("0.01"),
        max_leverage=50,
    )


def market(
    *contracts: Contract,
    prices: Mapping[str, D] = PRICES,
    funding: str = "0.0001",
    depth: str = "1000000",
) -> Snapshot:
    chosen = contracts or (contract("BTC"), contract("SOL", "0.1"), contract("ADA", "1", "0.0001"))
    return Snapshot(
        exchange="paper",
        time=NOW,
        spot=dict(prices),
        quotes={
            c.symbol: Quote(
                c.symbol, PRICES[c.base], PRICES[c.base], prices[c.base], prices[c.base], D(depth)
            )
            for c in chosen
        },
        funding={c.symbol: Funding(c.symbol, D(funding), 8, NOW) for c in chosen},
        contracts={c.symbol: c for c in chosen},
    )


def short(base: str, contracts: str, mode: str = "cross") -> Position:
    return Position(f"{base}/USDT:USDT", D(contracts), PRICES[base], PRICES[base], 2, mode, D(0), D(0), None)


def plan(
    *holdings: Holding,
    rule: HedgeRule | None = None,
    positions: tuple[Position, ...] = (),
    snapshot: Snapshot | None = None,
    betas: Mapping[str, Estimate] = BETAS,
    free: str = "100000",
) -> HedgePlan:
    return propose(
        rule=rule or HedgeRule(target=D("0.75")),
        holdings=holdings,
        positions=positions,
        snapshot=snapshot or market(),
        betas=betas,
        free_collateral=D(free),
    )


def check(made: HedgePlan, key: str) -> Check:
    return next(c for c in made.checks if c.key == key)


def traded(made: HedgePlan) -> dict[str, tuple[str, D]]:
    return {leg.symbol: (leg.side, leg.contracts) for leg in made.legs}


def carried_out(made: HedgePlan, positions: tuple[Position, ...] = ()) -> tuple[Position, ...]:
    after = {p.symbol: p for p in positions}
    for leg in made.legs:
        after[leg.symbol] = replace(short(leg.symbol.split("/")[0], "0"), contracts=leg.position_after)
    return tuple(p for p in after.values() if p.contracts != 0)
