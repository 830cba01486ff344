"""Screens: pure functions from data to a message. No Telegram types, no clock, no services called."""
