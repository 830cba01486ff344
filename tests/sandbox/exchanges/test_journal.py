"""What the stand-ins know outlives them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette

from bot.sandbox.exchanges import VENUES
from bot.sandbox.exchanges.control import Exchanges
from bot.sandbox.market import MarketError, World, open_world
from tests.fakes.sandbox_server import serving

SOL, ETH = "SOL/USDT:USDT", "ETH/USDT:USDT"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return open_world(tmp_path / "market", today=datetime(2025, 6, 1, 9, tzinfo=UTC), speed=0)


async def told(address: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.post(address + path, json=body) as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


@pytest.mark.parametrize("name", list(VENUES))
async def test_accounts_with_all_that_is_theirs_are_there_again_after_a_restart(
    world: World, tmp_path: Path, name: str
) -> None:
    exchanges = Exchanges(world, tmp_path / "kept")
    base = f"/sandbox/exchanges/{name}"
    async with serving(Starlette(routes=exchanges.routes())) as address:
        key = await told(address, f"{base}/keys", {})
        for symbol in (SOL, ETH):
            by_hand = {"trade": "sell", "key": key["key"], "symbol": symbol, "contracts": "20"}
            await told(address, f"{base}/events", by_hand)
        world.skip("9h")  # funding is settled on the way
        await told(address, f"{base}/events", {"force": "adl", "key": key["key"], "symbol": ETH})
        await told(address, f"{base}/events", {"delist": ETH})
        await told(address, f"{base}/accounts", {**key, "can_withdraw": True, "address_list": False})
    before = exchanges.venues[name].desk
    after = Exchanges(world, tmp_path / "kept").venues[name].desk
    assert after.traders == before.traders
    (trader,) = after.traders.values()
    assert trader.funding and len(trader.orders) == 3 and trader.can_withdraw
    assert after.delisted == {ETH}
    placed = after.place(
        trader,
        client_id="next",
        symbol=SOL,
        side="buy",
        contracts=after.contract(SOL).min_amount,
        limit_price=world.snapshot().quotes[SOL].ask
        * 2
        // after.contract(SOL).tick
        * after.contract(SOL).tick,
        reduce_only=True,
    )
    assert placed.id > max(order.id for order in before.traders[trader.key].orders)


def test_what_cannot_be_read_is_named_and_left_as_it_is(world: World, tmp_path: Path) -> None:
    broken = tmp_path / "bybit.json"
    broken.write_text('{"format": 1, "traders": [{}], "delisted": []}')
    with pytest.raises(MarketError, match="--fresh"):
        Exchanges(world, tmp_path)
    assert broken.read_text().startswith('{"format"')
