"""A price that is missing for a moment: nothing is sent, closed, moved to another contract or complained about. And a
hedge is opened in the coin in which the money is. Faults 48 and 53 of ../shared/FAULTS.md."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.ports.records import Account, Balance
from bot.services.desk.advice import remedy_plan
from bot.services.markets import Markets
from bot.services.situation import Situation, Situations
from hedging.market import Snapshot
from tests.services.conftest import ADA, Desk

D = Decimal
SOL, BTC = "SOL/USDT:USDT", "BTC/USDT:USDT"


async def stands(desk: Desk) -> Situation:
    """How Ada stands now, as a new process reads it."""
    markets = Markets(desk.market, desk.clock)
    accounts, rules = desk.services.accounts, desk.services.rules
    return await Situations(desk.store, accounts, desk.exchange, markets, rules).of(ADA, fresh=True)


@pytest.mark.fault(53)
async def test_a_tap_after_the_quote_went_missing_sends_nothing_and_says_why(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    desk.market.unquoted.add(SOL)
    tapped = await desk.services.hedge.confirm(card.id, ADA, ADA, 50)
    assert (tapped.kind, tapped.proposal.plan.legs) == ("at_target", ())
    (instrument,) = [check for check in tapped.proposal.plan.checks if check.key == "instrument"]
    assert (instrument.reason, instrument.facts["paused"]) == ("paused", "SOL")
    await desk.durable.run_all()
    assert desk.exchange.placed == []


@pytest.mark.fault(53)
async def test_the_other_legs_are_asked_again_without_it(desk: Desk) -> None:
    await desk.hold(SOL="100", ADA="5000", ATOM="500")
    card = await desk.card()
    desk.market.unquoted.add(BTC)  # what answers ATOM
    tapped = await desk.services.hedge.confirm(card.id, ADA, ADA, 50)
    assert tapped.kind == "repriced"
    assert {leg.symbol for leg in tapped.proposal.plan.legs} == {SOL, "ADA/USDT:USDT"}
    assert await desk.tap(tapped.proposal) == "sending"


@pytest.mark.fault(53)
@pytest.mark.parametrize("missing", [SOL, BTC])
async def test_a_hedge_without_a_quote_is_neither_closed_nor_opened_elsewhere(
    desk: Desk, missing: str
) -> None:
    await desk.hold(SOL="100", ATOM="500")
    await desk.hedged()
    before = dict(desk.exchange.held)
    desk.market.unquoted.add(missing)
    card = await desk.card(key="update:2")
    again = (await desk.services.hedge.adjust(card.id, ADA, key="update:3", target=D(1))).proposal
    assert missing not in {leg.symbol for leg in again.plan.legs}
    situation = await stands(desk)
    for kind in ("drift", "orphan", "forced_close", "market_move"):
        plan = remedy_plan(kind, situation)
        assert plan is None or missing not in {leg.symbol for leg in plan.legs}
    assert desk.exchange.held == before


@pytest.mark.fault(53)
@pytest.mark.parametrize("missing", [SOL, BTC])
async def test_the_watch_says_nothing_while_a_quote_is_missing(desk: Desk, missing: str) -> None:
    await desk.hold(SOL="100", ATOM="500")
    await desk.hedged()
    await desk.tick()
    desk.market.unquoted.add(missing)
    for _ in range(3):
        await desk.tick()
    assert desk.notifier.kinds() == ["receipt"]
    desk.restart()  # also a process that has never seen its mark
    await desk.tick()
    assert desk.notifier.kinds() == ["receipt"]


@pytest.mark.fault(53)
async def test_the_watch_says_nothing_while_a_coin_has_no_spot_price(desk: Desk) -> None:
    await desk.hold(SOL="100", ADA="5000")
    await desk.hedged()
    await desk.tick()
    desk.market.unpriced.add("SOL")
    for _ in range(3):
        await desk.tick()
    assert desk.notifier.kinds() == ["receipt"]
    view = await desk.services.portfolio.view(ADA)
    assert view.value == 100 * 150 + 5000 * D("0.5"), "worth what it was"


@pytest.mark.fault(53)
async def test_closing_leaves_what_has_no_quote_and_closes_the_rest(desk: Desk) -> None:
    await desk.hold(SOL="100", ADA="5000")
    await desk.hedged()
    desk.market.unquoted.add(SOL)
    card = await desk.services.hedge.unwind(ADA, ADA, key="update:9")
    assert [leg.symbol for leg in card.plan.legs] == ["ADA/USDT:USDT"]
    assert {check.facts.get("paused") for check in card.plan.checks} == {None, SOL}


@pytest.mark.fault(53)
async def test_a_short_of_another_thing_of_the_coins_name_covers_nothing_and_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.hold(ADA="5000")
    await desk.hedged()
    read = desk.market.snapshot

    async def snapshot() -> Snapshot:
        told = await read()
        stock = replace(told.quotes["ADA/USDT:USDT"], mark=D(350), bid=D(350), ask=D(350), index=D(350))
        return replace(told, quotes={**told.quotes, stock.symbol: stock})

    monkeypatch.setattr(desk.market, "snapshot", snapshot)
    desk.restart()
    situation = await stands(desk)
    assert situation.exposure().coverage == 0
    assert "ADA/USDT:USDT" not in {leg.symbol for leg in situation.plan().legs}
    await desk.tick()
    alerts = [message.payload["kind"] for message in desk.notifier.told if message.kind == "alert"]
    assert set(alerts) >= {"orphan"}


@pytest.mark.fault(48)
async def test_the_balances_free_money_by_settle_coin_reaches_the_plan(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = desk.market.snapshot

    async def snapshot() -> Snapshot:
        told = await read()
        usdc = replace(told.contracts[SOL], symbol="SOL/USDC:USDC", quote="USDC", settle="USDC")
        quote = replace(told.quotes[SOL], symbol=usdc.symbol)
        return replace(
            told,
            contracts={usdc.symbol: usdc, **told.contracts},
            quotes={usdc.symbol: quote, **told.quotes},
        )

    async def balance(account: Account) -> Balance:
        return Balance(D(9_000), D(9_000), free_in={"USDT": D(10), "USDC": D(8_990)})

    monkeypatch.setattr(desk.market, "snapshot", snapshot)
    await desk.hold(SOL="100")
    assert [leg.symbol for leg in (await desk.card()).plan.legs] == [SOL], "one pool: as people expect"
    monkeypatch.setattr(desk.exchange, "balance", balance)
    card = await desk.card(key="update:2")
    assert [leg.symbol for leg in card.plan.legs] == ["SOL/USDC:USDC"]
    assert card.plan.free_collateral == D(8_990)
