"""The stand-ins are told to misbehave over HTTP, and tell what became of it."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette

from bot.sandbox.exchanges import VENUES
from bot.sandbox.exchanges.control import Exchanges
from bot.sandbox.exchanges.trouble import TROUBLES
from bot.sandbox.exchanges.wallets import totals
from bot.sandbox.market import open_world
from tests.fakes.sandbox_server import serving

SOL = "SOL/USDT:USDT"


async def told(address: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.post(address + path, json=body) as answer:
        return answer.status, await answer.json()


@pytest.fixture
def exchanges(tmp_path: Path) -> Exchanges:
    return Exchanges(open_world(tmp_path, today=datetime(2025, 6, 1, 9, tzinfo=UTC), speed=0))


@pytest.mark.parametrize("name", list(VENUES))
async def test_accounts_trades_and_forced_closes_are_made_over_http(exchanges: Exchanges, name: str) -> None:
    async with serving(Starlette(routes=exchanges.routes())) as address:
        base = f"/sandbox/exchanges/{name}"
        account = {"key": "k", "secret": "never told", "money": {"USDT": "5000"}, "can_withdraw": True}
        await told(address, f"{base}/accounts", account)
        by_hand = {"trade": "sell", "key": "k", "symbol": SOL, "contracts": "3"}
        _, state = await told(address, f"{base}/events", by_hand)
        (position,) = state["accounts"][0]["positions"]
        assert (position["symbol"], position["contracts"].lstrip("-").split(".")[0]) == (SOL, "3")
        _, state = await told(address, f"{base}/events", {"force": "adl", "key": "k", "symbol": SOL})
        assert state["accounts"][0]["positions"] == []
        assert state["accounts"][0]["orders"][-1]["forced"] == "adl"
        _, state = await told(address, f"{base}/faults", {"kind": "hang", "on": "order", "after": True})
        assert state["faults"] == 1
        _, state = await told(address, f"{base}/events", {"delist": SOL, "clock_ahead_ms": 30_000})
        assert (state["delisted"], state["clock_ahead_ms"]) == ([SOL], 30_000)
        assert "never told" not in str(state)


@pytest.mark.parametrize("kind", [kind for kind in TROUBLES if kind not in ("back", "close")])
async def test_what_befalls_everybody_there_is_over_when_all_is_well_again(
    exchanges: Exchanges, kind: str
) -> None:
    venue = exchanges.venues["binance"]
    async with serving(Starlette(routes=exchanges.routes())) as address:
        base = "/sandbox/exchanges/binance"
        await told(address, f"{base}/accounts", {"key": "k", "secret": "s", "money": {"USDT": "5000"}})
        await told(address, f"{base}/events", {"trade": "sell", "key": "k", "symbol": SOL, "contracts": "3"})
        (trader,) = venue.desk.traders.values()

        def well() -> bool:
            return not venue.faults.waiting and not trader.revoked and venue.desk.rank(trader, SOL) == 1

        assert well()
        assert (await told(address, f"{base}/trouble", {"kind": kind}))[0] == 200
        assert not well()
        await told(address, f"{base}/trouble", {"kind": "back"})
        assert well()


@pytest.mark.parametrize("name", list(VENUES))
async def test_what_is_listed_and_told_is_changed_over_http(exchanges: Exchanges, name: str) -> None:
    venue = exchanges.venues[name]
    async with serving(Starlette(routes=exchanges.routes())) as address:
        for body in (
            {"list": "CAT/USDT:USDT", "of": SOL, "times": "4"},
            {"coin": "CAT", "of": "SOL", "times": "0.02"},
            {"gap": SOL, "on": "quotes", "how": "empty", "reads": 3},
            {"funding_hours": 1, "symbol": SOL},
        ):
            status, answer = await told(address, f"/sandbox/exchanges/{name}/market", body)
            assert status == 200, answer
        status, answer = await told(
            address, f"/sandbox/exchanges/{name}/market", {"gap": SOL, "how": "shyly"}
        )
        assert status == 400 and "absent" in answer["error"]
    now = venue.listings.snapshot()
    assert now.quotes["CAT/USDT:USDT"].mark == pytest.approx(4 * now.quotes[SOL].mark)
    assert now.spot["CAT"] == pytest.approx(now.spot["SOL"] / 50)
    assert now.funding[SOL].interval_hours == 1


async def test_what_cannot_be_done_is_refused_with_a_sentence(exchanges: Exchanges) -> None:
    async with serving(Starlette(routes=exchanges.routes())) as address:
        for path, body in (
            ("/sandbox/exchanges/nowhere/faults", {"kind": "hang"}),
            ("/sandbox/exchanges/bybit/faults", {"kind": "sulk"}),
            ("/sandbox/exchanges/bybit/events", {"force": "adl", "key": "nobody", "symbol": SOL}),
            ("/sandbox/exchanges/bybit/accounts", {"key": "k"}),
            ("/sandbox/exchanges/bybit/trouble", {"kind": "moods"}),
            ("/sandbox/exchanges/bybit/market", {"list": "CAT/USDT:USDT", "of": "NOSUCH/USDT:USDT"}),
        ):
            status, answer = await told(address, path, body)
            assert status in (400, 404)
            assert answer["error"]


async def test_hosts_of_different_exchanges_do_not_clash(exchanges: Exchanges) -> None:
    hosts = [host for venue in exchanges.venues.values() for host in venue.hosts]
    assert len(hosts) == len(set(hosts))


@pytest.mark.parametrize("name", list(VENUES))
async def test_an_unsigned_request_learns_nothing(exchanges: Exchanges, name: str) -> None:
    venue = exchanges.venues[name]
    signed = [place for place, operation in venue.operations().items() if operation.signed]
    async with serving(Starlette(routes=exchanges.routes())) as address, aiohttp.ClientSession() as session:
        for method, path in signed:
            async with session.request(method, f"{address}/{venue.hosts[0]}{path}") as answer:
                body = await answer.json()
                assert answer.status >= 400 or body.get("retCode") or body.get("code"), (method, path)


@pytest.mark.fault(50)
async def test_an_account_has_wallets_and_modes_as_it_is_told_to(exchanges: Exchanges) -> None:
    """On Binance: in single-asset mode the totals are those of USDT, in multi-assets mode of all collateral."""
    async with serving(Starlette(routes=exchanges.routes())) as address:
        account = {"key": "k", "secret": "s", "money": {"USDT": "500", "USDC": "800", "BFUSD": "100"}}
        _, state = await told(address, "/sandbox/exchanges/binance/accounts", account)
        assert state["accounts"][0]["money"] == {"USDT": "500", "USDC": "800", "BFUSD": "100"}
        venue = exchanges.venues["binance"]
        trader = venue.desk.traders["k"]
        (operation,) = {venue.operation_of("GET", f"/fapi/v{n}/account").name for n in (2, 3)}  # type: ignore[union-attr]
        assert operation == "balance"

        def totals_of(idle: str = "") -> Decimal:
            return totals(trader, venue.desk.market.snapshot().spot, idle=bool(idle)).equity

        await told(
            address, "/sandbox/exchanges/binance/accounts", account | {"multi_assets": True, "idle": ["USDC"]}
        )
        assert (trader.multi_assets, totals_of(), totals_of("too")) == (True, Decimal(600), Decimal(1400))
        _, state = await told(
            address, "/sandbox/exchanges/binance/accounts", account | {"margin": "portfolio"}
        )
        assert state["accounts"][0]["margin"] == "portfolio"


async def test_collateral_of_another_kind_backs_an_order_in_multi_assets_mode_alone(
    exchanges: Exchanges,
) -> None:
    async with serving(Starlette(routes=exchanges.routes())) as address:
        account = {"key": "k", "secret": "s", "money": {"BNFCR": "5000", "USDT": "0"}}
        by_hand = {"trade": "sell", "key": "k", "symbol": SOL, "contracts": "3"}
        await told(address, "/sandbox/exchanges/binance/accounts", account)
        status, _ = await told(address, "/sandbox/exchanges/binance/events", by_hand)
        assert status == 400
        await told(address, "/sandbox/exchanges/binance/accounts", account | {"multi_assets": True})
        status, state = await told(address, "/sandbox/exchanges/binance/events", by_hand)
        assert (status, len(state["accounts"][0]["positions"])) == (200, 1)
