"""The crash matrix: kill -9 at each of at least forty points of an order's path, on five exchanges, with three ways in
which the exchange behaves around the death, and once over four legs of which two are sent in parts.

After each death the bot is started again. Once all is at rest no order is there twice, by its id or by its leg; the tap
has one answer and one receipt; every attempt is settled, or is a person's to settle and was told as that; the ledger,
the fills and the position are those of the exchange. `deploy/test faults` goes through the whole matrix, the full run
through a sample of it that `--faults-seed` draws.
"""

import itertools
import random
from collections.abc import Callable, Iterator

import pytest

from bot.sandbox.exchanges import VENUES
from tests.fakes.books import Books
from tests.fakes.lives import running_sandbox
from tests.fakes.person import people_at
from tests.fakes.stand_in import StandIn
from tests.faults.crashes import PACE, TIMINGS, Crashes, Outcome, Timing, chosen

LEAST = 40  # deaths a cell
SAMPLE = 5  # deaths a cell of the sample, which has one timing an exchange
CELLS = tuple(itertools.product(VENUES, TIMINGS))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cell" not in metafunc.fixturenames:
        return
    config = metafunc.config
    cells = CELLS if config.getoption("-m") == "faults" else tuple(_sample(config.getoption("--faults-seed")))
    metafunc.parametrize(
        "cell",
        [
            pytest.param(
                cell,
                id=f"{cell[0]}-{cell[1].name.split()[0]}",
                marks=[pytest.mark.postgres] if _on_postgres(cell) else [],
            )
            for cell in cells
        ],
    )


def _sample(seed: int) -> Iterator[tuple[str, Timing]]:
    draw = random.Random(seed)
    for name in VENUES:
        yield name, draw.choice(TIMINGS)


def _on_postgres(cell: tuple[str, Timing]) -> bool:
    """Four cells of the twenty, each of another exchange and timing."""
    return (list(VENUES).index(cell[0]) + 2 * TIMINGS.index(cell[1])) % 5 == 2


@pytest.mark.fault(1, 2, 3, 4)
@pytest.mark.timeout(3000)
async def test_killed_anywhere_on_any_exchange_no_order_is_doubled_and_no_tap_is_lost(
    request: pytest.FixtureRequest,
    cell: tuple[str, Timing],
    tmp_path_factory: pytest.TempPathFactory,
    record_property: Callable[[str, object], None],
) -> None:
    (name, timing), whole = cell, request.config.getoption("-m") == "faults"
    database = str(request.getfixturevalue("postgres_url")) if _on_postgres(cell) else ""
    data, ids, outcome = tmp_path_factory.mktemp("matrix") / "state", itertools.count(1), Outcome()
    with running_sandbox(data, database=database, exchange=name, pace=PACE) as sandbox:
        async with people_at(sandbox.address) as people:
            driver = people(1).phone.driver
            books = Books.of(data, database)
            crashes = Crashes(sandbox, driver, books, StandIn(driver, name), lambda: people(next(ids)))
            try:
                points = chosen(await crashes.recorded(timing))
                if not whole:
                    seed = request.config.getoption("--faults-seed")
                    points = random.Random(f"{seed} {name}").sample(points, SAMPLE)
                for point in points:
                    await crashes.killed_at(point, timing, outcome)
            finally:
                crashes.stop()
                books.engine.dispose()
    record_property(
        "crash matrix", (name, timing.name, "PostgreSQL" if database else "SQLite", vars(outcome))
    )
    assert outcome.broken == []
    assert outcome.kills >= (LEAST if whole else 1), points
