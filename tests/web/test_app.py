"""Webhooks, health and metrics, as Telegram, a load balancer and Prometheus see them."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot import metrics
from bot.ports.errors import Unavailable
from bot.web.app import SECRET_HEADER, build_app

UPDATE = {"update_id": 7, "message": {"text": "hello"}}
SECRET = {SECRET_HEADER: "a-secret"}


class Shell:
    def __init__(self) -> None:
        self.ready = True
        self.handled: list[Mapping[str, Any]] = []
        self.failure: Exception | None = None

    async def take_update(self, update: Mapping[str, Any]) -> None:
        if self.failure:
            raise self.failure
        self.handled.append(update)


class Database:
    failure: Exception | None = None

    async def ping(self) -> None:
        if self.failure:
            raise self.failure


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
def database() -> Database:
    return Database()


def asking(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hedgehog")


@pytest.fixture
async def http(shell: Shell, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(build_app(shell, database, secret="a-secret")) as client:
        yield client


async def test_200_comes_only_after_the_update_was_stored(http: httpx.AsyncClient, shell: Shell) -> None:
    assert (await http.post("/webhook", json=UPDATE, headers=SECRET)).status_code == 200
    assert shell.handled == [UPDATE]


async def test_an_update_that_could_not_be_stored_is_asked_for_again(
    http: httpx.AsyncClient, shell: Shell
) -> None:
    shell.failure = Unavailable("the database is away")
    assert (await http.post("/webhook", json=UPDATE, headers=SECRET)).status_code == 500
    shell.failure = None
    assert (await http.post("/webhook", json=UPDATE, headers=SECRET)).status_code == 200
    assert shell.handled == [UPDATE]


@pytest.mark.parametrize(
    "headers", [{}, {SECRET_HEADER: "wrong"}, {SECRET_HEADER: ""}, {"Secret": "a-secret"}]
)
async def test_without_the_secret_nothing_is_handled(
    http: httpx.AsyncClient, shell: Shell, headers: dict[str, str]
) -> None:
    assert (await http.post("/webhook", json=UPDATE, headers=headers)).status_code == 401
    assert not shell.handled


async def test_without_a_configured_secret_every_webhook_is_refused(shell: Shell, database: Database) -> None:
    async with asking(build_app(shell, database)) as http:
        assert (await http.post("/webhook", json=UPDATE, headers={SECRET_HEADER: ""})).status_code == 401


async def test_a_shell_that_is_not_ready_asks_to_come_back(http: httpx.AsyncClient, shell: Shell) -> None:
    shell.ready = False
    assert (await http.post("/webhook", json=UPDATE, headers=SECRET)).status_code == 503


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe"])
async def test_what_was_cut_or_broken_on_its_way_is_asked_for_again(
    http: httpx.AsyncClient, shell: Shell, body: bytes
) -> None:
    assert (await http.post("/webhook", content=body, headers=SECRET)).status_code == 400
    assert not shell.handled


@pytest.mark.fault(62)
@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"7",
        b'"x"',
        b'{"update_id": "7"}',
        b"{}",
        b'{"update_id": true}',
        b'{"update_id": -1}',
        b'{"update_id": 9223372036854775808}',
        b'{"update_id": 7, "message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
async def test_an_update_that_nobody_can_ever_handle_is_counted_and_does_not_come_back_for_ever(
    http: httpx.AsyncClient, shell: Shell, body: bytes
) -> None:
    """Telegram delivers again what is not answered with 2xx."""
    before = metrics.UPDATES.labels("unreadable")._value.get()
    assert (await http.post("/webhook", content=body, headers=SECRET)).status_code == 200
    assert metrics.UPDATES.labels("unreadable")._value.get() == before + 1
    assert not shell.handled


async def test_a_body_larger_than_any_update_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post("/webhook", content=b"x" * (2 << 20), headers=SECRET)).status_code == 413


async def test_only_post_reaches_the_webhook(http: httpx.AsyncClient) -> None:
    assert (await http.get("/webhook", headers=SECRET)).status_code == 405


async def test_health_names_what_is_wrong(http: httpx.AsyncClient, database: Database, shell: Shell) -> None:
    assert (await http.get("/healthz")).json() == {"status": "ok", "database": "ok", "telegram": "ok"}
    database.failure = Unavailable("disk full")
    answer = await http.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "disk full"


async def test_a_telegram_that_is_away_is_no_reason_to_restart(http: httpx.AsyncClient, shell: Shell) -> None:
    shell.ready = False
    answer = await http.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["telegram"] == "away"


@pytest.mark.parametrize(("ago", "status"), [(None, 200), (30, 200), (3600, 503)])
async def test_a_watch_that_stopped_ticking_is_ill(
    shell: Shell, database: Database, ago: int | None, status: int
) -> None:
    ticked = None if ago is None else datetime.now(UTC) - timedelta(seconds=ago)
    app = build_app(shell, database, last_tick=lambda: ticked, tick_seconds=60)
    async with asking(app) as http:
        assert (await http.get("/healthz")).status_code == status


async def test_metrics_are_in_the_format_of_prometheus(http: httpx.AsyncClient) -> None:
    metrics.UPDATE_SECONDS.observe(0.01)
    answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE hedgehog_update_seconds histogram" in answer.text
