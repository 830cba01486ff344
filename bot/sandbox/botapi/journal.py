"""Where the sandbox keeps its world between runs: one SQLite table of JSON records, written behind.

Records wait in memory and are written together, each batch one transaction, so that a file found after
a crash of the sandbox is a whole, slightly older world. A clean stop writes everything.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# More ids than can be given out between two batches: after a cut none is given out twice.
SKIPPED_IDS = 1_000

_SCHEMA = "CREATE TABLE IF NOT EXISTS records (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID"


class Journal:
    """Keyed JSON records of several kinds. A record may be given as a function, read when it is written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # An empty table is not worth waiting for the disk; what is written into it is.
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(_SCHEMA)
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._waiting: dict[tuple[str, str], Callable[[], Any] | None] = {}
        # Whether the last run ended without `close`, and so without its last fraction of a second.
        self.was_cut = any(True for _ in self.read("running"))
        self.put("running", 0, lambda: True)
        self.flush()

    def put(self, kind: str, key: object, record: Callable[[], Any]) -> None:
        """Have `record()` written with the next batch; what it gives is taken then, not now."""
        self._waiting[kind, str(key)] = record

    def drop(self, kind: str, key: object) -> None:
        self._waiting[kind, str(key)] = None

    def read(self, kind: str) -> Iterator[tuple[str, Any]]:
        """All written records of a kind, ordered by number where the keys are numbers."""
        rows = self._database.execute(
            "SELECT key, value FROM records WHERE kind = ? ORDER BY CAST(key AS INTEGER), key", (kind,)
        )
        for key, value in rows:
            yield key, json.loads(value)

    def flush(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        kept = [
            (kind, key, json.dumps(record(), separators=(",", ":")))
            for (kind, key), record in waiting.items()
            if record is not None
        ]
        dropped = [place for place, record in waiting.items() if record is None]
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", kept)
        self._database.executemany("DELETE FROM records WHERE kind = ? AND key = ?", dropped)
        self._database.execute("COMMIT")

    def close(self) -> None:
        self.drop("running", 0)
        self.flush()
        self._database.close()
