"""One demo a database for all journeys of a test process: each journey takes people of its own."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.fakes.demo import Demo, complaints, running_demo
from tests.fakes.person import Person, people_at
from tests.fakes.phone import Driver
from tests.fakes.telegram_oracle import check_calls

_ids = itertools.count(1001)


@pytest.fixture(scope="session")
def sqlite_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo") / "state", "--speed", "0", "--seed", "11") as demo:
        yield demo


@pytest.fixture(scope="session")
def postgres_demo(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: postgres.Server
) -> Iterator[Demo]:
    data = tmp_path_factory.mktemp("demo") / "state"
    with (
        postgres_server.new_database() as address,
        running_demo(data, "--speed", "0", "--seed", "11", "--database", address) as demo,
    ):
        yield demo


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def demo(request: pytest.FixtureRequest) -> Demo:
    """A running demo whose market stands still, once on SQLite and once on PostgreSQL."""
    found: Demo = request.getfixturevalue(f"{request.param}_demo")
    return found


@pytest.fixture
async def people(demo: Demo) -> AsyncIterator[Callable[[int], Person]]:
    """People at the demo. In the end Telegram must have been able to take every call of the bot, and the bot must
    have had nothing to complain of."""
    logged = demo.bot_log.stat().st_size if demo.bot_log.exists() else 0
    async with people_at(demo.address) as people:
        driver = people(1).phone.driver
        before = max((call["n"] for call in await driver.calls()), default=0)
        yield people
        check_calls(await driver.calls(before))
    assert complaints(demo.bot_log, since=logged) == []


@pytest.fixture
def new_person(people: Callable[[int], Person]) -> Callable[[], Person]:
    """Somebody who has never written before."""
    return lambda: people(next(_ids))


@pytest.fixture
def ada(new_person: Callable[[], Person]) -> Person:
    return new_person()


@pytest.fixture
def driver(ada: Person) -> Driver:
    return ada.phone.driver


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder for a demo of the test's own."""
    return tmp_path / "state"
