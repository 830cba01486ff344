"""A sandbox a test process, and lives of the bot that each test begins and ends itself."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Sandbox, running_sandbox
from tests.fakes.person import Person, people_at
from tests.fakes.phone import Driver

_ids = itertools.count(5001)


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("faults") / "state") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """A sandbox on SQLite that several tests use, each with people of its own and one bot at a time."""
    return shared_sandbox


@pytest.fixture
async def people(sandbox: Sandbox) -> AsyncIterator[Callable[[int], Person]]:
    async with people_at(sandbox.address) as people:
        yield people


@pytest.fixture
def new_person(people: Callable[[int], Person], books: Books) -> Iterator[Callable[[], Person]]:
    """Somebody who has never written before; nobody who is there any more after the test."""
    made: list[int] = []

    def person() -> Person:
        made.append(next(_ids))
        return people(made[-1])

    yield person
    books.retire(*made)


@pytest.fixture
def ada(new_person: Callable[[], Person]) -> Person:
    return new_person()


@pytest.fixture
async def driver(people: Callable[[int], Person]) -> AsyncIterator[Driver]:
    """The driver; in the end no fault is left over for the next test."""
    driver = people(1).phone.driver
    yield driver
    await driver.http.delete(f"{driver.address}/sandbox/faults")


@pytest.fixture
def books(sandbox: Sandbox) -> Books:
    return Books.of(sandbox.data, sandbox.database)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder for a sandbox of the test's own."""
    return tmp_path / "state"
