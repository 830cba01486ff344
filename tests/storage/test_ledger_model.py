"""Whatever the callers do, in whatever order: the ledger is what a few lines of Python say it should be.

Two hundred runs of fifty steps; `--hypothesis-profile long` makes it two thousand.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bot.ports.errors import StaleVersion, SymbolBusy
from bot.ports.records import TERMINAL, Account, Attempt, AttemptState, User
from bot.ports.store import Store
from bot.storage import open_store
from tests.fakes.database import prepared, sqlite_address
from tests.simulation.process.sqlite import without_threads
from tests.storage.samples import NOW, a_proposal, an_attempt, owed

T = TypeVar("T")
PEOPLE = count(1)  # every run of the machine has people of its own in the same database
STEPS = 50
LEGS = st.integers(0, 5)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "filled": st.decimals(0, 20, places=4),
        "order_id": st.text("0123456789", min_size=1, max_size=4),
        "lookups": st.integers(0, 5),
        "reason": st.sampled_from(["", "never arrived"]),
    },
)


class Ledger(RuleBasedStateMachine):
    """Two accounts, three symbols, six attempts; each may be reserved, moved with a fresh or stale version, or
    looked up after the store was closed and opened again."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self.database = database
        self.runner = asyncio.Runner()
        self.store: Store = open_store(database)
        self.accounts = self.run(self.prepare())
        self.model: dict[str, Attempt] = {}
        self.journal: dict[str, list[AttemptState]] = {}
        self.moves = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def prepare(self) -> list[Account]:
        accounts = []
        for _ in range(2):
            user = User(next(PEOPLE), 1, "somebody", NOW)
            await self.store.ensure_user(user)
            accounts.append(await self.store.ensure_account(user.id, "paper", "paper"))
            await self.store.add_proposal(a_proposal(f"card {user.id}", accounts[-1]))
        return accounts

    def client_id(self, leg: int) -> str:
        return f"{self.accounts[0].id}-{leg}"

    def live(self) -> list[Attempt]:
        return [attempt for attempt in self.model.values() if attempt.state not in TERMINAL]

    @rule(leg=LEGS, owner=st.integers(0, 1), symbol=st.sampled_from("ABC"))
    def reserve(self, leg: int, owner: int, symbol: str) -> None:
        account = self.accounts[owner]
        card = f"card {account.user_id}"
        wanted = an_attempt(self.client_id(leg), account, card, leg=leg, symbol=symbol)
        busy = any((one.account_id, one.symbol) == (account.id, symbol) for one in self.live())
        known = self.model.get(wanted.client_id)
        try:
            reserved = self.run(self.store.reserve(wanted))
        except SymbolBusy:
            assert busy
            assert known is None
            return
        assert reserved == (known or wanted)
        assert known or not busy
        self.model.setdefault(wanted.client_id, wanted)
        self.journal.setdefault(wanted.client_id, [AttemptState.RESERVED])

    @rule(leg=LEGS, to=st.sampled_from(AttemptState), age=st.sampled_from([0, 0, 0, 1, -1]), changes=CHANGES)
    def move(self, leg: int, to: AttemptState, age: int, changes: dict[str, Any]) -> None:
        known = self.model.get(self.client_id(leg))
        read = known or an_attempt(self.client_id(leg), self.accounts[0])
        self.moves += 1
        at = NOW + timedelta(seconds=self.moves)
        message = owed(f"{read.client_id}.{self.moves}", user_of(self.accounts[0]))
        try:
            moved = self.run(
                self.store.transition(
                    replace(read, version=read.version - age), to, at=at, outbox=message, **changes
                )
            )
        except StaleVersion:
            assert known is None or known.state in TERMINAL or age != 0
            assert message.key not in self.run(self.owed_keys())
            return
        assert known is not None
        assert known.state not in TERMINAL
        assert age == 0
        expected = replace(known, state=to, version=known.version + 1, updated_at=at, **changes)
        assert moved == expected
        assert message.key in self.run(self.owed_keys())
        self.model[known.client_id] = expected
        self.journal[known.client_id].append(to)

    async def owed_keys(self) -> set[str]:
        return {item.key for item in await self.store.due(now=NOW, limit=10_000)}

    @rule(luck=st.integers(0, 7))
    def restart(self, luck: int) -> None:
        if luck:
            return
        self.run(self.store.close())
        self.store = open_store(self.database)

    @invariant()
    def every_attempt_is_as_in_the_model(self) -> None:
        stored = self.run(self.everything())
        assert {one.client_id: one for one in stored} == self.model
        places = [(one.account_id, one.symbol) for one in stored if one.state not in TERMINAL]
        assert len(places) == len(set(places))

    async def everything(self) -> Sequence[Attempt]:
        found: list[Attempt] = []
        for account in self.accounts:
            found += await self.store.attempts(f"card {account.user_id}")
        return found

    async def the_journal_and_the_open_attempts_are_too(self) -> None:
        for attempt in self.model.values():
            events = await self.store.events(attempt.client_id)
            assert [state for state, _ in events] == self.journal[attempt.client_id]
            assert len(events) == attempt.version + 1
        ours = {account.id for account in self.accounts}
        left = await self.store.open_attempts(before=NOW + timedelta(days=1))
        assert {one.client_id for one in left if one.account_id in ours} == {
            one.client_id for one in self.live()
        }

    def teardown(self) -> None:
        self.run(self.the_journal_and_the_open_attempts_are_too())
        self.run(self.store.close())
        self.runner.close()


def user_of(account: Account) -> User:
    return User(account.user_id, account.user_id, "somebody", NOW)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_ledger_does_what_a_small_model_of_it_says(database: str, memory_folder: Path) -> None:
    copies = count()

    class Here(Ledger):
        def __init__(self) -> None:
            super().__init__(own(database))

    def own(database: str) -> str:
        """SQLite: a copy for each run, in memory. On PostgreSQL all runs share the one."""
        if not database.startswith("sqlite"):
            return database
        copy = memory_folder / f"{next(copies)}.sqlite"
        return prepared(sqlite_address(copy), Path(database.partition("///")[2]))

    # A commit and a restart cost PostgreSQL more: there it is a sample.
    runs = 2 * settings().max_examples if database.startswith("sqlite") else settings().max_examples // 10
    with without_threads():
        run_state_machine_as_test(
            Here, settings=settings(max_examples=max(runs, 1), stateful_step_count=STEPS, deadline=None)
        )
