"""The main journey by its page's own buttons, in a real browser."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.fakes.demo import Demo, complaints, running_demo
from tests.fakes.person import in_band, people_at, shorts
from tests.fakes.telegram_oracle import check_calls

SLOW = 30_000.0  # milliseconds: the bot itself is starting
TURNS = ({"width": 1280, "height": 860}, {"width": 390, "height": 844})


@pytest.fixture
async def demo(data: Path) -> AsyncIterator[Demo]:
    with running_demo(data, "--speed", "0", "--seed", "11") as demo:
        yield demo


class Shown:
    """A page open at the demo."""

    def __init__(self, page: Page, artefacts: Path) -> None:
        self.page, self._artefacts, self._shots = page, artefacts, 0
        self.complaints: list[str] = []

        def on_console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(message.text)

        page.on("console", on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def write(self, text: str) -> None:
        await self.page.get_by_test_id("composer").fill(text)
        await self.page.get_by_test_id("send").click()

    def bubble(self, text: str | re.Pattern[str]) -> Locator:
        """The last message that shows that text."""
        return self.page.locator("[data-message-id]").filter(has_text=text).last

    def with_button(self, name: str) -> Locator:
        """The last message that has that button."""
        button = self.page.get_by_role("button", name=re.compile(f"^\\W*{name}"))
        return self.page.locator("[data-message-id]").filter(has=button).last

    async def press(self, name: str) -> None:
        """Press the last inline button whose words begin so."""
        message = self.with_button(name)
        await message.get_by_role("button", name=re.compile(f"^\\W*{name}")).first.click()

    async def picture(self, name: str) -> None:
        self._shots += 1
        await self.page.screenshot(path=self._artefacts / f"{self._shots:02d}-{name}.png")


@pytest.mark.parametrize("size", TURNS, ids=["wide", "phone"])
@pytest.mark.timeout(240)
async def test_the_main_journey_by_the_buttons_of_the_page(
    demo: Demo, browser: Browser, artefacts: Path, size: dict[str, int]
) -> None:
    page = Shown(await browser.new_page(viewport=size), artefacts)  # type: ignore[arg-type]
    await page.page.goto(demo.address)
    await page.page.get_by_test_id("start").click()
    await expect(page.bubble(re.compile("Hedgehog")).last).to_be_visible(timeout=SLOW)
    await page.picture("start")

    await page.write("/add SOL 120, ETH 4, DOT 1500")
    await expect(page.bubble(re.compile("DOT.*1,?500", re.S))).to_be_visible(timeout=SLOW)
    await page.picture("added")
    await page.write("/hedge")
    await expect(page.with_button("Confirm")).to_be_visible(timeout=SLOW)
    await page.picture("card")
    card = await page.with_button("Confirm").get_attribute("data-message-id")
    await page.press("Confirm")
    shown = page.page.locator(f'[data-message-id="{card}"]')
    await expect(shown).to_contain_text(re.compile("Hedged"), timeout=SLOW)
    await page.picture("receipt")

    await _crash(page)
    await expect(page.with_button("Rebalance")).to_be_visible(timeout=SLOW)
    await page.picture("alert")
    alert = await page.with_button("Rebalance").get_attribute("data-message-id")
    await page.press("Rebalance")
    await expect(page.page.locator(f'[data-message-id="{alert}"]')).to_contain_text(
        re.compile("Rebalanced"), timeout=SLOW
    )
    await page.picture("rebalanced")

    async with people_at(demo.address) as people:
        user = (await people(1).phone.driver.get("/users"))[0]["id"]
        hedge = await people(user).hedge_when(in_band, "coverage back in band")
        check_calls(await people(1).phone.driver.calls())
    assert shorts(hedge)
    assert page.complaints == []
    assert complaints(demo.bot_log) == []


async def _crash(page: Shown) -> None:
    opener = page.page.locator("#market-open")
    narrow = await opener.is_visible()
    if narrow:
        await opener.click()
    await page.page.get_by_test_id("shock-crash").click()
    await expect(page.page.get_by_test_id("market-outcome")).not_to_be_empty()
    await page.picture("crash")
    if narrow:
        await page.page.locator("#market-close").click()
