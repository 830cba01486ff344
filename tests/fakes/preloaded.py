"""What the forked processes of `tests.fakes.lives` need: imported once, before the first fork."""

import ccxt.async_support  # type: ignore[import-untyped]  # noqa: F401
import dbos  # noqa: F401
import uvicorn  # noqa: F401

import bot.chat.application
import bot.chat.notifier
import bot.cli.run
import bot.durable
import bot.exchange.exchanges
import bot.exchange.paper
import bot.sandbox.app
import bot.sandbox.exchanges.control
import bot.sandbox.feed
import bot.sandbox.hedges
import bot.sandbox.market
import bot.storage  # noqa: F401
