"""What one process counts, for Prometheus."""

from prometheus_client import Counter, Histogram

UPDATES = Counter("hedgehog_updates", "Updates from Telegram, by what became of them.", ["outcome"])
UPDATE_SECONDS = Histogram(
    "hedgehog_update_seconds",
    "From the moment an update was taken to the end of its handling.",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
