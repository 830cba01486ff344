"""The tick at a small scale: what is asserted is what it finds; the seconds are printed."""

from pathlib import Path

import pytest

from tests.bench.tick import measure


async def test_a_tick_finds_exactly_those_who_changed(tmp_path: Path) -> None:
    measured = await measure(f"sqlite+aiosqlite:///{tmp_path / 'bench.sqlite'}", 600, loop=50)
    print(measured.line())
    assert measured.changes == 30  # a twentieth


@pytest.mark.postgres
async def test_a_tick_finds_the_same_on_postgresql(postgres_url: str) -> None:
    address = postgres_url.replace("postgresql:", "postgresql+psycopg:")
    measured = await measure(address, 600, loop=50)
    print(measured.line())
    assert measured.changes == 30
