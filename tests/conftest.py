"""What every test may ask for: databases, a browser, the recordings, and a folder for what is worth looking at."""

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.async_api import Browser, async_playwright

from tests import postgres, shared
from tests.faults import matrix

MARK_OF_FOLDER = {"journeys": "journey", "faults": "faults", "simulation": "faults", "bench": "bench"}
MARK_OF_FIXTURE = {"postgres_url": "postgres", "chromium": "browser", "browser": "browser"}
QUIET_CHROMIUM = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

# A failure that one machine finds must be found by the next; slow machines are no failure.
hypothesis.settings.register_profile("hedgehog", deadline=None, derandomize=True)
hypothesis.settings.register_profile(
    "quick", parent=hypothesis.settings.get_profile("hedgehog"), max_examples=15
)
hypothesis.settings.register_profile(
    "long", parent=hypothesis.settings.get_profile("hedgehog"), max_examples=1000
)
hypothesis.settings.load_profile("hedgehog")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults-seed", type=int, default=1, help="which sample of the crash matrix the full run takes"
    )
    parser.addoption("--seed", type=int, help="simulate this one seed again, and keep its log")
    parser.addoption("--seeds", type=int, help="simulate so many seeds")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The crash matrix as a table, from whichever worker it came."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    lines = matrix.table([dict(report.user_properties) for report in reports])
    if lines:
        terminalreporter.section(f"crash matrix (--faults-seed {config.getoption('--faults-seed')})")
        for line in lines:
            terminalreporter.write_line(line)


def pytest_configure() -> None:
    """The caller's own bot is none of the tests' business: its settings and its database stay out."""
    for name in list(os.environ):
        if name.startswith(("HEDGEHOG_", "DBOS_", "TELEGRAM_")) and name != "HEDGEHOG_CHROMIUM":
            del os.environ[name]
    os.environ.pop("DATABASE_URL", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test is marked by the room it is in and by what it asks for, so that nobody forgets to."""
    for item in items:
        folder = Path(item.path).relative_to(shared.ROOT / "tests").parts[0]
        if folder in MARK_OF_FOLDER:
            item.add_marker(MARK_OF_FOLDER[folder])
        for name in getattr(item, "fixturenames", ()):
            if name in MARK_OF_FIXTURE:
                item.add_marker(MARK_OF_FIXTURE[name])


@pytest.fixture
def shared_path() -> Callable[[str], Path]:
    """`shared_path("market/README.md")`: a file beside the checkout, or a skip that says why."""
    return shared.shared_path


@pytest.fixture
def artefacts(request: pytest.FixtureRequest) -> Path:
    """A folder of this test's own for screenshots and reports; it is kept, and its path printed when the test fails."""
    name = re.sub(r"[^\w.-]+", "_", request.node.nodeid.removeprefix("tests/").replace("::", "/"))
    folder = shared.ROOT / "artefacts" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One server for all tests of this process."""
    try:
        postgres.programs()
    except postgres.NoPostgres as missing:
        pytest.skip(f"{missing}; deploy/test brings one")
    with postgres.running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> Iterator[str]:
    """An empty PostgreSQL database, as DATABASE_URL names it: postgresql://…"""
    with postgres_server.new_database() as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database by its SQLAlchemy address: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'hedgehog.sqlite'}"
    address: str = request.getfixturevalue("postgres_url")
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of a Chromium that can be driven on this machine."""
    names = (os.environ.get("HEDGEHOG_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if not found:
        pytest.skip(
            "there is no Chromium on this machine; deploy/test installs one where it has root or sudo"
        )
    driver = subprocess.run(
        [*compute_driver_executable(), "--version"], capture_output=True, text=True, check=False
    )
    if driver.returncode:
        pytest.skip(
            f"the browser's driver does not start; deploy/test mends it with root or sudo: {driver.stderr}"
        )
    return Path(found)


@pytest.fixture
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """A headless Chromium of this test's own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(QUIET_CHROMIUM))
        try:
            yield browser
        finally:
            await browser.close()
