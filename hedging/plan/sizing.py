"""How exposed somebody is, which short answers each holding, and how large it should be."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import isfinite
from typing import Literal, get_args

from hedging.assets import KNOWN, Alias, resolve, underlying
from hedging.errors import NotEnoughHistory, NothingToHedge
from hedging.instruments import Instruments, Pause, Pick
from hedging.market import Contract, Snapshot
from hedging.money import ZERO, decimal
from hedging.plan.parts import Choice
from hedging.portfolio import Exposure, Holding, Position
from hedging.ratio import Estimate

WEAK_R_SQUARED = 0.1  # a factor that explains less than this of a coin's moves is no hedge of it
PAUSED: tuple[str, ...] = get_args(Pause)
UNMEASURED = Estimate(1.0, 0.0, 0.0, 0)  # a coin nobody has measured is taken to move like the factor


@dataclass(frozen=True, slots=True)
class Target:
    """What one instrument should be short. `notional`: quote units, before rounding; `assets`: whom it protects."""

    contract: Contract
    notional: Decimal
    assets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Targets:
    """`wanted`: by symbol; a short in none of them answers nothing any more. `kept`: shorts that stay as they are
    beside those. `paused`: holdings whose shorts stay as they are because a price is missing or strange just now."""

    wanted: Mapping[str, Target]
    kept: frozenset[str]
    paused: tuple[str, ...]


def value_of(holding: Holding, snapshot: Snapshot) -> Decimal | None:
    """US dollars at spot, None without a price. A stablecoin that the exchange does not list counts as one dollar, a
    wrapped or renamed coin as what it is redeemed for."""
    price = snapshot.spot.get(holding.asset)
    alias = resolve(holding.asset, snapshot.aliases)
    if price is None and alias.kind == "stable":
        price = Decimal(1)
    if price is None:
        stands_for = snapshot.spot.get(alias.asset)
        price = None if stands_for is None or alias.units is None else stands_for * alias.units
    return None if price is None else holding.amount * price


def measured_beta(
    asset: str, betas: Mapping[str, Estimate], factor: str, aliases: Mapping[str, Alias] = KNOWN
) -> Estimate | None:
    """The estimate of `asset`, or of what it stands for; the factor moves exactly like itself."""
    coin = resolve(asset, aliases).asset
    known = betas.get(asset) or betas.get(coin)
    if factor in (asset, coin):
        return Estimate(1.0, 0.0, 1.0, known.n if known else 0)
    return known


def beta_weight(
    asset: str, betas: Mapping[str, Estimate], factor: str, aliases: Mapping[str, Alias] = KNOWN
) -> Decimal:
    """Dollars of factor per dollar of `asset` when exposure is added up: its beta, not below 0; 1 when unmeasured."""
    beta = (measured_beta(asset, betas, factor, aliases) or UNMEASURED).beta
    return max(decimal(beta), ZERO) if isfinite(beta) else Decimal(1)


def exposure(
    holdings: Iterable[Holding],
    positions: Iterable[Position],
    snapshot: Snapshot,
    betas: Mapping[str, Estimate],
    factor: str,
) -> Exposure:
    """Beta-weighted exposure of the priced holdings and the share that the short positions offset, in US dollars.

    `value` includes stablecoins; `gross` = sum of value x beta over the others; `offset` = sum of short notional at
    the mark x beta of the short's base. Long positions offset nothing. What has no price, and positions in contracts
    that the snapshot does not know, that are not quoted in dollars or are on another thing, are left out.

    >>> from datetime import datetime, timezone
    >>> at, prices = datetime(2025, 1, 1, tzinfo=timezone.utc), {"SOL": Decimal(150), "USDT": Decimal(1)}
    >>> held = [Holding("SOL", Decimal(100)), Holding("USDT", Decimal(500))]
    >>> market, betas = Snapshot("paper", at, prices, {}, {}, {}), {"SOL": Estimate(1.5, 0.1, 0.6, 500)}
    >>> got = exposure(held, [], market, betas, "BTC")
    >>> got.value, got.gross, got.offset
    (Decimal('15500'), Decimal('22500.0'), Decimal('0'))
    """
    open_now = {p.symbol: (p.contracts, p.mark_price) for p in positions if p.contracts < 0}
    return exposure_with(holdings, open_now, snapshot, betas, factor)


def exposure_with(
    holdings: Iterable[Holding],
    open_now: Mapping[str, tuple[Decimal, Decimal]],
    snapshot: Snapshot,
    betas: Mapping[str, Estimate],
    factor: str,
) -> Exposure:
    """The same with positions as symbol -> (signed contracts, mark price where the snapshot has no quote)."""
    value = gross = offset = ZERO
    aliases = snapshot.aliases
    for holding in holdings:
        worth = value_of(holding, snapshot)
        if worth is not None:
            value += worth
            if resolve(holding.asset, aliases).kind != "stable":
                gross += worth * beta_weight(holding.asset, betas, factor, aliases)
    for symbol, (contracts, mark) in open_now.items():
        contract = snapshot.contracts.get(symbol)
        hedges = contract is not None and contract.in_dollars and snapshot.fit(contract) != "another"
        if contract is not None and hedges and contracts < 0:
            quote = snapshot.quotes.get(symbol)
            notional = -contract.notional(contracts, mark if quote is None else quote.mark)
            offset += notional * beta_weight(underlying(contract.base, aliases), betas, factor, aliases)
    return Exposure(value, gross, offset)


def choose(
    holdings: Iterable[Holding],
    snapshot: Snapshot,
    betas: Mapping[str, Estimate],
    factor: str,
    instruments: Instruments | None = None,
    margin: Decimal = ZERO,
) -> tuple[Choice, ...]:
    """One choice a holding: a direct short where the coin has a linear perpetual, otherwise the factor's perpetual in
    proportion to beta, otherwise nothing, each with its reason. `margin`: dollars of it for a dollar short."""
    at = instruments or Instruments(snapshot)
    choices = [_choice(holding, snapshot, betas, factor, at) for holding in holdings]
    needs: defaultdict[str, Decimal] = defaultdict(Decimal)  # by coin, over all holdings that it answers
    for one in choices:
        needs[_answer(one, factor, at)] += margin * one.value * decimal(one.ratio)
    return tuple(_with_margin(one, factor, at, needs) for one in choices)


def _answer(choice: Choice, factor: str, at: Instruments) -> str:
    """The coin whose contracts answer the holding."""
    return at.coin(choice.asset if choice.method == "direct" else factor)


def _with_margin(choice: Choice, factor: str, at: Instruments, needs: Mapping[str, Decimal]) -> Choice:
    """The choice in the contract that settles where its margin is free."""
    if choice.symbol is None:
        return choice
    asset = choice.asset if choice.method == "direct" else factor
    pick = at.pick(asset, needs[at.coin(asset)])
    symbol = pick.contract.symbol if pick.contract else None
    return replace(choice, symbol=symbol, reason=pick.paused or choice.method)


def _choice(
    holding: Holding, snapshot: Snapshot, betas: Mapping[str, Estimate], factor: str, at: Instruments
) -> Choice:
    asset = holding.asset
    value = value_of(holding, snapshot)
    measured = measured_beta(asset, betas, factor, snapshot.aliases)
    fit = measured or UNMEASURED
    own = at.pick(asset)

    def choice(
        method: Literal["direct", "cross", "none"], reason: str, pick: Pick | None = None, ratio: float = 0.0
    ) -> Choice:
        contract = pick.contract if pick else None
        return Choice(
            asset=asset,
            value=value or ZERO,
            method=method,
            symbol=contract.symbol if contract else None,
            ratio=ratio,
            beta=fit.beta,
            beta_se=fit.se,
            r_squared=fit.r_squared,
            reason=reason,
            another=own.another and method != "direct",
        )

    if resolve(asset, snapshot.aliases).kind == "stable":
        return choice("none", "stablecoin")
    if value is None:
        return choice("none", "no_price")
    if own.contract is not None:
        return choice("direct", "direct", own, 1.0)
    if measured is None:
        return choice("none", "no_history")
    if not (measured.r_squared >= WEAK_R_SQUARED and measured.beta > 0):
        return choice("none", "weak_fit")
    cross = at.pick(factor)
    if cross.contract is None:
        return choice("none", "no_contract")
    return choice("cross", "cross", cross, measured.beta)


def targets(
    choices: Sequence[Choice],
    snapshot: Snapshot,
    betas: Mapping[str, Estimate],
    factor: str,
    share: Decimal,
    instruments: Instruments,
) -> Targets:
    """What each contract should be short: share x sum of value x ratio over the holdings that it answers, less what
    other contracts on the same coin are short already, which stay as far as the sum allows.

    Where a price is missing or strange just now, everything that is short on that coin stays as it is. Raises
    NothingToHedge when no priced holding is exposed, NotEnoughHistory when none could be measured and none has a
    perpetual of its own.
    """
    exposed = [c for c in choices if c.reason not in ("stablecoin", "no_price") and c.value > 0]
    unpriced = {
        c.asset: _coins_of(c.asset, snapshot, betas, factor, instruments)
        for c in choices
        if c.reason == "no_price"
    }
    waiting = {asset: coins for asset, coins in unpriced.items() if coins}
    if not exposed and not waiting:
        raise NothingToHedge("There is no holding with a price that a short could protect.")
    if exposed and all(c.reason == "no_history" for c in exposed):
        raise NotEnoughHistory("There is too little price history to measure how these coins move.")
    groups: defaultdict[str, list[Choice]] = defaultdict(list)  # by the coin whose contracts answer them
    for c in exposed:
        if c.symbol is not None:
            groups[_answer(c, factor, instruments)].append(c)
    paused = [c for c in exposed if c.reason in PAUSED]
    still = {coin for coins in waiting.values() for coin in coins}
    still |= {coin for coin, group in groups.items() if any(c in paused for c in group)}
    kept = {one.symbol for coin in still for one in instruments.shorts_on(coin)}
    wanted: dict[str, Target] = {}
    for coin, group in groups.items():
        if coin not in still:
            beside = _beside(_totals(group, share, snapshot), coin, instruments)
            wanted |= beside.wanted
            kept |= beside.kept
    return Targets(wanted, frozenset(kept), (*(c.asset for c in paused), *waiting))


def _totals(group: Iterable[Choice], share: Decimal, snapshot: Snapshot) -> dict[str, Target]:
    """By contract: share x sum of value x ratio."""
    found: dict[str, Target] = {}
    for c in group:
        if c.symbol is not None:
            at = found.get(c.symbol) or Target(snapshot.contract(c.symbol), ZERO, ())
            size = at.notional + share * c.value * decimal(c.ratio)
            found[c.symbol] = Target(at.contract, size, (*at.assets, c.asset))
    return found


def _coins_of(
    asset: str, snapshot: Snapshot, betas: Mapping[str, Estimate], factor: str, at: Instruments
) -> tuple[str, ...]:
    """The coins whose shorts may answer a holding that has no price just now: its own, and the factor where it had a
    price lately."""
    coins = [at.coin(asset)] if at.shorts_on(at.coin(asset)) else []
    lately = measured_beta(asset, betas, factor, snapshot.aliases) is not None
    if not coins and lately and at.shorts_on(at.coin(factor)):
        coins = [at.coin(factor)]
    return tuple(coins)


def _beside(chosen: dict[str, Target], coin: str, at: Instruments) -> Targets:
    """The chosen contracts' targets less what is short on the same coin besides: that stays as it is, and only what
    exceeds all of them is bought back there."""
    wanted = dict(chosen)
    kept: set[str] = set()
    for contract in at.shorts_on(coin):
        if contract.symbol in chosen or contract.closes_at is not None:
            continue  # what is about to be delisted is closed
        left, short = sum((wanted[symbol].notional for symbol in chosen), ZERO), at.notional(contract)
        if short <= left or at.paused(contract):
            kept.add(contract.symbol)
        else:
            wanted[contract.symbol] = Target(contract, left, ())
        for symbol in chosen:
            taken = min(short, wanted[symbol].notional)
            wanted[symbol] = replace(wanted[symbol], notional=wanted[symbol].notional - taken)
            short -= taken
    return Targets(wanted, frozenset(kept), ())
