"""When a circuit opens, tries and closes. Time is the test's own."""

from datetime import timedelta

import pytest

from bot.exchange.limits.circuit import PUBLIC, Circuit
from tests.fakes.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def circuit(clock: ManualClock) -> Circuit:
    return Circuit(clock, "Bybit")


def fail(circuit: Circuit, clock: ManualClock, *sources: object, maintenance: bool = False) -> None:
    for source in sources:
        circuit.failed(source, clock.now(), maintenance=maintenance)


def test_it_opens_when_nothing_is_answered_for_a_while(circuit: Circuit, clock: ManualClock) -> None:
    begun = clock.now()
    fail(circuit, clock, *[PUBLIC] * 20)
    assert circuit.refusal(PUBLIC, write=False) is None, "a hiccup of a second is none"
    clock.pass_(seconds=60)
    fail(circuit, clock, PUBLIC)
    assert (circuit.health.state, circuit.health.since) == ("down", begun)
    assert circuit.refusal(PUBLIC, write=False) == "Bybit has not answered since 12:00 UTC."


def test_an_answer_in_between_starts_the_count_anew(circuit: Circuit, clock: ManualClock) -> None:
    for _ in range(10):
        fail(circuit, clock, *[PUBLIC] * 4)
        clock.pass_(seconds=30)
        circuit.answered()
    assert circuit.state == "closed"


def test_one_key_that_hangs_opens_nothing_and_three_do(circuit: Circuit, clock: ManualClock) -> None:
    """Fault 34."""
    for _ in range(50):
        fail(circuit, clock, 1)
        clock.pass_(seconds=30)
    assert circuit.refusal(2, write=True) is None
    fail(circuit, clock, 2, 2, 3)
    assert circuit.state == "open"


def test_a_word_of_maintenance_opens_at_once(circuit: Circuit, clock: ManualClock) -> None:
    """Fault 19."""
    fail(circuit, clock, 7, maintenance=True)
    assert circuit.health.state == "maintenance"
    assert circuit.health.sentence == "Bybit is in maintenance since 12:00 UTC."
    assert circuit.health.next_try == clock.now() + timedelta(seconds=10)


def test_it_tries_after_a_pause_that_grows_up_to_five_minutes(circuit: Circuit, clock: ManualClock) -> None:
    fail(circuit, clock, PUBLIC, maintenance=True)
    since, pauses = circuit.health.since, []
    for _ in range(8):
        asked = clock.now()
        while circuit.refusal(PUBLIC, write=False) is not None:
            clock.pass_(seconds=1)
        pauses.append((clock.now() - asked).total_seconds())
        fail(circuit, clock, PUBLIC, maintenance=True)
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]
    assert circuit.health.since == since, "it is one outage, however often it was tried"


def test_reads_try_and_writes_wait_until_it_is_back(circuit: Circuit, clock: ManualClock) -> None:
    fail(circuit, clock, 7, maintenance=True)
    clock.pass_(seconds=11)
    assert circuit.refusal(1, write=True) is not None
    assert circuit.refusal(1, write=False) is None
    circuit.answered()
    assert circuit.refusal(1, write=True) is None
    assert (circuit.health.state, circuit.health.since) == ("up", clock.now())


def test_a_few_accounts_may_try_each_once(circuit: Circuit, clock: ManualClock) -> None:
    fail(circuit, clock, 7, maintenance=True)
    clock.pass_(seconds=11)
    may = [circuit.refusal(source, write=False) is None for source in (1, 1, 2, 3, 4)]
    assert may == [True, False, True, True, False]
    clock.pass_(seconds=31)
    assert circuit.refusal(4, write=False) is None, "a try that nobody told the end of does not block the way"


def test_one_key_that_hangs_does_not_keep_it_open(circuit: Circuit, clock: ManualClock) -> None:
    """Fault 34."""
    fail(circuit, clock, 7, maintenance=True)
    clock.pass_(seconds=11)
    assert circuit.refusal(1, write=False) is None
    fail(circuit, clock, 1)
    assert circuit.refusal(2, write=False) is None
    circuit.answered()
    assert circuit.state == "closed"


def test_what_was_asked_before_it_went_down_does_not_close_it(circuit: Circuit, clock: ManualClock) -> None:
    fail(circuit, clock, 7, maintenance=True)
    circuit.answered()
    assert circuit.state == "open"
