"""How exposed somebody is, which short answers each holding, and how large it should be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from hedging.assets import KNOWN, Alias, resolve, underlying
from hedging.errors import NotEnoughHistory, NothingToHedge
from hedging.market import Contract, Snapshot
from hedging.money import ZERO, decimal
from hedging.plan.parts import Choice
from hedging.portfolio import Exposure, Holding, Position
from hedging.ratio import Estimate

WEAK_R_SQUARED = 0.1  # a factor that explains less than this of a coin's moves is no hedge of it
UNMEASURED = Estimate(1.0, 0.0, 0.0, 0)  # a coin nobody has measured is taken to move like the factor


@dataclass(frozen=True, slots=True)
class Target:
    """What one instrument should be short. `notional`: quote units, before rounding; `assets`: whom it protects."""

    contract: Contract
    notional: Decimal
    assets: tuple[str, ...]


def instrument_for(asset: str, snapshot: Snapshot) -> Contract | None:
    """The quoted linear perpetual, not about to be delisted, on `asset` itself, or else on what it stands for: ETH for
    stETH, POL for MATIC, 1000PEPE for PEPE."""
    coin = resolve(asset, snapshot.aliases).asset
    own = snapshot.perpetual_of(asset) or snapshot.perpetual_of(coin)
    if own is not None:
        return own
    for contract in snapshot.contracts.values():
        follows = underlying(contract.base, snapshot.aliases)
        if contract.linear and snapshot.stays(contract) and follows == coin:
            return contract
    return None


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
    that the snapshot does not know, are left out.

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
        if contract is not None and contracts < 0:
            quote = snapshot.quotes.get(symbol)
            notional = -contract.notional(contracts, mark if quote is None else quote.mark)
            offset += notional * beta_weight(underlying(contract.base, aliases), betas, factor, aliases)
    return Exposure(value, gross, offset)


def choose(
    holdings: Iterable[Holding], snapshot: Snapshot, betas: Mapping[str, Estimate], factor: str
) -> tuple[Choice, ...]:
    """One choice a holding: a direct short where the coin has a linear perpetual, otherwise the factor's perpetual in
    proportion to beta, otherwise nothing, each with its reason."""
    return tuple(_choice(holding, snapshot, betas, factor) for holding in holdings)


def _choice(holding: Holding, snapshot: Snapshot, betas: Mapping[str, Estimate], factor: str) -> Choice:
    asset = holding.asset
    value = value_of(holding, snapshot)
    measured = measured_beta(asset, betas, factor, snapshot.aliases)
    fit = measured or UNMEASURED

    def choice(method: str, symbol: str | None, ratio: float, reason: str) -> Choice:
        return Choice(
            asset=asset,
            value=value or ZERO,
            method="direct" if method == "direct" else "cross" if method == "cross" else "none",
            symbol=symbol,
            ratio=ratio,
            beta=fit.beta,
            beta_se=fit.se,
            r_squared=fit.r_squared,
            reason=reason,
        )

    if resolve(asset, snapshot.aliases).kind == "stable":
        return choice("none", None, 0.0, "stablecoin")
    if value is None:
        return choice("none", None, 0.0, "no_price")
    own = instrument_for(asset, snapshot)
    if own is not None:
        return choice("direct", own.symbol, 1.0, "direct")
    if measured is None:
        return choice("none", None, 0.0, "no_history")
    if not (measured.r_squared >= WEAK_R_SQUARED and measured.beta > 0):
        return choice("none", None, 0.0, "weak_fit")
    cross = instrument_for(factor, snapshot)
    if cross is None:
        return choice("none", None, 0.0, "no_contract")
    return choice("cross", cross.symbol, measured.beta, "cross")


def targets(choices: Sequence[Choice], snapshot: Snapshot, factor: str, share: Decimal) -> dict[str, Target]:
    """Symbol -> what it should be short: share x sum of value x ratio over the holdings that it answers.

    A perpetual that could answer a holding and now answers none (the factors', above all) has a target of zero: what
    is left there of an earlier hedge is to be closed. Raises NothingToHedge when no priced holding is exposed,
    NotEnoughHistory when none could be measured and none has a perpetual of its own.
    """
    exposed = [c for c in choices if c.reason not in ("stablecoin", "no_price") and c.value > 0]
    if not exposed:
        raise NothingToHedge("There is no holding with a price that a short could protect.")
    if all(c.reason == "no_history" for c in exposed):
        raise NotEnoughHistory("There is too little price history to measure how these coins move.")
    wanted: dict[str, Target] = {}
    for asset in (*(c.asset for c in choices), factor, "BTC", "ETH"):
        contract = instrument_for(asset, snapshot)
        if contract is not None:
            wanted[contract.symbol] = Target(contract, ZERO, ())
    for c in exposed:
        if c.symbol is not None:
            at = wanted[c.symbol]
            size = at.notional + share * c.value * decimal(c.ratio)
            wanted[c.symbol] = Target(at.contract, size, (*at.assets, c.asset))
    return wanted
