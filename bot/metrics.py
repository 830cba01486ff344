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
