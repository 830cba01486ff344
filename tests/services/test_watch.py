"""The tick: drift and large moves are found once, told once, and end when they are over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bot.ports.errors import Unavailable
from bot.ports.exchange import TradeFill
from bot.ports.records import Account, AlertState, Balance, OrderReport
from bot.ports.store import HoldingChange
from bot.services.errors import NotYours
from bot.services.hedge import Confirmation
from hedging.portfolio import Position
from tests.services.conftest import ADA, BOB, Desk

D = Decimal


async def rebalance(desk: Desk, *, key: str) -> Confirmation:
    """The tap on the remedy of the last alert."""
    shown = desk.notifier.told[-1].payload
    alert_id, remedy = shown["alert_id"], shown["proposal_id"]
    return await desk.services.hedge.rebalance(alert_id, ADA, ADA, 1002, key=key, remedy=remedy)


async def test_no_hedge_no_alert(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.card()
    desk.market.move(SOL=0.6, BTC=0.7)
    await desk.tick()
    assert desk.notifier.told == []


async def test_a_quiet_market_is_silent(desk: Desk) -> None:
    await desk.hold(SOL="100", ATOM="500")
    await desk.hedged()
    for _ in range(5):
        desk.market.move(SOL=1.004, ATOM=0.997)
        await desk.tick()
    assert desk.notifier.kinds() == ["receipt"]


async def test_drift_is_told_once_with_its_priced_remedy(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=0.7)
    for _ in range(3):
        await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "alert"]
    alert = desk.notifier.told[-1].payload
    assert alert["kind"] == "drift"
    assert D(alert["coverage"]) == pytest.approx(D("0.714"), abs=D("0.01"))  # 0.5 / 0.7
    (leg,) = alert["legs"]
    assert (leg["symbol"], leg["side"]) == ("BTC/USDT:USDT", "buy")


async def test_the_alerts_button_brings_coverage_back_and_leaves_the_receipt(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=0.7)
    await desk.tick()
    outcome = await rebalance(desk, key="update:8")
    assert outcome.kind == "sending"
    await desk.services.hedge.begin(outcome.proposal)
    await desk.durable.run_all()
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "alert", "receipt"]
    status = await desk.services.status.view(ADA)
    assert status.exposure.coverage == pytest.approx(D("0.5"), abs=D("0.01"))
    assert status.alerts == ()


async def test_two_taps_on_the_alert_rebalance_once(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=0.7)
    await desk.tick()
    kinds = [(await rebalance(desk, key=f"update:{i}")).kind for i in (8, 9)]
    assert kinds == ["sending", "working"]


async def test_an_alert_that_grew_old_is_priced_again_and_asks(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=0.7)
    await desk.tick()
    desk.clock.pass_(hours=5)
    outcome = await rebalance(desk, key="update:8")
    assert outcome.kind == "repriced"
    assert len(desk.exchange.placed) == 1
    assert await desk.tap(outcome.proposal, message_id=1002) == "sending"


async def test_another_user_cannot_use_the_alert(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    await desk.services.people.meet(BOB, BOB, "Bob")
    desk.market.move(ATOM=0.7)
    await desk.tick()
    alert_id = desk.notifier.told[-1].payload["alert_id"]
    with pytest.raises(NotYours):
        await desk.services.hedge.rebalance(alert_id, BOB, BOB, 1, key="x")
    with pytest.raises(NotYours):
        await desk.services.alerts.snooze(alert_id, BOB)
    with pytest.raises(NotYours):
        await desk.services.alerts.details(alert_id, BOB)


async def test_a_remedy_takes_no_card_from_its_reader(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    card = await desk.card(key="update:5", message_id=70)
    desk.market.move(ATOM=0.85)
    await desk.tick()
    assert (await desk.store.proposal(card.id)).state.value == "open"  # type: ignore[union-attr]


async def test_recovery_edits_the_alert_silently(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=0.7)
    await desk.tick()
    desk.market.move(ATOM=1 / 0.7)
    await desk.tick()
    last = desk.notifier.told[-1]
    assert (last.kind, last.edit, last.silent) == ("recovered", 1002, True)


async def test_a_snoozed_matter_is_silent_and_comes_back(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=0.7)
    await desk.tick()
    alert_id = desk.notifier.told[-1].payload["alert_id"]
    assert (await desk.services.alerts.snooze(alert_id, ADA)).state is AlertState.SNOOZED
    desk.market.time += timedelta(hours=3)
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "alert"]
    desk.market.time += timedelta(hours=2)
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "alert", "alert", "replaced"]


async def test_a_crash_is_told_even_where_the_hedge_follows_exactly(desk: Desk) -> None:
    await desk.hold(SOL="100", ADA="5000")
    await desk.hedged()
    desk.market.move(SOL=0.6, ADA=0.65, BTC=0.7)
    await desk.tick()
    alert = desk.notifier.told[-1].payload
    assert alert["kind"] == "market_move"
    assert alert["change"] < -0.3
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "alert"]


async def test_a_crash_is_told_also_at_the_tick_that_finds_a_drift_over(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    await desk.hold(SOL="300")
    await desk.tick()
    assert desk.notifier.told[-1].payload["kind"] == "drift"
    await desk.services.portfolio.change(ADA, [HoldingChange("SOL", D(-300))], key="sold again")
    desk.market.move(SOL=0.6, BTC=0.7)
    for _ in range(2):  # a chat takes one message a second
        await desk.tick()
    assert [m.payload["kind"] for m in desk.notifier.told if m.kind == "alert"] == ["drift", "market_move"]


async def test_who_is_traded_for_while_they_are_looked_at_is_judged_at_the_next_tick(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look saw the account before the order, and the check comes after it: together they would be a false alarm."""
    await desk.hold(SOL="100")
    await desk.hedged()
    await desk.tick()
    await desk.hold(SOL="300")
    card = await desk.card(key="update:more", message_id=60)
    balance = desk.exchange.balance

    async def meanwhile(account: Account) -> Balance:
        monkeypatch.setattr(desk.exchange, "balance", balance)
        await desk.tap(card, message_id=60)
        await desk.durable.run_all()
        return await balance(account)

    monkeypatch.setattr(desk.exchange, "balance", meanwhile)
    await desk.services.watch.check()
    assert len(desk.exchange.placed) == 2
    assert await desk.store.live_alerts(ADA) == []
    for _ in range(2):
        await desk.tick()
    assert "alert" not in desk.notifier.kinds()
    desk.market.move(SOL=1.4)  # and moves are measured from the later card on
    await desk.tick()
    assert desk.notifier.told[-1].payload["change"] == pytest.approx(0.4, abs=0.01)


async def test_a_second_move_on_the_same_day_is_told_too(desk: Desk) -> None:
    await desk.hold(SOL="100", ADA="9000")
    await desk.hedged()
    desk.market.move(SOL=0.6, ADA=0.65, BTC=0.7)
    await desk.tick()
    desk.market.move(SOL=0.7, ADA=0.7, BTC=0.7)
    for _ in range(3):
        await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "alert", "alert", "replaced"]
    assert desk.notifier.told[-2].payload["change"] == pytest.approx(-0.3, abs=0.01)


async def test_a_snoozed_move_stays_silent_until_its_hours_are_over(desk: Desk) -> None:
    await desk.hold(SOL="100", ADA="9000")
    await desk.hedged()
    desk.market.move(SOL=0.6, ADA=0.65, BTC=0.7)
    await desk.tick()
    await desk.services.alerts.snooze(desk.notifier.told[-1].payload["alert_id"], ADA)
    desk.market.move(SOL=0.7, ADA=0.7, BTC=0.7)
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "alert"]
    desk.market.time += timedelta(hours=5)
    desk.market.move(SOL=0.7, ADA=0.7, BTC=0.7)
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "alert", "alert", "replaced"]


async def test_a_hedge_that_vanished_is_drift(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    await desk.tick()
    desk.exchange.held.clear()  # liquidated, or closed by hand, without a trace
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt"], "it may be a read that was wrong"
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "position", "alert"]
    assert D(desk.notifier.told[-1].payload["coverage"]) == 0


async def test_a_hedge_closed_on_purpose_is_no_drift(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    await desk.tick()
    closing = await desk.services.hedge.unwind(ADA, ADA, key="update:9")
    await desk.tap(closing)
    await desk.durable.run_all()
    await desk.tick()
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "receipt"]


@pytest.mark.fault(33)
async def test_a_tick_fired_twice_runs_once(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=0.7)
    desk.clock.pass_(seconds=2)
    await desk.services.watch.tick(60)
    await desk.services.watch.tick(60)
    await desk.durable.run_all()
    assert desk.notifier.kinds() == ["receipt", "alert"]


async def test_one_user_who_cannot_be_read_does_not_hold_up_the_others(desk: Desk) -> None:
    await desk.hold(ADA, ATOM="5000")
    await desk.hedged(ADA, key="update:1")
    await desk.hold(BOB, ADA="10000")
    bobs = await desk.services.hedge.propose(BOB, BOB, key="update:2")
    await desk.store.ensure_account(BOB, "paper", "paper")
    await desk.services.rules.change(BOB)
    assert bobs.user_id == BOB
    read = desk.exchange.positions

    async def fails_for_bob(account: Account) -> Sequence[Position]:
        if account.user_id == BOB:
            raise Unavailable("no answer")
        return await read(account)

    desk.exchange.positions = fails_for_bob  # type: ignore[method-assign]
    desk.market.move(ATOM=0.7)
    await desk.tick()
    assert [kind for kind in desk.notifier.kinds() if kind != "position"] == ["receipt", "alert"]


async def test_between_two_orders_of_one_hedge_nobody_is_told_of_drift(desk: Desk) -> None:
    await desk.hold(ATOM="5000", SOL="100")
    await desk.hedged()
    await desk.hold(SOL="900", ATOM="9000")
    card = await desk.card(key="update:9", message_id=60)
    await desk.services.hedge.confirm(card.id, ADA, ADA, 60)  # its orders are on their way
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt"]


async def test_whose_orders_hang_is_watched_again_after_a_while(desk: Desk) -> None:
    await desk.hold(ATOM="5000", SOL="100")
    await desk.hedged()
    await desk.hold(SOL="900", ATOM="9000")
    card = await desk.card(key="update:9", message_id=60)
    await desk.services.hedge.confirm(card.id, ADA, ADA, 60)
    desk.clock.pass_(minutes=2)
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt", "alert"]


async def test_an_exchange_that_goes_away_before_a_new_hedge_was_looked_at_is_told_of(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()

    async def away(account: Account) -> Sequence[Position]:
        raise Unavailable("no answer")

    desk.exchange.positions = away  # type: ignore[method-assign]
    await desk.tick()
    desk.clock.pass_(minutes=6)
    await desk.tick()
    assert [item.payload["kind"] for item in desk.notifier.told if item.kind == "alert"] == ["exchange_down"]


async def test_an_order_that_nobody_can_tell_of_is_not_called_settled(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    desk.exchange.script = ["hang_before"]

    async def no_word(account: Account, symbol: str, client_id: str) -> OrderReport | None:
        await desk.services.watch.check()  # ticks go on between two look-ups
        await desk.services.delivery.sweep()
        raise Unavailable("no answer")

    desk.exchange.find_order = no_word  # type: ignore[method-assign]
    await desk.tap(card)
    await desk.durable.run_all()
    await desk.tick()
    told = [item for item in desk.notifier.told if item.payload.get("kind") == "order_waiting"]
    assert [(item.kind, item.payload["level"]) for item in told][:2] == [("alert", 1), ("alert", 2)]
    assert {item.kind for item in told[2:]} == {"replaced", "recovered"}
    assert all(item.payload["given_up"] for item in told if item.kind == "recovered")


async def test_a_short_that_nothing_explains_is_told_once_and_its_cause_in_the_same_message(
    desk: Desk,
) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    await desk.tick()
    lost = dict(desk.exchange.held)
    desk.exchange.held.clear()
    fills = desk.exchange.fills

    async def no_word(account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        raise Unavailable("no answer")

    desk.exchange.fills = no_word  # type: ignore[method-assign]
    await desk.tick()
    alarm = desk.notifier.told[-1]
    assert (alarm.kind, alarm.payload["kind"], lost != {}) == ("alert", "forced_close", True)
    desk.exchange.fills = fills  # type: ignore[method-assign]
    desk.clock.pass_(minutes=1)
    await desk.tick()
    explained = desk.notifier.told[-1]
    (alert,) = [a for a in await desk.store.live_alerts(ADA) if a.kind == "forced_close"]
    assert (explained.kind, explained.edit is not None, alert.message_id) == ("position", True, None)


async def test_what_would_close_the_whole_hedge_is_not_called_a_smaller_leverage(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    desk.exchange.equity = D(20)  # behind a short of thousands
    await desk.tick()
    told = [item.payload for item in desk.notifier.told if item.payload.get("kind") == "margin"]
    assert [one["remedy"] for one in told] == ["close"]
