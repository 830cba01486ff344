"""Other processes on the same database: at work together, stopped and woken, and killed."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from bot.ports.records import Account, AttemptState, ProposalState
from bot.ports.store import Store
from tests.shared import ROOT
from tests.storage.faults.worker import CARDS, ROUNDS, target_of
from tests.storage.samples import ADA, NOW, a_proposal, an_attempt, later

pytestmark = pytest.mark.slow

Worker = subprocess.Popen[str]
Hire = Callable[[str, str], Worker]


@pytest.fixture
def hire(database: str) -> Iterator[Hire]:
    """`hire(role, name)`: a worker process that is ready."""
    workers: list[Worker] = []

    def begin(role: str, name: str) -> Worker:
        command = [sys.executable, "-m", "tests.storage.faults.worker", role, database, name]
        worker = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        workers.append(worker)
        assert heard(worker) == "ready"
        return worker

    yield begin
    for worker in workers:
        worker.kill()
        worker.communicate()


def heard(worker: Worker) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def tell(worker: Worker) -> None:
    assert worker.stdin is not None
    worker.stdin.write("go on\n")
    worker.stdin.flush()


@pytest.mark.fault(29)
async def test_two_processes_share_the_cards_and_symbols(store: Store, account: Account, hire: Hire) -> None:
    for number in range(ROUNDS):
        await store.add_proposal(a_proposal(f"card {number}", account), supersede=False)
    workers = [hire("race", "left"), hire("race", "right")]
    for worker in workers:
        tell(worker)
    won = [line for worker in workers for line in worker.communicate(timeout=60)[0].splitlines()]
    assert sorted(won) == sorted(f"{what} {n}" for what in ("card", "symbol") for n in range(ROUNDS))
    assert len(await store.proposals_in(ProposalState.CONFIRMED, before=later(9))) == ROUNDS
    assert len(await store.open_attempts(before=later(9))) == ROUNDS
    assert len(await store.due(now=later(9))) == ROUNDS


@pytest.mark.fault(30)
async def test_a_stopped_worker_that_wakes_up_is_refused(store: Store, account: Account, hire: Hire) -> None:
    await store.add_proposal(a_proposal("card", account))
    reserved = await store.reserve(an_attempt("hh1", account))
    stalled = hire("read_then_write", "stale")
    assert heard(stalled) == "read"
    stalled.send_signal(signal.SIGSTOP)
    sending = await store.transition(reserved, AttemptState.SENDING, at=later(1))
    unknown = await store.transition(sending, AttemptState.UNKNOWN, at=later(2))
    tell(stalled)
    stalled.send_signal(signal.SIGCONT)
    assert heard(stalled) == "StaleVersion"
    assert await store.attempt("hh1") == unknown
    assert await store.due(now=later(99)) == []


@pytest.mark.fault(1)
async def test_a_killed_worker_leaves_whole_transitions(store: Store, account: Account, hire: Hire) -> None:
    await store.add_proposal(a_proposal("card", account))
    await store.reserve(an_attempt("hh1", account))
    for lines in (1, 7, 12):
        worker = hire("scribble", "")
        for _ in range(lines):
            reported = int(heard(worker))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        stored = await store.attempt("hh1")
        assert stored is not None
        assert stored.version >= reported  # what was reported is there
        assert stored.lookups == stored.version
        assert len(await store.events("hh1")) == stored.version + 1
        assert len(await store.due(now=NOW, limit=10_000)) == stored.version


@pytest.mark.fault(1)
async def test_a_killed_worker_leaves_the_rule_of_the_last_card_that_it_confirmed(
    store: Store, account: Account, hire: Hire
) -> None:
    for number in range(CARDS):
        await store.add_proposal(a_proposal(f"card {number}", account), supersede=False)
    worker = hire("retarget", "")
    tell(worker)
    for _ in range(CARDS // 3):
        reported = int(heard(worker))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    confirmed = await store.proposals_in(ProposalState.CONFIRMED, before=later(CARDS))
    assert len(confirmed) > reported  # what was reported is there
    rule = await store.rule(ADA.id)
    assert rule is not None
    assert rule.target == target_of(len(confirmed) - 1)
