"""What an exchange answers with a code is told with its meaning, and else with the code; it blocks nothing for minutes,
and nobody is told that the order never got there. Fault 55 of ../shared/FAULTS.md."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from bot.chat.texts.cards import REASONS
from bot.chat.views.receipt import receipt
from bot.exchange.dialects import DIALECTS
from bot.ports.records import AttemptState
from bot.sandbox.exchanges import VENUES
from tests.fakes.database import prepared, sqlite_address, sqlite_template
from tests.faults.trading import SOL, Trading, trading_on

__all__ = ["sqlite_template"]

D = Decimal
UNKNOWN: Mapping[str, int] = {name: -99_999 if name in ("binance", "weex") else 999_999 for name in VENUES}
OPEN: Mapping[str, tuple[int, int]] = {  # code and status of an answer after which the order may stand
    "binance": (-1007, 408), "bybit": (10016, 200), "bingx": (100500, 200), "mexc": (500, 200), "weex": (-1000, 400),
}  # fmt: skip


@pytest_asyncio.fixture(params=list(VENUES))
async def ada(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path
) -> AsyncIterator[Trading]:
    database = prepared(sqlite_address(tmp_path / "bot.sqlite"), sqlite_template)
    async with trading_on(request.param, tmp_path / "market", database) as trading:
        await trading.hold(SOL="10")
        yield trading


@pytest.mark.fault(55)
async def test_an_unknown_code_is_told_as_it_is_in_seconds_and_the_next_card_is_carried_out(
    ada: Trading,
) -> None:
    card = await ada.tapped()
    began = ada.clock.now()
    ada.venue.faults.add("refuse", on="order", code=UNKNOWN[ada.name])
    outcome = await ada.ended(card)
    (attempt,) = await ada.attempts(card)
    assert (attempt.state, ada.venue.calls["order"]) == (AttemptState.REJECTED, 1)
    assert ada.clock.now() - began < timedelta(seconds=20)
    text = receipt(outcome).text
    assert f"refused it with code {UNKNOWN[ada.name]}" in text
    assert "never" not in text
    assert (await ada.ended(await ada.tapped(message_id=60)))["status"] == "complete"


@pytest.mark.fault(55)
async def test_an_order_that_stands_in_spite_of_an_unknown_code_is_found_and_not_sent_again(
    ada: Trading,
) -> None:
    card = await ada.tapped()
    ada.venue.faults.add("refuse", on="order", code=UNKNOWN[ada.name], after=True, unseen=1)
    assert (await ada.ended(card))["status"] == "complete"
    assert len(ada.orders) == 1


@pytest.mark.fault(55)
async def test_a_code_that_leaves_it_open_is_looked_up_for_long_and_told_when_no_order_is_found(
    ada: Trading,
) -> None:
    card = await ada.tapped()
    code, status = OPEN[ada.name]
    ada.venue.faults.add("refuse", on="order", code=code, status=status, times=3)
    began = ada.clock.now()
    outcome = await ada.ended(card)
    assert ada.clock.now() - began > timedelta(seconds=90), "each try is given all the time that it may need"
    assert [one.state for one in await ada.attempts(card)] == [AttemptState.ABSENT] * 3
    assert f"code {code}" in receipt(outcome).text


@pytest.mark.fault(55)
async def test_a_refused_leverage_is_told_with_its_code_and_nothing_is_sent(ada: Trading) -> None:
    card = await ada.tapped()
    ada.venue.faults.add("refuse", on="leverage", code=UNKNOWN[ada.name])
    if ada.name == "mexc":  # it reads the leverage there, too
        ada.venue.faults.waiting[0].times = 10
    outcome = await ada.ended(card)
    assert ada.venue.calls["order"] == 0
    if ada.name != "mexc":
        assert f"leverage or margin mode, with code {UNKNOWN[ada.name]}" in receipt(outcome).text
    ada.venue.faults.clear()
    assert (await ada.ended(await ada.tapped(message_id=60)))["status"] == "complete"


@pytest.mark.fault(55)
async def test_an_order_that_turns_up_after_all_is_ours_and_never_its_owners(ada: Trading) -> None:
    card = await ada.tapped()
    ada.venue.faults.add("refuse", on="order", code=UNKNOWN[ada.name])
    await ada.ended(card)
    (attempt,) = await ada.attempts(card)
    ada.venue.desk.place(
        ada.trader,
        client_id=attempt.client_id,
        symbol=SOL,
        side="sell",
        contracts=attempt.contracts,
        limit_price=attempt.limit_price,
        reduce_only=False,
    )
    ada.clock.pass_(seconds=60)
    await ada.services.watch.tick(60)
    for _ in range(3):
        await ada.durable.run_all()
        ada.clock.pass_(seconds=2)
        await ada.services.delivery.sweep()
    changes = [item.payload["kind"] for item in ada.notifier.told if item.kind == "position"]
    assert changes == ["late"]
    book = await ada.store.book((await ada.account()).id)
    assert book is not None and book.shorts[SOL].own == 0


@pytest.mark.fault(55)
@pytest.mark.parametrize("name", list(VENUES))
def test_every_word_for_a_refusal_reads_as_a_sentence(name: str) -> None:
    words = set(DIALECTS[name].rejections.values())
    assert words <= set(REASONS), words - set(REASONS)
    assert all(REASONS[word][0].islower() and not REASONS[word].endswith(".") for word in words)
