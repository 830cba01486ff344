"""What the market part of a tick costs in HTTP calls, counted where they leave and where they arrive: the same with ten
thousand users as with one."""

from collections import Counter
from random import Random

import pytest

from bot.exchange.candles.kept import KeptCandles
from bot.exchange.paper import PaperExchange
from bot.ports.records import Account
from bot.sandbox.market import World
from bot.services.markets import Market
from bot.storage import SqlStore
from hedging.portfolio import Holding
from tests.exchange.conftest import paper_account
from tests.exchange.venues import Venue, quoted

SOL = "SOL/USDT:USDT"


pytestmark = pytest.mark.slow
HOURLY = ("markets", "funding_info")  # what is listed, whoever trades it


def counted(live: Venue) -> Counter[str]:
    """By operation; as many have left as have arrived."""
    assert live.wire.counts.total() == live.loopback.calls.total()
    return Counter(live.loopback.calls)


async def tick(market: Market, users: int, coins: list[str]) -> None:
    """What a tick asks of the market for so many users, each with eight of the coins."""
    chance = Random(users)
    await market.snapshot(fresh=True)
    for _ in range(users):
        snapshot = await market.snapshot()
    for _ in range(users):
        held = [Holding(coin, snapshot.price(coin), None) for coin in chance.sample(coins, 8)]
        await market.betas_of(held if users > 1 else [*held, *_all(coins, held)], [], "BTC", snapshot)


def _all(coins: list[str], held: list[Holding]) -> list[Holding]:
    """The one user holds all the coins that the ten thousand hold together."""
    mine = {holding.asset for holding in held}
    return [Holding(coin, holding.amount, None) for holding in held[:1] for coin in coins if coin not in mine]


async def test_ten_thousand_users_cost_the_calls_of_one(live: Venue, world: World, store: SqlStore) -> None:
    coins = sorted(coin for coin in world.snapshot().spot if coin not in ("USDT", "USDC"))
    costs: dict[int, list[int]] = {}
    for users in (1, 10_000):
        market = Market(KeptCandles(live.feed, store, live.clock), live.clock)
        costs[users] = []
        for minutes in (1, 1, 1, 60):
            live.clock.pass_(minutes=minutes)
            world.skip(f"{minutes}m")
            before = counted(live)
            await tick(market, users, coins)
            spent = counted(live) - before
            costs[users].append(sum(calls for name, calls in spent.items() if name not in HOURLY))
    alone, crowd = costs[1], costs[10_000]
    assert crowd[1:] == alone[1:]
    assert max(alone[1:3]) <= 3
    assert alone[3] <= 3 + len(coins), "one call a coin for the hour that ended"
    assert crowd[0] <= 3 + len(coins) < alone[0] + 1, "the crowd comes when the past is known"


async def test_paper_accounts_share_prices_candles_and_funding(
    live: Venue, world: World, store: SqlStore
) -> None:
    """Twenty people on paper with a short each. One is settled: so many calls; all are: no more."""
    paper = PaperExchange(KeptCandles(live.feed, store, live.clock), store, live.clock)
    accounts: list[Account] = [await paper_account(store, number) for number in range(1, 21)]
    for account in accounts:
        await paper.place(account, quoted(world, "hh-1", SOL, "10"))
    world.skip("9h")
    live.clock.pass_(hours=9)
    before = Counter(live.loopback.calls)
    await paper.positions(accounts[0])
    alone = live.loopback.calls - before
    assert alone["funding"] == 1
    for account in accounts:
        await paper.positions(account)
    assert live.loopback.calls - before == alone
