"""Whose screens these are: an instant, a rule, and an account of each kind."""

from datetime import UTC, datetime
from decimal import Decimal

from bot.ports.records import Account
from hedging.rules import HedgeRule

D = Decimal
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RULE = HedgeRule()
PAPER = Account(1, 11, "paper", "paper")
DEMO = Account(2, 11, "bybit", "demo")
LIVE = Account(3, 11, "bybit", "live")
MEXC = Account(4, 11, "mexc", "live")
