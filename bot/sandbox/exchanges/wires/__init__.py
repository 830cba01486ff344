"""The exchanges' own ways of speaking, two files an exchange: what it tells everybody, and what it tells a key."""

from collections.abc import Mapping

from bot.sandbox.exchanges.venue import Venue
from bot.sandbox.exchanges.wires.binance import Binance
from bot.sandbox.exchanges.wires.bingx import Bingx
from bot.sandbox.exchanges.wires.bybit import Bybit
from bot.sandbox.exchanges.wires.mexc import Mexc
from bot.sandbox.exchanges.wires.weex import Weex

VENUES: Mapping[str, type[Venue]] = {venue.name: venue for venue in (Binance, Bybit, Bingx, Mexc, Weex)}
