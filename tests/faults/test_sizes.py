"""Amounts of every size, on each exchange's contracts, lots and minima: what is shown is what is sent."""

import math
import random
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from bot.ports.records import Proposal
from bot.sandbox.exchanges import VENUES
from tests.fakes.database import prepared, sqlite_address, sqlite_template
from tests.faults.trading import ADA, Trading, trading_on

__all__ = ["sqlite_template"]

D = Decimal
ROUNDS = 12
COINS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "DOT", "LTC")


@pytest_asyncio.fixture(params=list(VENUES))
async def ada(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path
) -> AsyncIterator[Trading]:
    database = prepared(sqlite_address(tmp_path / "bot.sqlite"), sqlite_template)
    async with trading_on(request.param, tmp_path / "market", database) as trading:
        yield trading


async def shown(ada: Trading, number: int) -> Proposal:
    card = await ada.services.hedge.propose(ADA, ADA, key=f"update:{number}")
    await ada.services.hedge.shown(card.id, 100 + number)
    return card


@pytest.mark.fault(28)
async def test_an_order_has_the_size_and_the_price_of_its_card_to_the_digit_and_the_exchange_takes_it(
    ada: Trading,
) -> None:
    draw, spot = random.Random(28), ada.world.snapshot().spot
    sent = 0
    for number in range(ROUNDS):
        coin = draw.choice(COINS)
        dollars = D(repr(math.exp(draw.uniform(math.log(2), math.log(20_000)))))
        await ada.hold(**{coin: f"{dollars / spot[coin]:.8f}"})
        card, before = await shown(ada, number), len(ada.orders)
        contracts = (await ada.exchange.feed(ada.name).snapshot()).contracts
        for leg in card.plan.legs:
            contract = contracts[leg.symbol]
            assert leg.contracts % contract.lot == 0
            assert leg.contracts >= contract.min_amount
            assert leg.limit_price % contract.tick == 0
            if not leg.reduce_only:
                assert contract.notional(leg.contracts, leg.mark_price) >= contract.min_notional
        if not card.plan.legs:
            continue
        outcome = await ada.services.hedge.confirm(card.id, ADA, ADA, 100 + number)
        assert outcome.kind == "sending"
        await ada.services.hedge.begin(card)
        ended = await ada.ended(card)
        assert [leg["reason"] for leg in ended["legs"]] == [""] * len(card.plan.legs), ended["legs"]
        arrived = {(o.symbol, o.side, o.contracts, o.limit_price, o.reduce_only) for o in ada.orders[before:]}
        assert arrived == {
            (leg.symbol, leg.side, leg.contracts, leg.limit_price, leg.reduce_only) for leg in card.plan.legs
        }
        sent += len(arrived)
    assert sent >= ROUNDS // 2
