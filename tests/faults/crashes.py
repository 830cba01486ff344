"""What a cell of the crash matrix is made of: a walk, the points of it to die at, and what must hold afterwards."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.fakes.books import Books, Row
from tests.fakes.lives import Life, Sandbox
from tests.fakes.person import Person, is_receipt, told
from tests.fakes.phone import Driver, Json
from tests.fakes.stand_in import StandIn, filled_in, positions_in

PACE = 10  # seconds that pass for the bot in each one: an absent order is proven so in 4 instead of 32
POINTS = 46  # a cell; a few may not be come by
IN_FLIGHT = ("the order is in flight", 1)  # killed from outside while the exchange holds its answer back
MANUAL = frozenset({"manual"})
_BACKGROUND = re.compile(
    r"store\.(due|proposals_in|watched|open_attempts|forget_updates|claim_updates|hold_updates|ping) "
)
_DECISIVE = re.compile(
    r"wire\.POST|exchange\.place|store\.(transition|reserve|move_proposal|settle_updates)|durable\.start"
)

Point = tuple[str, int]  # a point's name, and which of that name


@dataclass(frozen=True)
class Timing:
    """What the exchange does around the death. `faults`: of the first order; `in_flight`: what holds it back for a kill
    from outside; `share`: of an order that is filled; `largest`: coins of one order, by symbol, where that is listed;
    `ends`: how the hedge ends that nobody disturbs."""

    name: str
    coins: tuple[str, ...]
    ends: str
    faults: Json = field(default_factory=dict)
    in_flight: Json = field(default_factory=dict)
    share: str | None = None
    largest: Mapping[str, str] = field(default_factory=dict)


TIMINGS = (
    Timing(
        "prompt",
        ("SOL 120", "DOT 1500"),  # a perpetual of its own, and one through Bitcoin: two orders
        "complete",
        in_flight={"kind": "hang", "after": True, "seconds": 2.0},
    ),
    Timing(
        "accepted in silence, seen late",
        ("SOL 120",),
        "complete",
        faults={"kind": "hang", "after": True, "seconds": 1.0, "unseen": 3},
        in_flight={"kind": "hang", "after": True, "seconds": 2.0, "unseen": 3},
    ),
    Timing(
        "cut and never accepted, then filled in part",
        ("SOL 120",),
        "partial",
        faults={"kind": "cut"},
        in_flight={"kind": "hang", "seconds": 2.0},
        share="0.37",
    ),
    Timing(
        "four legs, two of them in parts",
        ("SOL 40", "ETH 2", "XRP 4000", "LTC 30"),
        "complete",
        in_flight={"kind": "hang", "after": True, "seconds": 2.0},
        largest={"SOL/USDT:USDT": "8", "XRP/USDT:USDT": "1500"},
    ),
)


@dataclass
class Outcome:
    """One cell: exchange × timing."""

    kills: int = 0
    not_reached: int = 0
    duplicates: int = 0
    lost: int = 0
    manual: int = 0
    late: int = 0  # not sent any more, because the bot came back too long after the tap
    broken: list[str] = field(default_factory=list)


@dataclass
class Crashes:
    """Lives of the bot on one exchange, each ended at a chosen point of somebody's walk from tap to receipt."""

    sandbox: Sandbox
    driver: Driver
    books: Books
    stand_in: StandIn
    new_person: Callable[[], Person]
    life: Life | None = None

    async def recorded(self, timing: Timing) -> list[Point]:
        """The points of a walk on which nobody dies."""
        self.sandbox.points.unlink(missing_ok=True)
        if self.stand_in.name != "bingx":  # it lists none, and refuses what is larger
            for symbol, coins in timing.largest.items():
                await self.stand_in.event(largest=symbol, coins=coins)
        person = self.new_person()
        card = await self._ready(person, timing)
        await self._misbehave(timing.faults, timing.share)
        self.sandbox.kill_at.write_text("store.proposal:record")
        await person.tap(card, "Confirm")
        await self._settled(person, card)
        self.stop()
        seen: Counter[str] = Counter()
        points = []
        for line in self.sandbox.points.read_text().splitlines():
            name = line.split(" ", 1)[1]
            seen[name] += 1
            if not _BACKGROUND.match(name):
                points.append((name, seen[name]))
        return points

    async def killed_at(self, point: Point, timing: Timing, outcome: Outcome) -> None:
        """One walk with one death; what is found goes to the outcome."""
        person = self.new_person()
        card = await self._ready(person, timing)
        since = max((call["n"] for call in await self.driver.calls()), default=0)
        died, tap = await self._die(point, timing, person, card)
        self._begin()
        found = await self._objections(timing, person, card, tap, since, outcome)
        await self.stand_in.behave()
        self.books.retire(person.id)
        if died:
            outcome.kills += 1
        else:
            outcome.not_reached += 1
        outcome.broken += [f"{self.stand_in.name}, {timing.name}, killed at {point}: {one}" for one in found]

    def stop(self) -> None:
        if self.life is not None:
            self.life.stop()
        self.life = None

    async def _ready(self, person: Person, timing: Timing) -> Json:
        if self.life is None:
            self._begin()
        await person.add(*timing.coins)
        return await person.card()

    def _begin(self) -> None:
        self.sandbox.kill_at.unlink(missing_ok=True)
        self.life = self.sandbox.bot(kill_at="later")

    async def _die(self, point: Point, timing: Timing, person: Person, card: Json) -> tuple[bool, Json]:
        """Tap, and see the bot die; whether it did."""
        assert self.life is not None
        if point != IN_FLIGHT:
            await self._misbehave(timing.faults, timing.share)
            name, nth = point
            self.sandbox.kill_at.write_text(f"store.proposal:{name}#{nth}")
            tap = await person.tap(card, "Confirm", wait=None)
            died = await self._ended(self.life, person, card)
        else:
            await self._misbehave(timing.in_flight, timing.share)
            before = await self.stand_in.calls("order")
            tap = await person.tap(card, "Confirm", wait=None)
            async with asyncio.timeout(15):
                while await self.stand_in.calls("order") == before:  # noqa: ASYNC110 - nothing to be woken by
                    await asyncio.sleep(0.02)
            self.life.kill()
            died = True
        assert not died or self.life.was_killed, "the bot ended by itself"
        if not died:
            self.stop()
        return died, tap

    async def _ended(self, life: Life, person: Person, card: Json) -> bool:
        """Whether the life ends; it does not when the walk does, and the point was not on it."""
        until = time.monotonic() + 60
        while not life.ended():
            if self._done(person):
                await asyncio.sleep(0.3)
                return life.ended()
            assert time.monotonic() < until, "neither a death nor an end of the walk within a minute"
            await asyncio.sleep(0.03)
        return True

    def _done(self, person: Person) -> bool:
        owed = self.books.owed(person.id)
        return self.books.at_rest(person.id, also=MANUAL) and any(o["kind"] == "receipt" for o in owed)

    async def _misbehave(self, fault: Json, share: str | None) -> None:
        if fault:
            await self.stand_in.misbehave(on="order", **fault)
        if share is not None:
            await self.stand_in.event(share=share)

    async def _settled(self, person: Person, card: Json) -> Json:
        receipt = await person.receipt(card, seconds=90)
        await person.wait(lambda _: self._done(person), "rest", seconds=30)
        return receipt

    async def _objections(
        self, timing: Timing, person: Person, card: Json, tap: Json, since: int, outcome: Outcome
    ) -> list[str]:
        """After the bot was started again and everything is at rest: what must hold and does not."""
        try:
            await self._settled(person, card)
        except AssertionError as nothing:
            outcome.lost += 1
            return [str(nothing)]
        attempts = self.books.attempts(person.id)
        account = await self.stand_in.account_of({a["client_id"] for a in attempts})
        found = _twice(account, attempts)
        outcome.duplicates += len(found)
        arrived = {order["client_id"] for order in account["orders"]}
        found += self.books.objections(
            person.id, positions=positions_in(account), arrived=arrived, also=MANUAL
        )
        found += _not_as_there(account, attempts)
        ids = {str(row["client_id"]) for row in self.books.rows("SELECT client_id FROM attempt")}
        if strangers := await self.stand_in.strangers(ids):
            found.append(f"orders that no tap asked for: {strangers}")
        lost = await self._lost(person, card, tap, since)
        outcome.lost += bool(lost)
        return found + lost + self._unexpected(timing, person, attempts, outcome)

    async def _lost(self, person: Person, card: Json, tap: Json, since: int) -> list[str]:
        """The tap has one answer and one receipt, in the place of the card."""
        found = []
        said = [m for m in await person.messages() if m["from"] == "bot"]
        if extra := [m for m in said if m["id"] > card["id"]]:
            found.append(f"sent besides the receipt: {[told(m) for m in extra]}")
        if len([m for m in said if is_receipt(m)]) != 1:
            found.append(f"not exactly one receipt: {[told(m) for m in said]}")
        answers = [
            call
            for call in await self.driver.calls(since)
            if call["ok"]
            and call["method"] == "answerCallbackQuery"
            and call["params"].get("callback_query_id") == tap["callback_id"]
        ]
        if not answers:
            found.append("the tap was never answered")
        return found

    def _unexpected(
        self, timing: Timing, person: Person, attempts: Sequence[Row], outcome: Outcome
    ) -> list[str]:
        (proposal,) = [p for p in self.books.proposals(person.id) if p["state"] == "done"]
        ended: dict[str, Any] = _json(proposal["outcome"])
        states = [leg["state"] for leg in ended["legs"]]
        if "manual" in states:
            outcome.manual += 1
            return [] if ended["status"] == "manual" else [f"manual, and told as {ended['status']}"]
        if any(attempt["reason"] in ("too_late", "stalled") for attempt in attempts):
            outcome.late += 1
            return []
        return [] if ended["status"] == timing.ends else [f"ended as {ended['status']}: {ended['legs']}"]


def chosen(points: Sequence[Point]) -> list[Point]:
    """So many points: those where something is decided come before those where something is only read, evenly over the
    walk; the first of a name before its repetitions, which another walk may have fewer of."""
    weight = {point: (not _DECISIVE.match(point[0]), point[1] > 2) for point in points}
    taken: set[Point] = set()
    for wanted in sorted(set(weight.values())):
        alike = [point for point in points if weight[point] == wanted]
        room = (POINTS * 3 // 4 if not wanted[0] else POINTS) - len(taken)
        if room > 0:
            taken |= (
                {alike[n * len(alike) // room] for n in range(min(room, len(alike)))}
                if len(alike) > room
                else {*alike}
            )
    return [point for point in points if point in taken] + [IN_FLIGHT]


def _twice(account: Json, attempts: Sequence[Row]) -> list[str]:
    """Orders at the exchange with one id, or for one leg of one card."""
    by_id = Counter(order["client_id"] for order in account["orders"])
    leg_of = {a["client_id"]: (a["proposal_id"], a["leg"]) for a in attempts}
    by_leg = Counter(leg_of[client_id] for client_id in by_id if client_id in leg_of)
    return [f"{n} orders with the id {client_id}" for client_id, n in by_id.items() if n > 1] + [
        f"{n} orders for leg {leg} of {proposal}" for (proposal, leg), n in by_leg.items() if n > 1
    ]


def _not_as_there(account: Json, attempts: Sequence[Row]) -> list[str]:
    """Each attempt's fill is what the exchange filled."""
    there = filled_in(account)
    return [
        f"{a['symbol']}: the ledger has {a['filled']} filled, the exchange {there.get(a['client_id'], 0)}"
        for a in attempts
        if Decimal(str(a["filled"])) != there.get(a["client_id"], Decimal(0))
    ]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
