"""Reconciliation: an account's positions are held against what our orders explain."""

from bot.services.expected import held_in
from bot.services.reconciliation.reconciliation import Reconciliation

__all__ = ["Reconciliation", "held_in"]
