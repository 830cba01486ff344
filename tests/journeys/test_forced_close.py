"""The demo over an exchange's wire: what the exchange does by itself is told within one tick, and brought back."""

from pathlib import Path

from tests.fakes.demo import complaints, running_demo
from tests.fakes.person import in_band, people_at, shorts, text_of

SOL = "SOL/USDT:USDT"


async def test_fault_20_auto_deleveraging_on_bybit_is_told_within_a_tick_and_a_tap_brings_the_hedge_back(
    data: Path,
) -> None:
    with running_demo(data, "--speed", "0", "--seed", "11", "--exchange", "bybit") as demo:
        async with people_at(demo.address) as people:
            ada = people(1)
            await ada.add("SOL 120")
            receipt = await ada.confirm()
            before = shorts(await ada.hedge_when(in_band, "a hedge"))
            event = {"force": "adl", "key": "practice-key-1", "symbol": SOL}
            state = await ada.phone.driver.post("/exchanges/bybit/events", event)
            assert state["accounts"][0]["orders"][-1]["forced"] == "adl"
            told = await ada.see(
                lambda m: m["id"] > receipt["id"] and "Bybit closed your short" in text_of(m),
                "the word of the auto-deleveraging",
                seconds=15,
            )
            assert f"{float(before[SOL]):g} SOL: coverage is now 0%" in text_of(told)
            assert "auto-deleveraging" in text_of(told)
            card = await ada.card("/hedge")
            await ada.tap(card, "Confirm")
            await ada.receipt(card)
            assert shorts(await ada.hedge_when(in_band, "the hedge back")) == before
            said = [m for m in await ada.messages() if "Bybit closed your short" in text_of(m)]
            assert len(said) == 1
        assert demo.stop() == 0
        assert complaints(demo.bot_log) == []
