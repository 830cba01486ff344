"""Positions and largest orders on paper: the same rules, where no exchange is asked. Faults 47 and 54 of
../shared/FAULTS.md."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.ports.errors import Rejected
from bot.ports.records import Order
from hedging.market import Snapshot
from tests.fakes.database import store
from tests.services.conftest import ADA, Desk
from tests.services.reconciliation.conftest import SOL, Floor, paper, world

__all__ = ["paper", "store", "world"]

D = Decimal


@pytest.mark.fault(47)
async def test_two_cards_of_the_same_start_are_carried_out_once(desk: Desk) -> None:
    """The second was confirmed before the first had reached its orders: it starts from a position that is no more."""
    await desk.hold(SOL="100")
    first = await desk.card(key="update:1")
    assert await desk.tap(first) == "sending"
    second = await desk.card(key="update:2", message_id=60)
    assert await desk.tap(second, message_id=60) == "sending"
    await desk.durable.run_all()
    assert len(desk.exchange.placed) == 1
    done = await desk.store.proposal(second.id)
    assert done is not None
    assert [leg["reason"] for leg in done.outcome["legs"]] == ["position_changed"]


@pytest.mark.fault(54)
async def test_paper_refuses_what_is_too_large_and_is_sent_parts(paper: Floor) -> None:
    plain = paper.feed.snapshot

    async def limited() -> Snapshot:
        snapshot = await plain()
        own = replace(snapshot.contracts[SOL], max_amount=D(20))
        return replace(snapshot, contracts={**snapshot.contracts, SOL: own})

    paper.feed.snapshot = limited  # type: ignore[method-assign]
    await paper.hold(SOL="100")
    done = await paper.hedged()
    (leg,) = done.plan.legs
    assert len(leg.parts) == 3
    assert (done.outcome["status"], done.outcome["legs"][0]["orders"]) == ("complete", 3)
    closed = await paper.unhedged()
    assert (closed.outcome["status"], closed.outcome["legs"][0]["orders"]) == ("complete", 3)
    account = await paper.services.accounts.in_use(ADA)
    too_large = Order("hh-large", SOL, "sell", D(21), leg.limit_price, reduce_only=False)
    with pytest.raises(Rejected) as refused:
        await paper.exchanges.place(account, too_large)
    assert refused.value.code == "max_amount"
