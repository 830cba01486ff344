"""What a coin really is: wrapped, staked, renamed, or sold by the thousand.

The table is short on purpose and can be extended: pass `{**KNOWN, "MYETH": Alias("ETH", Decimal(1), "staked")}` where a
function takes `known` (or in a snapshot), or write the rows into a file (`table` reads it).
"""

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal, get_args

from hedging.errors import BadInput, UnknownAsset

Kind = Literal["plain", "stable", "wrapped", "staked", "renamed"]

# Money and coins that follow it: part of the value, no exposure.
STABLECOINS = frozenset(
    ("USD", "USDT", "USDC", "DAI", "FDUSD", "TUSD", "USDE", "USDS", "USDP", "USDD")
) | frozenset(("PYUSD", "RLUSD", "USD1", "BUSD", "GUSD", "LUSD", "FRAX", "CRVUSD", "GHO"))


@dataclass(frozen=True, slots=True)
class Alias:
    """`asset`: what it moves with. `units`: of that asset per unit, where that is fixed; None for staked coins that
    grow against it and have a price of their own."""

    asset: str
    units: Decimal | None
    kind: Kind


def _same(kind: Kind, asset: str, *names: str, units: int | str | None = 1) -> dict[str, Alias]:
    fixed = None if units is None else Decimal(units)
    return {name: Alias(asset, fixed, kind) for name in names}


KNOWN: Mapping[str, Alias] = {
    # Claims on the coin itself, redeemable one for one.
    **_same("wrapped", "BTC", "WBTC", "CBBTC", "TBTC", "BTCB", "FBTC"),
    **_same("wrapped", "ETH", "WETH"),
    **_same("wrapped", "BNB", "WBNB"),
    **_same("wrapped", "SOL", "WSOL"),
    **_same("wrapped", "AVAX", "WAVAX"),
    # Staked: stETH pays by growing in number, the others by growing in worth.
    **_same("staked", "ETH", "STETH"),
    **_same("staked", "ETH", "WSTETH", "RETH", "CBETH", "WBETH", "WEETH", "EZETH", "METH", units=None),
    **_same("staked", "SOL", "JITOSOL", "MSOL", "BNSOL", "JUPSOL", "BSOL", units=None),
    **_same("staked", "AVAX", "SAVAX", units=None),
    **_same("staked", "POL", "MATICX", units=None),
    # Renamed, with the ratio of the swap.
    **_same("renamed", "POL", "MATIC"),
    **_same("renamed", "S", "FTM"),
    **_same("renamed", "RENDER", "RNDR"),
    **_same("renamed", "KAIA", "KLAY"),
    **_same("renamed", "A", "EOS"),
    **_same("renamed", "XNO", "NANO"),
    **_same("renamed", "VIC", "TOMO"),
    **_same("renamed", "SKY", "MKR", units=24_000),
    **_same("renamed", "G", "GAL", units=60),
}

_BEFORE = re.compile(r"(1000000|100000|10000|1000|1M)([A-Z][A-Z0-9]*)")  # 1000PEPE, 1MBABYDOGE
_BEHIND = re.compile(r"([A-Z][A-Z0-9]*[A-Z])(1000000|10000|1000)")  # SHIB1000
_COUNT = {"1M": 1_000_000}


def resolve(asset: str, known: Mapping[str, Alias] = KNOWN) -> Alias:
    """What `asset` moves with.

    >>> resolve("WBTC").asset, resolve("MKR").units, resolve("JITOSOL").units, resolve("SOL").kind
    ('BTC', Decimal('24000'), None, 'plain')
    """
    if asset in known:
        return known[asset]
    return Alias(asset, Decimal(1), "stable" if asset in STABLECOINS else "plain")


@lru_cache(maxsize=8192)
def contract_base(base: str) -> tuple[str, int]:
    """The coin under a contract's base and how many of it one unit of the base is.

    >>> contract_base("1000PEPE"), contract_base("1MBABYDOGE"), contract_base("SHIB1000"), contract_base("1INCH")
    (('PEPE', 1000), ('BABYDOGE', 1000000), ('SHIB', 1000), ('1INCH', 1))
    """
    before = _BEFORE.fullmatch(base)
    if before is not None:
        return before[2], _COUNT.get(before[1]) or int(before[1])
    behind = _BEHIND.fullmatch(base)
    if behind is not None:
        return behind[1], int(behind[2])
    return base, 1


def underlying(base: str, known: Mapping[str, Alias] = KNOWN) -> str:
    """The coin that a contract on `base` follows, by its present name.

    >>> underlying("1000PEPE"), underlying("MATIC"), underlying("WBTC")
    ('PEPE', 'POL', 'BTC')
    """
    return resolve(contract_base(base)[0], known).asset


def table(lines: Iterable[str]) -> dict[str, Alias]:
    """`KNOWN` with a user's own rows: CSV with the columns name, asset, units, kind. `units` is empty for what grows
    against its asset and has a price of its own; `kind` is plain, stable, wrapped, staked or renamed.

    >>> mine = table(["name,asset,units,kind", "MYETH,ETH,,staked", "OLD,NEW,100,renamed"])
    >>> mine["MYETH"].units, mine["OLD"].units, mine["WBTC"].asset
    (None, Decimal('100'), 'BTC')

    Raises BadInput, one sentence that names the first bad line.
    """
    extended = dict(KNOWN)
    reader = csv.DictReader(lines)
    try:
        columns, rows = reader.fieldnames or (), list(reader)
    except csv.Error as failure:
        raise BadInput(f"The assets are no CSV: {failure}.") from None
    if not {"name", "asset", "units", "kind"} <= set(columns):
        raise BadInput("The first line of the assets must name their columns: name,asset,units,kind.")
    for number, row in enumerate(rows, start=2):
        name, asset, units, kind = (
            (row.get(key) or "").strip() for key in ("name", "asset", "units", "kind")
        )
        known_kind = next((k for k in get_args(Kind) if k == kind), None)
        try:
            fixed = Decimal(units) if units else None
        except InvalidOperation:
            fixed = Decimal(0)
        wrong = fixed is not None and not (fixed.is_finite() and fixed > 0)
        if not name or not asset or known_kind is None or wrong:
            raise BadInput(
                f"Line {number} of the assets is not name, asset, units above zero or nothing, and one of "
                f"{', '.join(get_args(Kind))}."
            )
        extended[name.upper()] = Alias(asset.upper(), fixed, known_kind)
    return extended


def held_as(
    holdings: Mapping[str, float], priced: Collection[str], known: Mapping[str, Alias] = KNOWN
) -> dict[str, float]:
    """Holdings (asset -> amount) as amounts of the series that there are prices of: the coin itself, or else what it is
    redeemed for, or else a contract by the thousand. Coins that stand for dollars and have no prices are left out: they
    do not move.

    >>> held_as({"WBTC": 0.5, "BTC": 1.0, "PEPE": 5e6, "USDT": 100.0}, ["BTC", "1000PEPE"])
    {'BTC': 1.5, '1000PEPE': 5000.0}

    Raises UnknownAsset for what has no prices.
    """
    found: dict[str, float] = {}
    for asset, amount in holdings.items():
        alias = resolve(asset, known)
        series, units = _priced_as(asset, alias, priced)
        if series is not None:
            found[series] = found.get(series, 0.0) + amount * units
        elif alias.kind != "stable":
            grows = f" {asset} grows against {alias.asset} and needs its own." if alias.units is None else ""
            raise UnknownAsset(f"The history has no prices of {asset}.{grows}")
    return found


def _priced_as(asset: str, alias: Alias, priced: Collection[str]) -> tuple[str | None, float]:
    names = [(asset, 1.0)] + ([] if alias.units is None else [(alias.asset, float(alias.units))])
    for name, units in names:
        if name in priced:
            return name, units
        for series in priced:
            base, count = contract_base(series)
            if base == name:
                return series, units / count
    return None, 0.0
