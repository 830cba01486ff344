"""The market beside the phone, and how the page looks on what it is shown on."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.sandbox.phone import browser, phone

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

__all__ = ["browser"]  # the fixture

HEDGE: dict[str, Any] = {
    "user_id": 1,
    "portfolio_value": "20000",
    "coverage": 0.58,
    "target": 0.75,
    "band": 0.1,
    "equity": "9500",
    "unhedged_pnl": "-3000",
    "hedged_pnl": "-900.5",
    "positions": [
        {
            "symbol": "SOL/USDT:USDT",
            "side": "short",
            "contracts": "78.4",
            "notional": "11155",
            "entry_price": "142.28",
            "mark_price": "120",
            "unrealized_pnl": "2099.5",
            "liquidation_price": "186.4",
            "leverage": 3,
        }
    ],
}

# The contrast of every piece of text with the nearest ground behind it, by WCAG 2.2's formula.
CONTRASTS = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
                             return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] > 240) return colour;
    }
    return rgba(getComputedStyle(document.body).backgroundColor);
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const seen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!seen || !walker.currentNode.data.trim()) continue;
    if (element.closest(":disabled, .spoiler, .day, .statusbar")) continue;
    const [one, other] = [light(rgba(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) poor.push(`${walker.currentNode.data.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
  }
  return poor;
}
"""


async def test_a_crash_falls_on_every_coin_and_is_told(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path, market=True) as it:
        rows = it.page.locator("tr[data-asset]")
        await expect(rows.first).to_be_visible()
        assert await rows.count() >= 20
        bitcoin = it.page.locator('tr[data-asset="BTC"] td').first
        before = float((await bitcoin.inner_text()).replace(",", ""))
        await it.at("shock-crash").click()
        await expect(it.at("market-outcome")).to_contain_text("BTC")
        after = float((await bitcoin.inner_text()).replace(",", ""))
        assert after == pytest.approx(before * 0.7, rel=0.02)
        await expect(it.at("shock-crash")).to_be_enabled()


async def test_a_week_may_be_skipped_and_the_speed_set(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path, market=True) as it:
        date = it.page.locator(".market-date")
        await expect(date).not_to_be_empty()
        today = await date.inner_text()
        await it.at("skip-week").click()
        await expect(date).not_to_have_text(today)
        await it.at("speed-60").click()
        await expect(it.at("speed-60")).to_have_attribute("aria-pressed", "true")


async def test_the_shown_persons_hedge_is_live(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path, market=True) as it:
        card = it.at("hedge")
        await expect(card).to_contain_text("No hedge yet")
        it.hedges.append(HEDGE)
        await expect(card).to_contain_text("58\u202f% covered")
        await expect(card).to_contain_text("below its band")
        await expect(card).to_contain_text("−$3,000")
        await expect(card).to_contain_text("−$900.50")
        await expect(card.get_by_role("article", name="short SOL/USDT:USDT")).to_contain_text("186.40")
        it.hedges[0] = {**HEDGE, "coverage": 0.75}
        await expect(card).to_contain_text("in its band")


async def test_a_refusal_is_told_in_the_markets_own_words(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path, market=True) as it:
        await it.page.route(
            "**/sandbox/market",
            lambda route: route.fulfill(status=400, json={"error": "The market has reached its end."}),
        )
        await it.at("skip-week").click()
        await expect(it.at("market-outcome")).to_have_text("The market has reached its end.")
        await expect(it.at("skip-week")).to_be_enabled()
        it.complaints.clear()  # the browser itself reports the refusal


@pytest.mark.parametrize("width", [320, 390])
async def test_a_small_screen_has_the_chat_alone_and_the_market_in_a_sheet(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    async with phone(browser, tmp_path, market=True, width=width, height=640) as it:
        it.hedges.append(HEDGE)
        await it.bot.say(
            "A long line: " + "word " * 60,
            reply_markup={"inline_keyboard": [[{"text": "Go", "callback_data": "g"}]]},
        )
        await expect(it.at("market")).to_be_hidden()
        await it.page.get_by_label("Show the market").click()
        await expect(it.at("shock-crash")).to_be_in_viewport()
        await expect(it.at("hedge")).to_contain_text("covered")
        news = await it.bot.say("An alert")
        await expect(it.page.get_by_role("button", name="Back to the chat · 1 new")).to_be_visible()
        too_wide = await it.page.evaluate(
            "[...document.querySelectorAll('.messages, .market-scroll, html')]"
            ".filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.className)"
        )
        assert too_wide == []
        await it.page.keyboard.press("Escape")
        await expect(it.message(news)).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_can_be_read_by_day_and_by_night(
    browser: Browser, tmp_path: Path, artefacts: Path, scheme: str
) -> None:
    async with phone(
        browser, tmp_path, market=True, color_scheme=scheme, height=900, reduced_motion="reduce"
    ) as it:
        it.hedges.append(HEDGE)
        styles = ("success", "danger", "primary")
        rows = [[{"text": style.title(), "callback_data": style, "style": style} for style in styles]]
        await it.bot.say(
            'Read <b>me</b>, <code>code</code>, <a href="https://a.example/">link</a> and /help\n'
            "<blockquote>said</blockquote>",
            parse_mode="HTML",
            disable_notification=True,
            reply_markup={"inline_keyboard": rows},
        )
        await it.write("My own words with /help")
        await expect(it.at("hedge")).to_contain_text("covered")
        await it.page.screenshot(path=artefacts / f"{scheme}.png")
        assert await it.page.evaluate(CONTRASTS) == []


async def test_the_chosen_look_outlives_a_reload(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path, color_scheme="light") as it:
        ground = "getComputedStyle(document.querySelector('.chat-header')).backgroundColor"
        day = await it.page.evaluate(ground)
        await it.at("more").click()
        await it.at("theme-dark").click()
        night = await it.page.evaluate(ground)
        assert night != day
        await it.page.reload()
        await expect(it.at("status")).to_have_text("bot")
        assert await it.page.evaluate(ground) == night
