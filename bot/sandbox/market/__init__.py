"""The market of the demo: simulated or replayed, shocked at will, served over loopback HTTP."""

from bot.sandbox.market.errors import BadCommand, BadHistory, MarketError, OtherMarket
from bot.sandbox.market.opening import open_world
from bot.sandbox.market.routes import Hedges, market_json, routes
from bot.sandbox.market.world import World

__all__ = [
    "BadCommand",
    "BadHistory",
    "Hedges",
    "MarketError",
    "OtherMarket",
    "World",
    "market_json",
    "open_world",
    "routes",
]
