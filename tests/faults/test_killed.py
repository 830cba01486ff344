"""kill -9 of the bot at every point between a tap and its receipt.

A first walk writes down its points: one before and one after each awaited call of the store, the exchange, the
durable engine and Telegram. Then each point gets a walk of its own in which the bot dies there and is started again.
Afterwards there is exactly one set of orders, one receipt in the place of the card, and an answer to the tap.
"""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Sandbox, running_sandbox
from tests.fakes.person import Person, is_receipt, people_at, shorts, text_of, told
from tests.fakes.phone import Driver, Json

COINS = ("SOL 120", "DOT 1500")  # a perpetual of its own, and one through Bitcoin: two orders
SHARES = 6  # so many tests share the points of one walk
SAMPLE = 6  # `deploy/test faults` takes every point, the full run one in so many, beginning elsewhere for each walk
LATE_POINTS = 12  # background sweeps make a walk a few points longer or shorter


@dataclass(frozen=True)
class Walk:
    """What is done before the tap, which button is tapped, and where the points are counted from."""

    name: str
    armed_by: str
    prepare: Callable[[Person, Driver], Awaitable[Json]]
    button: str
    settings: tuple[tuple[str, str], ...] = ()


async def _hedge_card(person: Person, driver: Driver) -> Json:
    await person.add(*COINS)
    return await person.card()


async def _unhedge_card(person: Person, driver: Driver) -> Json:
    await person.add(*COINS)
    await person.confirm()
    return await person.card("/unhedge")


async def _alert(person: Person, driver: Driver) -> Json:
    """Coins that were added after the hedge leave it too small: the next tick notices."""
    await person.add(*COINS)
    receipt = await person.confirm()
    await person.add("SOL 200")
    return await person.alert(receipt["id"])


HEDGE = Walk("hedge", "store.proposal", _hedge_card, "Confirm")
UNHEDGE = Walk("unhedge", "store.proposal", _unhedge_card, "Confirm")
REBALANCE = Walk("rebalance", "store.alert", _alert, "Rebalance", (("tick_seconds", "1"),))

_points: dict[str, list[str]] = {}


async def _recorded(
    walk: Walk, sandbox: Sandbox, person: Person, driver: Driver, *, name: str | None = None
) -> list[str]:
    """The points of a walk on which nobody dies; written down once a test process."""
    known = name or walk.name
    if known not in _points:
        with sandbox.living(**dict(walk.settings)):
            card = await walk.prepare(person, driver)
        sandbox.points.unlink(missing_ok=True)
        with sandbox.living(kill_at=f"{walk.armed_by}:record"):
            await person.tap(card, walk.button)
            await person.receipt(card)
        lines = sandbox.points.read_text().splitlines()
        _points[known] = [line.split(" ", 1)[1] for line in lines]
    return _points[known]


async def _what_is_wrong(
    walk: Walk, card: Json, tap: Json, since: int, books: Books, person: Person, driver: Driver
) -> list[str]:
    """After the bot was killed and started again: everything that must hold and does not."""
    try:
        receipt = await person.receipt(card, seconds=20)
        await person.wait(lambda _: books.at_rest(person.id), "rest", seconds=20)
        hedge = await person.hedge_when(lambda h: _agree(h, books, person), "the panel", seconds=5)
    except AssertionError as nothing:
        return [f"{nothing}\n{books.states(person.id)}"]
    found = books.objections(person.id, positions=_positions(hedge))
    bot_said = [m for m in await person.messages() if m["from"] == "bot"]
    if extra := [m for m in bot_said if m["id"] > card["id"]]:
        found.append(f"sent besides the receipt: {[told(m) for m in extra]}")
    if len([m for m in bot_said if is_receipt(m)]) != 1 + (walk is not HEDGE):
        found.append(f"not exactly one receipt: {[told(m) for m in bot_said]}")
    if not text_of(receipt).startswith("✅"):
        found.append(f"the receipt is not of a complete hedge: {told(receipt)}")
    if not [call for call in await driver.calls(since) if _answers(call, tap)]:
        found.append("the tap was never answered")
    return found


def _answers(call: Json, tap: Json) -> bool:
    return bool(
        call["ok"]
        and call["method"] == "answerCallbackQuery"
        and call["params"].get("callback_query_id") == tap["callback_id"]
    )


def _positions(hedge: Json) -> dict[str, Decimal]:
    return {symbol: -Decimal(contracts) for symbol, contracts in shorts(hedge).items()}


def _agree(hedge: Json, books: Books, person: Person) -> bool:
    """The panel is up to half a second behind."""
    return not any("adds up" in o for o in books.objections(person.id, positions=_positions(hedge)))


async def test_between_tap_and_receipt_there_are_many_points_to_die_at(
    sandbox: Sandbox, ada: Person, driver: Driver
) -> None:
    points = await _recorded(HEDGE, sandbox, ada, driver)
    assert len(points) >= 12, points
    for part in ("store.", "exchange.", "telegram.", "durable."):
        assert any(point.startswith(part) for point in points), f"no point at {part}: {points}"
    assert any(point.startswith("exchange.place") for point in points), points


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("walk", [HEDGE, UNHEDGE, REBALANCE], ids=lambda walk: walk.name)
@pytest.mark.timeout(400)
async def test_fault_1_to_4_killed_anywhere_after_the_tap_one_order_set_and_one_receipt(
    request: pytest.FixtureRequest,
    walk: Walk,
    share: int,
    sandbox: Sandbox,
    books: Books,
    new_person: Callable[[], Person],
    driver: Driver,
) -> None:
    points = await _recorded(walk, sandbox, new_person(), driver)
    step = SAMPLE if walk is HEDGE else 3 * SAMPLE  # the others share most of their path with it
    if request.config.getoption("-m") == "faults":
        step = 1
    chosen = range(1 + len(walk.name) % step, len(points) + 1, step)[share::SHARES]
    assert await _what_breaks(walk, points, chosen, sandbox, books, new_person, driver) == []


@pytest.mark.postgres
@pytest.mark.timeout(400)
async def test_fault_1_to_4_killed_on_postgresql_one_order_set_and_one_receipt(
    data: Path, postgres_url: str
) -> None:
    with running_sandbox(data, database=postgres_url) as sandbox:
        async with people_at(sandbox.address) as people:
            driver, ids = people(1).phone.driver, itertools.count(1)
            points = await _recorded(HEDGE, sandbox, people(next(ids)), driver, name="hedge on PostgreSQL")
            placing = [n for n, point in enumerate(points, 1) if "exchange.place" in point]
            chosen = sorted({*range(9, len(points), len(points) // 5), *placing[:2]})
            books = Books.of(data, postgres_url)
            try:
                new_person = lambda: people(next(ids))  # noqa: E731 - as the fixture of that name
                assert await _what_breaks(HEDGE, points, chosen, sandbox, books, new_person, driver) == []
            finally:
                books.engine.dispose()


async def _what_breaks(
    walk: Walk,
    points: Sequence[str],
    chosen: Sequence[int],
    sandbox: Sandbox,
    books: Books,
    new_person: Callable[[], Person],
    driver: Driver,
) -> list[str]:
    """Walk once for each chosen point, die there, begin another life, and look at what is left."""
    broken = []
    life = sandbox.bot(**dict(walk.settings))
    try:
        for at in chosen:
            person, since = new_person(), await _last_call(driver)
            card = await walk.prepare(person, driver)
            life.stop()
            life = sandbox.bot(kill_at=f"{walk.armed_by}:{at}")
            tap = await person.tap(card, walk.button, wait=None)
            died = life.ended(seconds=15)
            life.stop()
            killed = life.was_killed
            life = sandbox.bot(**dict(walk.settings))
            found = await _what_is_wrong(walk, card, tap, since, books, person, driver)
            if not died and at <= len(points) - LATE_POINTS:
                found.append("the bot did not come to this point")
            if died and not killed:
                found.append("the bot ended by itself")
            broken += [f"killed at {at} ({points[at - 1]}): {one}" for one in found]
            books.retire(person.id)
    finally:
        life.stop()
    return broken


async def _last_call(driver: Driver) -> int:
    return max((call["n"] for call in await driver.calls()), default=0)


async def test_fault_1_killed_anywhere_in_an_add_the_coins_are_added_once_and_it_is_answered(
    request: pytest.FixtureRequest,
    sandbox: Sandbox,
    books: Books,
    new_person: Callable[[], Person],
    driver: Driver,
) -> None:
    with sandbox.living(kill_at="store.settle_updates:record"):
        sandbox.points.unlink(missing_ok=True)
        await new_person().ask("/add SOL 120")
    points = [line.split(" ", 1)[1] for line in sandbox.points.read_text().splitlines()]
    ended = [n for n, point in enumerate(points, 1) if point == "store.settle_updates ended"]
    last = ended[1]  # taken in, and over
    assert last >= 6, points
    for at in range(1, last + 1, 1 if request.config.getoption("-m") == "faults" else 3):
        person = new_person()
        with sandbox.living(kill_at=f"store.settle_updates:{at}") as life:
            mine = await person.write("/add SOL 120")
            assert life.ended(seconds=15) and life.was_killed, f"the bot did not die at {at}"
        with sandbox.living():
            assert "120" in text_of(await person.answer_to(mine)), f"killed at {at} ({points[at - 1]})"
            await person.ask("/help")
        assert books.holdings(person.id) == {"SOL": Decimal(120)}, f"killed at {at} ({points[at - 1]})"
