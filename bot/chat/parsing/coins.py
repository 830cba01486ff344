"""Coins by the names that people call them."""

from collections.abc import Collection
from difflib import get_close_matches

_NAMES = {
    "AAVE": "AAVE",
    "ALGORAND": "ALGO",
    "APTOS": "APT",
    "ARBITRUM": "ARB",
    "AVALANCHE": "AVAX",
    "BINANCE": "BNB",
    "BITCOIN": "BTC",
    "CARDANO": "ADA",
    "CHAINLINK": "LINK",
    "COSMOS": "ATOM",
    "DOGECOIN": "DOGE",
    "ETHER": "ETH",
    "ETHEREUM": "ETH",
    "FILECOIN": "FIL",
    "INJECTIVE": "INJ",
    "LITECOIN": "LTC",
    "NEARPROTOCOL": "NEAR",
    "OPTIMISM": "OP",
    "POLKADOT": "DOT",
    "POLYGON": "POL",
    "RIPPLE": "XRP",
    "SHIBA": "SHIB",
    "SOLANA": "SOL",
    "STELLAR": "XLM",
    "TETHER": "USDT",
    "TONCOIN": "TON",
    "TRON": "TRX",
    "UNISWAP": "UNI",
    "XBT": "BTC",
}
_FAMILIAR = ("BTC", "ETH", "SOL", "ADA", "XRP")
_LOOSE, _MOST = 0.5, 3


def symbol_of(word: str, known: Collection[str]) -> str | None:
    """The known symbol that `word` is, or is the name of.

    >>> symbol_of("solana", {"SOL"}), symbol_of("sol", {"SOL"}), symbol_of("sool", {"SOL"})
    ('SOL', 'SOL', None)
    """
    upper = word.upper()
    if upper in known:
        return upper
    symbol = _NAMES.get(upper)
    return symbol if symbol in known else None


def nearest(word: str, known: Collection[str]) -> tuple[str, ...]:
    """Up to three known symbols that `word` may have been meant for, the likeliest first; else familiar ones."""
    names = {name: symbol for name, symbol in _NAMES.items() if symbol in known}
    names |= {symbol: symbol for symbol in sorted(known)}
    close = get_close_matches(word.upper()[:20], names, n=2 * _MOST, cutoff=_LOOSE)
    symbols = tuple(dict.fromkeys(names[name] for name in close))[:_MOST]
    return symbols or tuple(symbol for symbol in _FAMILIAR if symbol in known)[:_MOST]
