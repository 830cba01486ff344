"""Webhooks, health and metrics, as Telegram, a load balancer and Prometheus see them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

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

    async def handle_update(self, update: Mapping[str, Any]) -> None:
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


@pytest.fixture
def http(shell: Shell, database: Database) -> Iterator[TestClient]:
    with TestClient(build_app(shell, database, secret="a-secret")) as client:
        yield client


def test_200_comes_only_after_the_update_was_handled(http: TestClient, shell: Shell) -> None:
    assert http.post("/webhook", json=UPDATE, headers=SECRET).status_code == 200
    assert shell.handled == [UPDATE]


def test_an_update_that_could_not_be_finished_is_asked_for_again(http: TestClient, shell: Shell) -> None:
    shell.failure = Unavailable("the database is away")
    assert http.post("/webhook", json=UPDATE, headers=SECRET).status_code == 500
    shell.failure = None
    assert http.post("/webhook", json=UPDATE, headers=SECRET).status_code == 200
    assert shell.handled == [UPDATE]


@pytest.mark.parametrize(
    "headers", [{}, {SECRET_HEADER: "wrong"}, {SECRET_HEADER: ""}, {"Secret": "a-secret"}]
)
def test_without_the_secret_nothing_is_handled(
    http: TestClient, shell: Shell, headers: dict[str, str]
) -> None:
    assert http.post("/webhook", json=UPDATE, headers=headers).status_code == 401
    assert not shell.handled


def test_without_a_configured_secret_every_webhook_is_refused(shell: Shell, database: Database) -> None:
    with TestClient(build_app(shell, database)) as http:
        assert http.post("/webhook", json=UPDATE, headers={SECRET_HEADER: ""}).status_code == 401


def test_a_shell_that_is_not_ready_asks_to_come_back(http: TestClient, shell: Shell) -> None:
    shell.ready = False
    assert http.post("/webhook", json=UPDATE, headers=SECRET).status_code == 503


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b'{"update_id": "7"}', b"{}", b"\xff\xfe"])
def test_what_is_no_update_is_refused_and_does_not_come_back_for_ever(
    http: TestClient, shell: Shell, body: bytes
) -> None:
    assert http.post("/webhook", content=body, headers=SECRET).status_code == 400
    assert not shell.handled


def test_a_body_larger_than_any_update_is_refused(http: TestClient) -> None:
    assert http.post("/webhook", content=b"x" * (2 << 20), headers=SECRET).status_code == 413


def test_only_post_reaches_the_webhook(http: TestClient) -> None:
    assert http.get("/webhook", headers=SECRET).status_code == 405


def test_health_names_what_is_wrong(http: TestClient, database: Database, shell: Shell) -> None:
    assert http.get("/healthz").json() == {"status": "ok", "database": "ok", "telegram": "ok"}
    database.failure = Unavailable("disk full")
    answer = http.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "disk full"


def test_a_telegram_that_is_away_is_told_and_is_no_reason_to_restart(http: TestClient, shell: Shell) -> None:
    shell.ready = False
    answer = http.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["telegram"] == "away"


@pytest.mark.parametrize(("ago", "status"), [(None, 200), (30, 200), (3600, 503)])
def test_a_watch_that_stopped_ticking_is_ill(
    shell: Shell, database: Database, ago: int | None, status: int
) -> None:
    ticked = None if ago is None else datetime.now(UTC) - timedelta(seconds=ago)
    app = build_app(shell, database, last_tick=lambda: ticked, tick_seconds=60)
    with TestClient(app) as http:
        assert http.get("/healthz").status_code == status


def test_metrics_are_in_the_format_of_prometheus(http: TestClient) -> None:
    metrics.UPDATE_SECONDS.observe(0.01)
    answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE hedgehog_update_seconds histogram" in answer.text
