"""What one process counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

UPDATES = Counter("hedgehog_updates", "Updates from Telegram, by what became of them.", ["outcome"])
UPDATE_SECONDS = Histogram(
    "hedgehog_update_seconds",
    "From the moment an update was taken to the end of its handling.",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
EXCHANGE_CALLS = Counter(
    "hedgehog_exchange_calls",
    "Calls to exchanges: answered (also with a refusal), failed, paused (too many), or held back unsent.",
    ["exchange", "outcome"],
)
EXCHANGE_OPEN = Gauge(
    "hedgehog_exchange_circuit_open",
    "1: not asked while it is down; 0.5: being tried; 0: asked.",
    ["exchange"],
)
LOOKS = Counter(
    "hedgehog_looks", "Private reads of accounts by the watch, by what became of them.", ["outcome"]
)
TICK_SECONDS = Histogram(
    "hedgehog_tick_seconds",
    "The parts of a tick of the watch, for one shard.",
    ["part"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
TICK_LAG = Gauge("hedgehog_tick_lag_seconds", "How late the last tick of the watch began.")
WATCHED = Gauge("hedgehog_watched_users", "Whom the last tick looked at, by shard.", ["shard"])
ALERTS = Counter("hedgehog_alerts", "What became of matters, by kind and manner.", ["kind", "manner"])
DELIVERIES = Counter("hedgehog_deliveries", "Owed messages, by what became of a try.", ["outcome"])
