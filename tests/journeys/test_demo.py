"""The demo as a program: what it prints, what it keeps, what it survives."""

import os
import signal
from pathlib import Path

import pytest

from tests.fakes.demo import START_SECONDS, complaints, running_demo
from tests.fakes.person import all_at_once, in_band, people_at, shorts, text_of


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def anywhere(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The options for a database: SQLite without any, or a PostgreSQL of the test's own."""
    if request.param == "sqlite":
        return ()
    return "--database", str(request.getfixturevalue("postgres_url"))


async def test_a_restart_keeps_chat_holdings_hedge_and_market_and_fresh_forgets_all(
    data: Path, anywhere: tuple[str, ...]
) -> None:
    with running_demo(data, "--speed", "0", "--seed", "5", *anywhere) as demo:
        async with people_at(demo.address) as people:
            ada = people(1)
            await ada.ask("/start")
            await ada.add("SOL 120", "DOT 1500")
            await ada.confirm()
            await ada.phone.driver.post("/market", {"shock": "rally", "size": 0.05})
            before = await ada.hedge_when(shorts, "the shorts")
            market = await ada.phone.driver.get("/market")
            said = await ada.messages()
        assert demo.stop() == 0
        assert complaints(demo.bot_log) == []

    with running_demo(data, *anywhere) as demo:
        async with people_at(demo.address) as people:
            ada = people(1)
            assert [text_of(m) for m in (await ada.messages())[: len(said)]] == [text_of(m) for m in said]
            now = await ada.phone.driver.get("/market")
            assert {c["asset"]: c["spot"] for c in now["coins"]} == {
                c["asset"]: c["spot"] for c in market["coins"]
            }
            assert now["time"] == market["time"]
            after = await ada.hedge()
            assert (shorts(after), after["portfolio_value"]) == (shorts(before), before["portfolio_value"])
            assert "120" in text_of(await ada.ask("/portfolio"))
            card = await ada.card("/unhedge")
            await ada.tap(card, "Confirm")
            await ada.receipt(card)
        assert demo.stop() == 0

    with running_demo(data, "--fresh", "--seed", "6", *anywhere) as demo:
        async with people_at(demo.address) as people:
            ada = people(1)
            assert (await ada.phone.driver.get("/market"))["hedges"] == []
            assert await ada.phone.driver.get("/users") == [] or await ada.messages() == []
            answer = await ada.ask("/portfolio")
            assert "nothing" in text_of(answer).lower(), text_of(answer)


async def test_the_bot_killed_is_started_again_and_finds_what_was_written_meanwhile(data: Path) -> None:
    with running_demo(data, "--speed", "0") as demo:
        async with people_at(demo.address) as people:
            ada = people(1)
            await ada.add("SOL 120", "ETH 3")
            card = await ada.card()
            first = demo.bot_pid()
            os.kill(first, signal.SIGKILL)
            await ada.tap(card, "Confirm", wait=None)
            await ada.receipt(card, seconds=START_SECONDS)
            assert in_band(await ada.hedge_when(shorts, "the shorts"))
            assert demo.bot_pid() != first
            assert any("started again" in line for line in demo.said), demo.said


async def test_one_address_is_printed_and_ctrl_c_leaves_no_process_behind(data: Path) -> None:
    with running_demo(data, "--speed", "0") as demo:
        async with people_at(demo.address) as people:
            await people(1).ask("/help")
        bot = demo.bot_pid()
        assert sum("http://" in line for line in demo.said) == 1, demo.said
        assert demo.stop() == 0
        with pytest.raises(ProcessLookupError):
            os.kill(bot, 0)


async def test_a_second_demo_on_the_same_folder_says_why_it_does_not_start(data: Path) -> None:
    with running_demo(data, "--speed", "0") as demo:
        with pytest.raises(AssertionError, match="already runs"), running_demo(data, "--speed", "0"):
            pass
        assert demo.process.poll() is None


async def test_the_sandbox_answers_only_those_who_call_it_by_a_name_of_this_machine(data: Path) -> None:
    with running_demo(data, "--speed", "0") as demo:
        async with people_at(demo.address) as people:
            http = people(1).phone.driver.http
            for path in ("/", "/sandbox/users", "/sandbox/market", "/bot1:sandbox/getMe"):
                async with http.get(demo.address + path, headers={"Host": "evil.example"}) as answer:
                    assert answer.status == 403, path


async def test_a_week_is_skipped_with_funding_paid_and_nobody_forgotten(data: Path) -> None:
    with running_demo(data, "--speed", "0", "--seed", "3") as demo:
        async with people_at(demo.address) as people:
            ada, bob = people(1), people(2)
            await all_at_once(ada.add("SOL 120", "ETH 4", "DOT 1500"), bob.add("BTC 0.5"))
            await all_at_once(ada.confirm(), bob.confirm())
            before = await ada.hedge_when(shorts, "the shorts")
            driver = ada.phone.driver
            for _ in range(3):
                await driver.post("/market", {"skip": "7d"})
                after = await ada.hedge_when(lambda h: h != before, "a hedge after the week")
            short = {p["symbol"]: p for p in after["positions"]}
            entry = {p["symbol"]: p for p in before["positions"]}
            for symbol in set(short) & set(entry):
                # Cash changes by funding alone: equity moved by more than the shorts' own profit.
                assert short[symbol]["contracts"] == entry[symbol]["contracts"]
            paper = sum(float(p["unrealized_pnl"]) for p in short.values())
            cash = float(after["equity"]) - paper
            cash_before = float(before["equity"]) - sum(float(p["unrealized_pnl"]) for p in entry.values())
            assert abs(cash - cash_before) > 0.01, "three weeks went by without any funding"
            assert "coverage" in text_of(await ada.ask("/status")).lower()
        assert complaints(demo.bot_log) == []
