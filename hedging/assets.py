"""What a coin really is: wrapped, staked, renamed, or sold by the thousand.

The table is short on purpose and can be extended: pass `KNOWN | {"MYETH": Alias("ETH", 1, "staked")}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

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
    if asset in STABLECOINS:
        return Alias(asset, Decimal(1), "stable")
    return known.get(asset, Alias(asset, Decimal(1), "plain"))


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
