"""The hedge on the crash of May 2021 as it was recorded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.demo import complaints, running_demo
from tests.fakes.person import has, in_band, people_at, shorts


@pytest.mark.timeout(240)
async def test_over_the_recorded_crash_of_may_2021_less_is_lost_with_the_hedge(
    data: Path, shared_path: Callable[[str], Path], artefacts: Path
) -> None:
    history = shared_path("market/spot_1h_2020_2021.csv.gz")
    options = ("--history", str(history), "--start", "2021-05-18T12:00:00", "--speed", "0")
    with running_demo(data, *options) as demo:
        async with people_at(demo.address) as people:
            ada = people(1)
            driver = ada.phone.driver
            assert (await driver.get("/market"))["source"] == "history"
            await ada.ask("/start")
            await ada.add("SOL 200", "ADA 5000", "UNI 300")
            receipt = await ada.confirm()
            hedge = await ada.hedge_when(in_band, "the hedge")
            assert shorts(hedge)
            rebalanced = 0
            for _ in range(6):  # over the night of 19 May 2021, in which Bitcoin fell below 31,000
                await driver.post("/market", {"skip": "6h"})
                try:
                    alert = await ada.alert(receipt["id"] + rebalanced, seconds=4)
                except AssertionError:
                    continue
                rebalanced = alert["id"] - receipt["id"]
                if has(alert, "Rebalance"):
                    await ada.tap(alert, "Rebalance")
                    await ada.receipt(alert)
            hedge = await ada.hedge_when(lambda h: h["unhedged_pnl"] is not None, "the figures")
            market = await driver.get("/market")
        assert complaints(demo.bot_log) == []
    unhedged, hedged = float(hedge["unhedged_pnl"]), float(hedge["hedged_pnl"])
    figures = (
        f"recorded crash, {market['time']}: without the hedge {unhedged:+,.2f} USD, with it {hedged:+,.2f} USD, "
        f"coverage {hedge['coverage']}"
    )
    print(figures)
    (artefacts / "figures.txt").write_text(figures + "\n")
    assert unhedged < 0, "the recorded crash did not happen"
    assert unhedged < hedged, "the hedge lost more than it saved"
    assert abs(hedged) < abs(unhedged), "more was lost, or won, with the hedge than without it"
