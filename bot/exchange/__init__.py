"""Exchanges behind the ports: paper trading, and public prices through ccxt."""
