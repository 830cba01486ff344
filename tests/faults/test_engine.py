"""Every workflow of the bot on the real durable engine, before the stand-in of an exchange, with nothing in its log.

What acts by permission is begun by the tick itself: nobody sweeps here, so an order that arrives was not late.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from bot.durable import Engine
from bot.ports.permissions import Permission
from bot.ports.records import ProposalState
from tests.fakes.database import prepared, sqlite_template
from tests.faults.trading import ADA, Trading, trading_on

__all__ = ["sqlite_template"]

D = Decimal
PATIENCE = 30.0  # seconds for what the engine does by itself


@pytest_asyncio.fixture
async def trading(database: str, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Trading]:
    """Ada on Binance's stand-in; the work is the real engine's, beside the same database."""
    beside = database.replace("postgresql+psycopg", "postgresql") if "postgresql" in database else ""
    engine = Engine(database=beside or f"sqlite:///{tmp_path / 'engine.sqlite'}", replica="here")
    async with trading_on("binance", tmp_path, prepared(database, sqlite_template), durable=engine) as it:
        await engine.launch()
        yield it
        await engine.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(0.01)


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{r.name}: {r.getMessage()}" for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.fault(56)
async def test_what_a_permission_allows_is_on_the_wire_without_a_sweep(
    trading: Trading, caplog: pytest.LogCaptureFixture, record_property: Callable[[str, object], None]
) -> None:
    moments: dict[str, float] = {}

    def told(method: str, path: str, moment: str) -> None:
        if method == "POST" and path.endswith("/order") and moment == "begins":
            moments["order"] = time.perf_counter()

    move = trading.store.move_proposal

    async def moved(*args: object, **kwargs: object) -> object:
        done = await move(*args, **kwargs)  # type: ignore[arg-type]
        if kwargs.get("to") is ProposalState.CONFIRMED:
            moments["decision"] = time.perf_counter()
        return done

    await trading.hold(ATOM="4000", SOL="50")
    await trading.tapped()
    await until(lambda: len(trading.receipts()) == 1)
    await permitted(trading)
    before = len(trading.orders)
    await trading.hold(SOL="60")  # her coverage falls below its band
    trading.clock.pass_(minutes=1)
    trading.moments.append(told)
    trading.store.move_proposal = moved  # type: ignore[method-assign,assignment]
    await trading.services.watch.tick(60)
    await until(lambda: len(trading.receipts()) == 2)
    assert len(trading.orders) > before
    assert trading.receipts()[-1].payload["auto"]
    assert trading.receipts()[-1].payload["status"] == "complete"
    assert complaints(caplog) == []
    record_property("seconds from decision to wire", moments["order"] - moments["decision"])


async def permitted(trading: Trading) -> None:
    """A permission for all, within wide caps."""
    wide = Permission(ADA, (await trading.account()).id, order_cap=D(10**6), day_cap=D(10**6), leverage_cap=5)
    await trading.store.save_permission(wide)
    _, offer = await trading.services.permissions.offer(ADA, "both", "nothing")
    await trading.services.permissions.give(ADA, offer)
