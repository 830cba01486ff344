"""Telegram: the shell that brings updates in and messages out, the handlers, and everything that people read."""
