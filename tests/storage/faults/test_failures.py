"""When the database is locked, full, hanging or away: a named failure in bounded time, and nothing half-written."""

import asyncio
import socket
import sqlite3
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import make_url

from bot.ports.books import Book
from bot.ports.errors import NotWritable
from bot.ports.permissions import Pause, Permission
from bot.ports.records import (
    Account,
    AccountState,
    AlertState,
    AttemptState,
    Invitation,
    KeyLook,
    ProposalState,
)
from bot.ports.store import AlertChange, CandleChunk, HoldingChange, Store, TakenUpdate
from bot.ports.watching import AlertSettings, Look, Pin
from bot.storage import SqlStore, at_head, migrate, open_store
from bot.storage import database as rooms_database
from bot.storage.tables import people
from hedging.rules import HedgeRule
from tests.fakes.database import prepared, sqlite_address
from tests.storage.samples import ADA, BOB, NOW, a_proposal, an_alert, an_attempt, later, owed

ACCOUNT = Account(1, ADA.id, "paper", "paper")
SOL = HoldingChange("SOL", Decimal(1))
INVITATION = Invitation(ADA.id, "bybit", "live", NOW)
READS: dict[str, Any] = {
    "ping": lambda s: s.ping(),
    "user": lambda s: s.user(ADA.id),
    "holdings": lambda s: s.holdings(ADA.id),
    "rule": lambda s: s.rule(ADA.id),
    "account": lambda s: s.account(1),
    "accounts": lambda s: s.accounts(),
    "users": lambda s: s.users([ADA.id]),
    "claim_updates": lambda s: s.claim_updates(by="a", now=NOW, stale=NOW),
    "proposal": lambda s: s.proposal("card"),
    "proposal_and_account": lambda s: s.proposal_and_account("card"),
    "latest_proposals": lambda s: s.latest_proposals(ADA.id),
    "proposals_in": lambda s: s.proposals_in(ProposalState.OPEN, before=NOW),
    "attempt": lambda s: s.attempt("hh1"),
    "attempts": lambda s: s.attempts("card"),
    "open_attempts": lambda s: s.open_attempts(before=NOW),
    "events": lambda s: s.events("hh1"),
    "watched": lambda s: s.watched(),
    "alert": lambda s: s.alert(1),
    "live_alerts": lambda s: s.live_alerts(ADA.id),
    "crowd": lambda s: s.crowd(),
    "readers": lambda s: s.readers(),
    "alert_settings": lambda s: s.alert_settings([ADA.id]),
    "summaries_due": lambda s: s.summaries_due(NOW),
    "key_looks": lambda s: s.key_looks(),
    "key_look": lambda s: s.key_look(ACCOUNT),
    "permission": lambda s: s.permission(ADA.id, 1),
    "permissions": lambda s: s.permissions(NOW),
    "pause": lambda s: s.pause(ADA.id),
    "kept_rule": lambda s: s.kept_rule(ADA.id),
    "outbox_item": lambda s: s.outbox_item(1),
    "due": lambda s: s.due(now=NOW),
    "chosen_account": lambda s: s.chosen_account(ADA.id, "paper", "paper"),
    "paper_account": lambda s: s.paper_account(1),
    "paper_order": lambda s: s.paper_order(1, "hh1"),
    "book": lambda s: s.book(1),
    "books": lambda s: s.books([1]),
    "traded_since": lambda s: s.traded_since(NOW),
    "position_changes": lambda s: s.position_changes(1, "SOL/USDT:USDT"),
    "orders_of": lambda s: s.orders_of(1),
    "invitation": lambda s: s.invitation(ADA.id),
    "answer_invitation": lambda s: s.answer_invitation(ADA.id, by="update:1", now=NOW),  # there is none
    "traces": lambda s: s.traces(owed("receipt", began_at=NOW, after_id=1)),
    "passing": lambda s: s.passing(since=NOW),
    "pin": lambda s: s.pin(ADA.id),
    "pins": lambda s: s.pins(),
    "candles": lambda s: s.candles("binance", 3600, ["BTC"], since=0),
}
WRITES: dict[str, Any] = {
    "ensure_user": lambda s: s.ensure_user(BOB),
    "suspend": lambda s: s.suspend(ADA.id),
    "change_holdings": lambda s: s.change_holdings(ADA.id, [SOL], key="1"),
    "save_rule": lambda s: s.save_rule(ADA.id, HedgeRule()),
    "ensure_account": lambda s: s.ensure_account(ADA.id, "other", "paper"),
    "name_account": lambda s: s.name_account(ADA.id, 1),
    "set_account_state": lambda s: s.set_account_state(1, AccountState.SUSPENDED),
    "invite": lambda s: s.invite(INVITATION),
    "save_invitation": lambda s: s.save_invitation(INVITATION),
    "withdraw_invitation": lambda s: s.withdraw_invitation(ADA.id),
    "renew_key": lambda s: s.renew_key(1),
    "count_refusal": lambda s: s.count_refusal(ACCOUNT, most=3, outbox=None),
    "forget_refusals": lambda s: s.forget_refusals(ACCOUNT),
    "settle_updates": lambda s: s.settle_updates([TakenUpdate(1, 1, b"{}", NOW)], [2], by="a", now=NOW),
    "hold_updates": lambda s: s.hold_updates(by="a", now=NOW),
    "release_updates": lambda s: s.release_updates(by="a"),
    "begin_again": lambda s: s.begin_again(1),
    "forget_updates": lambda s: s.forget_updates(before=NOW),
    "add_proposal": lambda s: s.add_proposal(a_proposal("card", ACCOUNT)),
    "set_card": lambda s: s.set_card("card", 1),
    "move_proposal": lambda s: s.move_proposal(
        "card", expect=ProposalState.OPEN, to=ProposalState.CONFIRMED, at=NOW
    ),
    "reserve": lambda s: s.reserve(an_attempt("hh1", ACCOUNT)),
    "transition": lambda s: s.transition(an_attempt("hh1", ACCOUNT), AttemptState.SENDING, at=NOW),
    "change_alerts": lambda s: s.change_alerts([AlertChange(an_alert())], {}),
    "move_alert": lambda s: s.move_alert(an_alert(id=1), AlertState.SNOOZED, at=NOW),
    "owe": lambda s: s.owe(owed("receipt")),
    "save_looks": lambda s: s.save_looks([Look(1, NOW)]),
    "save_alert_settings": lambda s: s.save_alert_settings(AlertSettings(ADA.id)),
    "note_sent": lambda s: s.note_sent([AlertSettings(ADA.id)]),
    "save_key_look": lambda s: s.save_key_look(KeyLook(1, 1, NOW)),
    "save_permission": lambda s: s.save_permission(Permission(ADA.id, 1)),
    "take_back": lambda s: s.take_back(ADA.id, 1),
    "set_pause": lambda s: s.set_pause(ADA.id, Pause(ADA.id)),
    "save_pins": lambda s: s.save_pins([Pin(ADA.id, version=1)], []),
    "pace": lambda s: s.pace(ADA.id, now=NOW, every=0.04, chat_every=1),
    "hold_chat": lambda s: s.hold_chat(ADA.id, NOW),
    "forget_paces": lambda s: s.forget_paces(before=NOW),
    "claim_due": lambda s: s.claim_due(now=NOW, limit=9, every=0.04, chat_every=1),
    "begin_delivery": lambda s: s.begin_delivery(owed("receipt"), now=NOW, by="a"),
    "claim_delivery": lambda s: s.claim_delivery(owed("receipt"), now=NOW, by="a"),
    "finish_delivery": lambda s: s.finish_delivery(owed("receipt"), state="sent"),
    "save_paper": lambda s: s.save_paper(1, {}, version=0),
    "keep_candles": lambda s: s.keep_candles("binance", 3600, [CandleChunk("BTC", 0, 1, bytes(24))]),
    "save_book": lambda s: s.save_book(Book(1, NOW)),
    "forget_candles": lambda s: s.forget_candles(3600, before=0),
}


def test_no_method_of_the_store_is_left_out() -> None:
    public = {name for name in dir(SqlStore) if not name.startswith("_")}
    assert set(READS) | set(WRITES) == public - {"close"}


async def outcomes(store: Store, calls: dict[str, Any]) -> dict[str, type]:
    """The type of what each call gave or raised."""
    ended = {}
    for name, call in calls.items():
        ended[name] = type((await asyncio.gather(call(store), return_exceptions=True))[0])
    return ended


@pytest_asyncio.fixture
async def impatient(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqlStore]:
    """A store that waits a fifth of a second for a lock, with Ada's account in it."""
    monkeypatch.setattr(rooms_database, "LOCK_SECONDS", 0.2)
    monkeypatch.setitem(rooms_database._POSTGRESQL, "lock_timeout", "200ms")
    opened = open_store(database)
    await opened.ensure_user(ADA)
    await opened.ensure_account(ADA.id, "paper", "paper")
    yield opened
    await opened.close()


@contextmanager
def locked(database: str) -> Iterator[None]:
    """Somebody else holds the lock of everything that could be written."""
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        other = sqlite3.connect(str(url.database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    else:
        server = psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
        tables = ", ".join(table.name for table in people.metadata.sorted_tables)
        server.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
        other = server  # type: ignore[assignment]
    try:
        yield
    finally:
        other.rollback()
        other.close()


@pytest.mark.fault(31)
async def test_a_locked_database_is_unavailable_for_writing_and_open_for_reading(
    database: str, impatient: SqlStore
) -> None:
    with locked(database):
        assert await outcomes(impatient, WRITES) == dict.fromkeys(WRITES, NotWritable)
        assert NotWritable not in (await outcomes(impatient, READS)).values()
    assert await impatient.accounts() == [ACCOUNT]
    assert await impatient.live_alerts(ADA.id) == []
    assert await impatient.outbox_item(1) is None
    await impatient.add_proposal(a_proposal("card", ACCOUNT))
    assert (await impatient.reserve(an_attempt("hh1", ACCOUNT))).version == 0


@pytest.mark.fault(31)
async def test_writers_that_queue_behind_a_lock_all_give_up(
    database: str, impatient: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_database, "QUEUE_SECONDS", 0.5)
    hasty = open_store(database)
    await hasty.ping()
    with locked(database):
        async with asyncio.timeout(60):  # no measure of speed: without a bound this would never end
            taps = (hasty.owe(owed(f"{n}")) for n in range(30))
            outcomes = await asyncio.gather(*taps, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {NotWritable}
    assert (await hasty.owe(owed("after"))).key == "after"
    assert [item.key for item in await hasty.due(now=NOW)] == ["after"]
    await hasty.close()


async def test_no_method_lets_a_drivers_error_out(request: pytest.FixtureRequest, database: str) -> None:
    """Every statement fails here, since nothing was ever migrated."""
    if database.startswith("sqlite"):
        empty = open_store(f"{database}.empty")
    else:
        empty = open_store(request.getfixturevalue("postgres_url"))
    assert await outcomes(empty, READS | WRITES) == dict.fromkeys(READS | WRITES, NotWritable)
    await empty.close()


async def test_a_full_disk_stops_writing_and_nothing_is_half_written(
    tmp_path: Path, sqlite_template: Path
) -> None:
    store = open_store(prepared(sqlite_address(tmp_path / "store.sqlite"), sqlite_template))
    await store.ensure_user(ADA)
    account = await store.ensure_account(ADA.id, "paper", "paper")
    await store.add_proposal(a_proposal("card", account))
    attempt = await store.reserve(an_attempt("hh1", account))
    async with store._database.write() as connection:  # SQLite's own way to pretend that the disk is full
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    long = owed("told", payload={"text": "x" * 100_000})
    with pytest.raises(NotWritable, match="full"):
        await store.transition(attempt, AttemptState.SENDING, at=later(1), outbox=long)
    assert await store.attempt("hh1") == attempt
    assert len(await store.events("hh1")) == 1
    async with store._database.write() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert (await store.transition(attempt, AttemptState.SENDING, at=later(2), outbox=long)).version == 1
    await store.close()


async def test_a_server_that_came_back_is_used_again(postgres_url: str) -> None:
    migrate(postgres_url)
    store = open_store(postgres_url)
    await asyncio.gather(*(store.ensure_user(ADA) for _ in range(5)))
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert await store.user(ADA.id) == ADA
    await store.suspend(ADA.id)
    await store.close()


async def test_a_server_that_is_not_there_is_unavailable_and_no_password_is_told() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, never listening
        address = f"postgresql+psycopg://ada:open-sesame@127.0.0.1:{nobody.getsockname()[1]}/hedgehog"
        away = open_store(address)
        with pytest.raises(NotWritable) as failure:
            await away.ping()
        await away.close()
        for schema in (migrate, at_head):
            with pytest.raises(NotWritable):
                schema(address)
    assert "open-sesame" not in "".join(traceback.format_exception(failure.value))


async def test_a_server_that_never_answers_is_unavailable_in_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rooms_database, "HANG_SECONDS", 1)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        hanging = open_store(f"postgresql+psycopg://ada@127.0.0.1:{mute.getsockname()[1]}/hedgehog")
        async with asyncio.timeout(60):  # no measure of speed: without a bound this would never end
            with pytest.raises(NotWritable):
                await hanging.ping()
            with pytest.raises(NotWritable):
                await hanging.ensure_user(ADA)
        await hanging.close()
