"""Where a simulated run keeps its database: in memory where the system has a place for that."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.database import sqlite_template

__all__ = ["sqlite_template"]

_IN_MEMORY = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="hedgehog-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None))
    yield made
    shutil.rmtree(made)
