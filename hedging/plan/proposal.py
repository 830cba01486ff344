"""A rule and a portfolio to the orders that bring the hedge to its target, or take it off."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from hedging.assets import underlying
from hedging.carry import fee, funding_per_month
from hedging.instruments import NOWHERE, Instruments
from hedging.margin import initial_margin
from hedging.market import Snapshot
from hedging.money import ZERO, cap_price, ceil_to_step, floor_to_step
from hedging.plan.checklist import Situation, checklist, plain
from hedging.plan.parts import Choice, HedgePlan, Leg, Purpose
from hedging.plan.pools import Pool, liquidation, pools
from hedging.plan.sizing import Target, choose, exposure, exposure_with, measured_beta, targets
from hedging.plan.splitting import split
from hedging.portfolio import Holding, Position
from hedging.ratio import Estimate
from hedging.rules import HedgeRule

NOTHING: Mapping[str, Decimal] = MappingProxyType({})


def propose(
    *,
    rule: HedgeRule,
    holdings: Sequence[Holding],
    positions: Sequence[Position],
    snapshot: Snapshot,
    betas: Mapping[str, Estimate],
    free_collateral: Decimal,
    purpose: Purpose = "hedge",
    own: Mapping[str, Decimal] = NOTHING,
    free_in: Mapping[str, Decimal] = NOWHERE,
) -> HedgePlan:
    """The orders from the present short positions to the rule's target.

    Each instrument's short should be target x sum of value x ratio (blueprint: value x portfolio beta / instrument
    beta x hedge ratio), rounded down to the lot; what is traded is the gap, reduce-only where it only reduces. A gap
    below the smallest order is left. A short that answers no holding any more is closed, and so is one that is about to
    be delisted. Long positions, shorts in contracts that are not quoted in dollars or are on another thing, and shorts
    whose prices are missing or strange just now are left alone and named in the checks. `own`: what
    their owner sold short by hand (signed contracts by symbol): it counts, but no order here buys it back, and neither
    its leverage nor that of a long beside it is changed. `free_collateral`: US dollars free for new margin; `free_in`:
    of them by settle coin, where each coin has a pool of its own. No leg: already at the target, or nothing can be
    traded, and the checks say which.

    Raises NothingToHedge, NotEnoughHistory.

    >>> from datetime import datetime, timezone
    >>> from hedging.market import Contract, Quote
    >>> D, at = Decimal, datetime(2025, 1, 1, tzinfo=timezone.utc)
    >>> numbers = (D(1), D(1), D(1), D(1), D(5), *(D("0.001"),) * 3, 50)
    >>> sol = Contract("SOL/USDT:USDT", "SOL", "USDT", "USDT", True, *numbers)
    >>> quote = Quote(sol.symbol, D(150), D(150), D(150), D(150), D(1_000_000))
    >>> market = Snapshot("paper", at, {"SOL": D(150)}, {sol.symbol: quote}, {}, {sol.symbol: sol})
    >>> known = {"holdings": [Holding("SOL", D(120))], "positions": [], "snapshot": market, "betas": {}}
    >>> plan = propose(rule=HedgeRule(D("0.75")), free_collateral=D(10_000), **known)
    >>> [(leg.side, leg.contracts, leg.notional, leg.margin) for leg in plan.legs], plan.after.coverage
    ([('sell', Decimal('90'), Decimal('13500'), Decimal('6750'))], Decimal('0.75'))
    """
    money = _in_dollars(positions, snapshot)
    at = Instruments(snapshot, money, free_in)
    choices = choose(holdings, snapshot, betas, rule.factor, at, rule.target / rule.leverage)
    aims = targets(choices, snapshot, betas, rule.factor, rule.target, at)
    held = {position.symbol: position for position in money if position.contracts < 0}
    longs = {position.symbol: position for position in money if position.contracts > 0}
    answers_nothing = {
        symbol: Target(snapshot.contracts[symbol], ZERO, ())
        for symbol in held
        if symbol not in aims.wanted and symbol not in aims.kept and _closable(symbol, choices, snapshot, at)
    }
    wanted = {**aims.wanted, **answers_nothing}
    legs: list[Leg] = []
    too_small: set[str] = set()
    for symbol, target in wanted.items():
        current = held[symbol].contracts if symbol in held else ZERO
        if symbol in longs and not longs[symbol].beside:
            continue
        mine = own.get(symbol, ZERO)
        theirs = (held.get(symbol) or longs.get(symbol)) if mine or symbol in longs else None
        leg = _gap(target, current, snapshot, rule, kept=-mine, leverage=theirs.leverage if theirs else None)
        if leg is not None:
            legs.append(leg)
        elif current == 0 and target.notional > 0:
            too_small.add(symbol)
    choices = tuple(
        replace(c, method="none", reason="too_small") if c.symbol in too_small else c for c in choices
    )
    reduced = {leg.symbol for leg in legs if leg.reduce_only}
    others = [p.symbol for p in positions if p.symbol not in held and p.symbol not in longs]
    stays = [s for s in held if s not in wanted and s not in aims.kept]
    stays += [s for s in answers_nothing if s in own and s not in reduced]
    left_alone = tuple(dict.fromkeys([*longs, *stays, *others]))
    return _assemble(
        purpose, rule, holdings, money, snapshot, betas, free_collateral, legs, choices, left_alone,
        free_in=free_in, paused=aims.paused,
    )  # fmt: skip


def unwind(
    *,
    rule: HedgeRule,
    positions: Sequence[Position],
    snapshot: Snapshot,
    holdings: Sequence[Holding],
    betas: Mapping[str, Estimate],
    free_collateral: Decimal = ZERO,
    own: Mapping[str, Decimal] = NOTHING,
    asset: str = "",
    share: Decimal = Decimal(1),
) -> HedgePlan:
    """Reduce-only orders that close every short position, whatever it protects and whoever opened it; `own` (as above)
    is named in the checks. Longs are left alone, and so are positions in contracts that the snapshot no longer quotes.
    With `asset` only shorts in that coin's contracts are closed, and of each only `share`, down to the lot. No leg:
    nothing is short, or too little to trade."""
    money = _in_dollars(positions, snapshot)
    choices = choose(holdings, snapshot, betas, rule.factor, Instruments(snapshot, money))
    legs, left_alone, paused = [], [], []
    for position in positions:
        contract, quoted = snapshot.contracts.get(position.symbol), position.symbol in snapshot.quotes
        if position.contracts < 0 and asset and (contract is None or contract.base != asset):
            continue
        listed = contract is not None and contract.in_dollars and position.contracts < 0
        if listed and not quoted:
            paused.append(position.symbol)
        elif contract is not None and listed:
            target = Target(contract, ZERO, tuple(c.asset for c in choices if c.symbol == position.symbol))
            stays = -position.contracts - floor_to_step(-position.contracts * share, contract.lot)
            kept = stays if share < 1 else ZERO
            leg = _gap(target, position.contracts, snapshot, rule, kept=kept)
            if leg is not None:
                legs.append(leg)
                continue
        if position.contracts != 0:
            left_alone.append(position.symbol)
    return _assemble(
        "unhedge",
        rule,
        holdings,
        money,
        snapshot,
        betas,
        free_collateral,
        legs,
        choices,
        tuple(left_alone),
        own,
        paused=tuple(paused),
    )


def digest(plan: HedgePlan, user_id: int) -> str:
    """SHA-256, as hex, over whose orders these are and everything that is sent: symbol, side, contracts, limit price,
    reduce-only, leverage, and the parts of what is split, in order. Equal amounts written differently (1.0, 1.00) give
    the same digest."""
    legs = [
        [leg.symbol, leg.side, plain(leg.contracts), plain(leg.limit_price), leg.reduce_only, leg.leverage]
        + ([[plain(part) for part in leg.parts]] if leg.parts else [])
        for leg in plan.legs
    ]
    told = json.dumps([user_id, plan.purpose, plan.exchange, legs], separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def _closable(symbol: str, choices: Sequence[Choice], snapshot: Snapshot, at: Instruments) -> bool:
    """Whether a short that answers no holding may be closed now. One that is called like a holding, and has another
    price, is not: it may be the price that is wrong."""
    contract = snapshot.contracts.get(symbol)
    if contract is None or symbol not in snapshot.quotes:
        return False
    called = {at.coin(choice.asset) for choice in choices}
    return underlying(contract.base, snapshot.aliases) not in called or at.paused(contract) is None


def _gap(
    target: Target,
    current: Decimal,
    snapshot: Snapshot,
    rule: HedgeRule,
    *,
    kept: Decimal = ZERO,
    leverage: int | None = None,
) -> Leg | None:
    """The order that moves `current` (signed contracts, not long) to the target; None when it is too small to send.
    `kept`: contracts that stay short whatever the target. `leverage`: what is not to be changed."""
    contract = target.contract
    mark = snapshot.quote(contract.symbol).mark
    short = -current
    gap = contract.contracts(target.notional, mark) - short
    reduces = gap < 0
    if reduces:
        # Up to the lot, so that what remains never exceeds the target; never more than there is, so it never flips.
        amount = min(ceil_to_step(-gap, contract.lot), short - kept)
        closes = amount == short
    else:
        amount, closes = floor_to_step(gap, contract.lot), False
    notional = contract.notional(amount, mark)
    if amount <= 0 or (not closes and (amount < contract.min_amount or notional < contract.min_notional)):
        return None
    leverage = leverage or min(rule.leverage, contract.max_leverage)
    worst = mark * (1 + rule.max_slippage if reduces else 1 - rule.max_slippage)
    return Leg(
        symbol=contract.symbol,
        side="buy" if reduces else "sell",
        contracts=amount,
        limit_price=cap_price(worst, contract.tick, selling=not reduces),
        mark_price=mark,
        notional=notional,
        reduce_only=reduces,
        leverage=leverage,
        fee=fee(notional, contract.taker_fee),
        margin=ZERO if reduces else initial_margin(notional, leverage),
        position_after=current + (amount if reduces else -amount),
        liquidation_price=None,
        assets=target.assets,
        parts=split(amount, contract),
    )


def _assemble(
    purpose: Purpose,
    rule: HedgeRule,
    holdings: Sequence[Holding],
    positions: Sequence[Position],
    snapshot: Snapshot,
    betas: Mapping[str, Estimate],
    free_collateral: Decimal,
    legs: list[Leg],
    choices: tuple[Choice, ...],
    left_alone: tuple[str, ...],
    own: Mapping[str, Decimal] = NOTHING,
    *,
    free_in: Mapping[str, Decimal] = NOWHERE,
    paused: tuple[str, ...] = (),
) -> HedgePlan:
    legs = sorted(legs, key=lambda leg: (not leg.reduce_only, -leg.notional, leg.symbol))
    marks = {p.symbol: p.mark_price for p in positions} | {s: q.mark for s, q in snapshot.quotes.items()}
    signed = {p.symbol: p.contracts for p in positions if p.contracts < 0}
    signed |= {leg.symbol: leg.position_after for leg in legs}
    fees = sum((leg.fee for leg in legs), ZERO)
    backing = pools(positions, legs, signed, marks, snapshot, free_collateral, free_in)
    legs = [
        replace(leg, liquidation_price=liquidation(leg, snapshot, backing[_pool(leg, snapshot, free_in)]))
        for leg in legs
    ]
    shorts = {
        s: -snapshot.contracts[s].notional(c, marks[s])
        for s, c in signed.items()
        if c < 0 and s in snapshot.contracts
    }
    funding = {
        s: funding_per_month(notional, snapshot.funding[s])
        for s, notional in shorts.items()
        if s in snapshot.funding
    }
    before = exposure(holdings, positions, snapshot, betas, rule.factor)
    open_after = {s: (c, marks[s]) for s, c in signed.items()}
    after = exposure_with(holdings, open_after, snapshot, betas, rule.factor)
    margin = sum((leg.margin for leg in legs), ZERO)
    situation = Situation(
        purpose=purpose,
        rule=rule,
        choices=choices,
        legs=tuple(legs),
        measured=frozenset(
            c.asset for c in choices if measured_beta(c.asset, betas, rule.factor, snapshot.aliases)
        ),
        before=before,
        after=after,
        shorts=shorts,
        pools=tuple(backing.values()),
        funding=funding,
        isolated=tuple(p.symbol for p in positions if p.contracts < 0 and p.margin_mode != "cross"),
        depth={s: snapshot.quotes[s].depth for s in shorts if s in snapshot.quotes},
        left_alone=left_alone,
        paused=paused,
        own=tuple(
            _own(leg, own[leg.symbol], snapshot) for leg in legs if leg.reduce_only and own.get(leg.symbol)
        ),
    )
    return HedgePlan(
        purpose=purpose,
        exchange=snapshot.exchange,
        target=rule.target,
        factor=rule.factor,
        legs=tuple(legs),
        choices=choices,
        checks=checklist(situation),
        before=before,
        after=after,
        fees=fees,
        funding_per_month=sum(funding.values(), ZERO),
        margin=margin,
        free_collateral=_free(backing.values(), free_collateral),
        quoted_at=snapshot.time,
    )


def _own(leg: Leg, own: Decimal, snapshot: Snapshot) -> str:
    """How much of what is bought back its owner had sold by hand: 0.05 BTC."""
    contract, amount = snapshot.contract(leg.symbol), min(-own, leg.contracts)
    if not contract.linear:
        return f"{plain(contract.notional(amount, leg.mark_price))} {contract.quote}"
    return f"{plain(amount * contract.contract_size)} {contract.base}"


def _pool(leg: Leg, snapshot: Snapshot, free_in: Mapping[str, Decimal]) -> str:
    """The coin whose pool backs a leg."""
    return snapshot.contract(leg.symbol).settle if free_in else ""


def _free(backing: Iterable[Pool], otherwise: Decimal) -> Decimal:
    """What is free in the pools that the legs draw upon."""
    drawn = [pool.free for pool in backing if pool.opens]
    return sum(drawn, ZERO) if drawn else otherwise


def _in_dollars(positions: Sequence[Position], snapshot: Snapshot) -> list[Position]:
    """Without positions in contracts that are quoted in another coin: they are no sums of dollars."""
    contracts = snapshot.contracts
    return [p for p in positions if p.symbol not in contracts or contracts[p.symbol].in_dollars]
