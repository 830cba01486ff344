"""One file an exchange: what ccxt does not unify."""

from collections.abc import Mapping

from bot.exchange.dialects.binance import BINANCE
from bot.exchange.dialects.bingx import BINGX
from bot.exchange.dialects.bybit import BYBIT
from bot.exchange.dialects.dialect import Dialect
from bot.exchange.dialects.mexc import MEXC
from bot.exchange.dialects.weex import WEEX

DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in (BINANCE, BYBIT, BINGX, MEXC, WEEX)}
