"""A small storm: every alert arrives, once, within Telegram's limits, though a process is killed in the middle."""

from pathlib import Path

import pytest

from tests.bench.fanout import run
from tests.fakes.database import sqlite_address


@pytest.mark.slow
def test_a_storm_is_told_within_the_limits(tmp_path: Path) -> None:
    told = run(150, 1, sqlite_address(tmp_path / "outbox.sqlite"), tmp_path / "telegram", kill=False)
    print(told.line())
    assert (told.refused, told.lost, told.twice, told.doubled) == (0, 0, 0, 0)


@pytest.mark.slow
@pytest.mark.postgres
def test_a_storm_that_two_processes_tell_survives_the_death_of_one(tmp_path: Path, postgres_url: str) -> None:
    address = postgres_url.replace("postgresql:", "postgresql+psycopg:")
    told = run(150, 2, address, tmp_path / "telegram", kill=True)
    print(told.line())
    assert (told.refused, told.lost, told.twice, told.doubled) == (0, 0, 0, 0)
