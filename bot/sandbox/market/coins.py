"""The coins of the demo: what they cost, how they move together, and which of them have perpetuals."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hedging.market import Contract

STABLECOINS = ("USDT", "USDC")
TAKER_FEE, MAKER_FEE = Decimal("0.0005"), Decimal("0.0002")


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin of the factor model.

    `price`: US dollars when the simulation begins. `beta`: loading on the market factor, which is Bitcoin but for
    noise. `alt`: loading on the altcoin factor. `own`: volatility of its own, per year. `depth`: US dollars within
    0.1 % of the touch. `lot`, `tick` and `margin` (maintenance, fraction) describe its linear perpetual; a coin
    without `lot` has none.
    """

    asset: str
    price: float
    beta: float
    alt: float
    own: float
    depth: float
    lot: str = ""
    tick: str = ""
    margin: str = "0.01"
    max_leverage: int = 50
    min_notional: str = "5"


COINS = (
    Coin("BTC", 84_000, 1.00, 0.00, 0.06, 6e6, "0.001", "0.1", "0.004", 125, "50"),
    Coin("ETH", 2_900, 1.15, 0.45, 0.22, 4e6, "0.001", "0.01", "0.005", 100, "20"),
    Coin("BNB", 610, 0.85, 0.35, 0.28, 8e5, "0.01", "0.01"),
    Coin("SOL", 142, 1.35, 0.80, 0.38, 1.5e6, "0.01", "0.001"),
    Coin("XRP", 2.15, 1.10, 0.70, 0.45, 1.2e6, "0.1", "0.00001"),
    Coin("ADA", 0.68, 1.25, 0.95, 0.40, 5e5, "1", "0.00001"),
    Coin("DOGE", 0.17, 1.30, 0.90, 0.50, 7e5, "1", "0.000001"),
    Coin("LTC", 88, 1.05, 0.75, 0.35, 4e5, "0.001", "0.01"),
    Coin("LINK", 14.2, 1.25, 0.95, 0.40, 4e5, "0.01", "0.0001"),
    Coin("AVAX", 21.5, 1.40, 1.05, 0.42, 4e5, "0.1", "0.001"),
    Coin("ATOM", 4.6, 1.25, 1.05, 0.40, 1e5),
    Coin("UNI", 6.9, 1.30, 1.05, 0.48, 1e5),
    Coin("DOT", 4.4, 1.25, 1.10, 0.38, 1.2e5),
    Coin("NEAR", 2.7, 1.45, 1.15, 0.50, 8e4),
    Coin("ARB", 0.36, 1.45, 1.20, 0.50, 7e4),
    Coin("OP", 0.78, 1.50, 1.20, 0.52, 6e4),
    Coin("APT", 5.6, 1.40, 1.10, 0.50, 7e4),
    Coin("SUI", 2.4, 1.50, 1.00, 0.58, 1.5e5),
    Coin("POL", 0.24, 1.30, 1.10, 0.45, 6e4),
    Coin("SAND", 0.29, 1.40, 1.15, 0.52, 5e4),
    Coin("XLM", 0.27, 1.15, 0.85, 0.48, 1e5),
)

_KNOWN = {coin.asset: coin for coin in COINS}
_INVERSE = {"BTC": ("100", "0.1"), "ETH": ("10", "0.01")}  # contract size in US dollars, tick


def coin_of(asset: str) -> Coin:
    """The coin called `asset`; one that nobody described gets the traits of a middling altcoin without a perpetual."""
    return _KNOWN.get(asset) or Coin(asset, 1.0, 1.25, 1.0, 0.5, 5e4)


def contracts_of(assets: Sequence[str]) -> dict[str, Contract]:
    """The perpetuals on `assets` by symbol: linear for the majors, inverse too for BTC and ETH."""
    contracts: dict[str, Contract] = {}
    for coin in map(coin_of, assets):
        if coin.lot:
            symbol = f"{coin.asset}/USDT:USDT"
            contracts[symbol] = _contract(
                coin, symbol, "USDT", "USDT", "1", coin.lot, coin.tick, coin.min_notional
            )
        if coin.asset in _INVERSE:
            size, tick = _INVERSE[coin.asset]
            symbol = f"{coin.asset}/USD:{coin.asset}"
            contracts[symbol] = _contract(coin, symbol, "USD", coin.asset, size, "1", tick, "0")
    return contracts


def _contract(
    coin: Coin, symbol: str, quote: str, settle: str, size: str, lot: str, tick: str, min_notional: str
) -> Contract:
    return Contract(
        symbol=symbol,
        base=coin.asset,
        quote=quote,
        settle=settle,
        linear=settle == quote,
        contract_size=Decimal(size),
        lot=Decimal(lot),
        tick=Decimal(tick),
        min_amount=Decimal(lot),
        min_notional=Decimal(min_notional),
        taker_fee=TAKER_FEE,
        maker_fee=MAKER_FEE,
        maintenance_margin_rate=Decimal(coin.margin),
        max_leverage=coin.max_leverage,
    )
