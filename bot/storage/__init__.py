"""What is remembered: SQLite for one process, PostgreSQL for replicas, the same store over both."""

from bot.storage.database import log_ahead
from bot.storage.schema import at_head, forget, migrate
from bot.storage.store import SqlStore, open_store

__all__ = ["SqlStore", "at_head", "forget", "log_ahead", "migrate", "open_store"]
