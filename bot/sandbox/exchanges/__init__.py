"""Exchanges over loopback: one matching, margin and funding core, one wire an exchange."""

from bot.sandbox.exchanges.wires import VENUES

__all__ = ["VENUES"]
