"""What an exchange does wrong between a tap and its receipt, on the wire of each, with the real services behind it: no
order is doubled, no fill is lost, nothing is told that is not so."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.ports.errors import Unavailable
from bot.ports.records import AttemptState
from bot.sandbox.exchanges import VENUES
from hedging.errors import NothingToHedge
from tests.fakes.database import prepared, sqlite_address, sqlite_template
from tests.faults.trading import ADA, SOL, Trading, trading_on

__all__ = ["sqlite_template"]

D = Decimal


@pytest_asyncio.fixture(params=list(VENUES))
async def ada(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path
) -> AsyncIterator[Trading]:
    """Ada and the stand-in of each exchange."""
    database = prepared(sqlite_address(tmp_path / "bot.sqlite"), sqlite_template)
    async with trading_on(request.param, tmp_path / "market", database) as trading:
        yield trading


async def agree(ada: Trading, outcome: dict[str, Any]) -> None:
    """What is told is what the exchange filled, and what is held there."""
    told = sum(D(leg["filled"]) for leg in outcome["legs"] if leg["symbol"] == SOL)
    assert told == sum((order.filled for order in ada.orders), D(0))
    assert [held.position.contracts for held in ada.venue.desk.held(ada.trader)] == ([-told] if told else [])
    assert len(ada.receipts()) == 1


_LOST: list[dict[str, Any]] = [
    {"kind": "hang", "seconds": 0.05},
    {"kind": "cut"},
    {"kind": "html"},
    {"kind": "answer", "status": 503, "body": "{}"},
]


@pytest.mark.fault(11, 12, 13)
@pytest.mark.parametrize("fault", _LOST, ids=lambda fault: fault["kind"])
async def test_an_order_whose_answer_was_lost_is_looked_up_and_never_sent_again(
    ada: Trading, fault: dict[str, Any]
) -> None:
    ada.venue.faults.add(after=True, **fault)
    outcome = await ada.hedged(SOL="100")
    assert outcome["status"] == "complete"
    assert len(ada.orders) == 1
    await agree(ada, outcome)


@pytest.mark.fault(11, 12)
async def test_an_order_that_never_arrived_is_sent_under_a_new_id_once_its_absence_is_proven(
    ada: Trading,
) -> None:
    ada.venue.faults.add("cut")
    await ada.hold(SOL="100")
    card, begun = await ada.tapped(), ada.clock.now()
    outcome = await ada.ended(card)
    assert [a.state for a in await ada.attempts(card)] == [AttemptState.ABSENT, AttemptState.FILLED]
    assert (ada.clock.now() - begun).total_seconds() > 30
    assert outcome["status"] == "complete"
    assert len(ada.orders) == 1
    await agree(ada, outcome)


@pytest.mark.fault(14)
@pytest.mark.parametrize("lookups", [1, 3, 5])
async def test_an_order_that_is_accepted_after_it_was_not_found_has_no_second(
    ada: Trading, lookups: int
) -> None:
    ada.venue.faults.add("late", lookups=lookups)
    await ada.hold(SOL="100")
    card = await ada.tapped()
    outcome = await ada.ended(card)
    assert len(await ada.attempts(card)) == 1
    assert len(ada.orders) == 1
    assert outcome["status"] == "complete"
    await agree(ada, outcome)


@pytest.mark.fault(14)
async def test_an_order_that_nobody_finds_while_its_fill_is_there_is_left_to_its_owner(ada: Trading) -> None:
    ada.venue.faults.add("hang", after=True, seconds=0.05, unseen=10_000)
    await ada.hold(SOL="100")
    outcome = await ada.ended(await ada.tapped())
    assert outcome["status"] == "manual"
    assert [item.kind for item in ada.notifier.told] == ["waiting", "receipt"]
    assert len(ada.orders) == 1
    assert D(outcome["coverage_after"]) == pytest.approx(D("0.5"), abs=D("0.01"))


@pytest.mark.fault(15)
async def test_a_part_that_was_filled_is_the_coverage_that_is_told(ada: Trading) -> None:
    ada.venue.desk.share = D("0.37")
    outcome = await ada.hedged(SOL="100")
    assert outcome["status"] == "partial"
    assert D(outcome["coverage_after"]) == pytest.approx(D("0.185"), abs=D("0.005"))
    assert len(ada.orders) == 1
    await agree(ada, outcome)


@pytest.mark.fault(16)
@pytest.mark.parametrize(("share", "status"), [(None, "complete"), (D("0.37"), "partial")])
async def test_what_is_filled_while_the_rest_is_being_cancelled_is_kept(
    ada: Trading, share: D | None, status: str
) -> None:
    ada.venue.desk.share = share
    ada.venue.faults.add("linger", lookups=9)
    await ada.hold(SOL="100")
    card = await ada.tapped()
    outcome = await ada.ended(card)
    assert outcome["status"] == status
    assert len(await ada.attempts(card)) == 1
    await agree(ada, outcome)


@pytest.mark.fault(17)
@pytest.mark.parametrize("status", [429, 418])
async def test_an_exchange_that_asks_for_two_minutes_is_left_alone_for_two_minutes(
    ada: Trading, status: int
) -> None:
    await ada.hold(SOL="100")
    card = await ada.tapped()
    ada.venue.faults.add("ban", status=status, retry_after=120)
    calls: list[tuple[float, int]] = []
    begun, sleep = ada.clock.now(), ada.clock.sleep

    async def noting(seconds: float) -> None:
        await sleep(seconds)
        if ada.venue.calls["order"]:
            calls.append(((ada.clock.now() - begun).total_seconds(), ada.wire.counts.total()))

    ada.clock.sleep = noting  # type: ignore[method-assign]
    outcome = await ada.ended(card)
    during = {total for at, total in calls if at < 120}
    assert len(during) == 1, f"somebody called during the pause: {calls}"
    assert len(ada.orders) <= 1
    await agree(ada, outcome)


@pytest.mark.fault(18)
@pytest.mark.parametrize("ahead", [-30_000, 30_000])
async def test_a_clock_that_is_half_a_minute_off_is_set_once_for_a_whole_hedge(
    ada: Trading, ahead: int
) -> None:
    ada.venue.clock_ahead_ms = ahead
    outcome = await ada.hedged(SOL="100")
    assert outcome["status"] == "complete"
    assert ada.venue.calls["time"] <= 2  # positions and balance are asked for at once
    await agree(ada, outcome)


@pytest.mark.fault(19)
async def test_maintenance_between_tap_and_order_ends_in_a_receipt_that_says_so_and_afterwards_all_goes_on(
    ada: Trading,
) -> None:
    await ada.hold(SOL="100")
    card = await ada.tapped()
    ada.venue.faults.add("refuse", on="*", word="maintenance", times=10_000)
    outcome = await ada.ended(card)
    assert (outcome["status"], [leg["reason"] for leg in outcome["legs"]]) == ("nothing", ["unavailable"])
    assert ada.orders == []
    assert len(ada.receipts()) == 1
    with pytest.raises(Unavailable):
        await ada.services.hedge.propose(ADA, ADA, key="update:meanwhile")
    ada.venue.faults.clear()
    ada.clock.pass_(minutes=10)
    with suppress(Unavailable):  # the first read may be the one that finds out
        await ada.held()
    again = await ada.ended(await ada.tapped(message_id=60))
    assert again["status"] == "complete"
    assert len(ada.orders) == 1


@pytest.mark.fault(22)
@pytest.mark.parametrize("hedged", [False, True], ids=["one-way", "hedge"])
async def test_a_position_mode_that_was_switched_by_hand_is_followed_and_never_switched_back(
    ada: Trading, hedged: bool
) -> None:
    await ada.hold(SOL="100")
    await ada.account()
    await ada.held()  # the account is there
    ada.venue.desk.set_hedged(ada.trader, not hedged)
    card = await ada.tapped()
    ada.venue.desk.set_hedged(ada.trader, hedged)
    outcome = await ada.ended(card)
    assert outcome["status"] == "complete"
    closed = await ada.ended(await ada.tapped("unhedge", message_id=60))
    assert closed["status"] == "complete"
    assert ada.trader.hedged is hedged
    assert ada.venue.desk.held(ada.trader) == []


@pytest.mark.fault(22)
async def test_an_order_that_is_refused_for_the_position_mode_leaves_the_mode_and_is_not_repeated(
    ada: Trading,
) -> None:
    await ada.hold(SOL="100")
    card = await ada.tapped()
    ada.venue.faults.add("refuse", word="position_mode")
    sent = ada.venue.calls["order"]
    outcome = await ada.ended(card)
    assert outcome["status"] == "nothing"
    assert ada.venue.calls["order"] == sent + 1
    assert not ada.trader.hedged
    await agree(ada, outcome)


def by_hand(ada: Trading, contracts: Decimal) -> None:
    """She buys so much of her short back herself, behind the bot's back."""
    contract = ada.venue.desk.contract(SOL)
    quote = ada.world.snapshot().quotes[SOL]
    ada.venue.desk.place(
        ada.trader, client_id="by-hand", symbol=SOL, side="buy", contracts=contracts,
        limit_price=quote.ask * D("1.05") // contract.tick * contract.tick, reduce_only=True,
    )  # fmt: skip


@pytest.mark.fault(23)
@pytest.mark.parametrize("left", ["nothing", "a half"])
async def test_closing_what_was_closed_by_hand_meanwhile_never_flips_and_tells_what_is_held(
    ada: Trading, left: str
) -> None:
    opened = await ada.hedged(SOL="100")
    size = D(opened["legs"][0]["filled"])
    card = await ada.tapped("unhedge", message_id=60)
    lot = ada.venue.desk.contract(SOL).lot
    by_hand(ada, size if left == "nothing" else size / 2 // lot * lot)
    outcome = await ada.ended(card)
    held = [one.position.contracts for one in ada.venue.desk.held(ada.trader)]
    assert all(contracts < 0 for contracts in held), f"the short became a long: {held}"
    assert await ada.held() == sum(held, D(0))
    filled = sum((order.filled for order in ada.orders if order.client_id.startswith("hh")), D(0))
    assert sum(D(leg["filled"]) for leg in opened["legs"] + outcome["legs"]) == filled
    if not held:
        assert D(outcome["coverage_after"]) == 0
        with pytest.raises(NothingToHedge):
            await ada.services.hedge.unwind(ADA, ADA, key="update:again")
    else:
        closed = await ada.ended(await ada.tapped("unhedge", message_id=70))
        assert closed["status"] == "complete"
        assert ada.venue.desk.held(ada.trader) == []


@pytest.mark.fault(23)
async def test_a_reduce_only_order_that_is_refused_leaves_the_short_and_says_so(ada: Trading) -> None:
    opened = await ada.hedged(SOL="100")
    card = await ada.tapped("unhedge", message_id=60)
    ada.venue.faults.add("refuse", word="reduce_only")
    sent = ada.venue.calls["order"]
    outcome = await ada.ended(card)
    assert outcome["status"] == "nothing"
    assert ada.venue.calls["order"] == sent + 1
    assert await ada.held() == -D(opened["legs"][0]["filled"])
    assert D(outcome["coverage_after"]) == pytest.approx(D("0.5"), abs=D("0.01"))


@pytest.mark.fault(25)
@pytest.mark.parametrize("gap", [0.4, -0.4])
@pytest.mark.parametrize("command", ["hedge", "unhedge"])
async def test_a_price_that_leaps_after_the_tap_fills_nothing_beyond_the_cap_that_was_shown(
    ada: Trading, command: str, gap: float
) -> None:
    await ada.hold(SOL="100")
    if command == "unhedge":
        await ada.ended(await ada.tapped())
    card = await ada.tapped(command, message_id=60)
    (leg,) = card.plan.legs
    ada.world.shock("rally" if gap > 0 else "crash", abs(gap))
    outcome = await ada.ended(card)
    mine = [order for order in ada.orders if order.client_id == (await ada.attempts(card))[0].client_id]
    for order in mine:
        assert order.limit_price == leg.limit_price
        if order.filled:
            assert order.average is not None
            assert (
                order.average >= leg.limit_price if leg.side == "sell" else order.average <= leg.limit_price
            )
    against = (gap < 0) == (leg.side == "sell")
    if against:
        assert outcome["status"] == "nothing"
        assert not any(order.filled for order in mine)
    assert len(mine) <= 1


@pytest.mark.fault(27)
async def test_money_that_left_the_account_after_the_tap_is_a_definite_no(ada: Trading) -> None:
    await ada.hold(SOL="100")
    card = await ada.tapped()
    ada.trader.account = replace(ada.trader.account, cash={"USDT": D(5)})
    outcome = await ada.ended(card)
    assert outcome["status"] == "nothing"
    assert [leg["reason"] for leg in outcome["legs"]] == ["margin"]
    assert ada.orders == []
