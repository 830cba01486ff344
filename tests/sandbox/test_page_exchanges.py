"""Practice keys of the stand-in exchanges, from the page into the chat."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.sandbox.waiting import BotClock
from tests.sandbox.phone import browser, phone

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

__all__ = ["browser"]  # the fixture


@pytest.mark.parametrize(("exchange", "parts"), [("bybit", 2), ("weex", 3)])
async def test_a_practice_key_is_made_shown_and_copied_whole(
    browser: Browser, tmp_path: Path, exchange: str, parts: int
) -> None:
    async with phone(browser, tmp_path, market=True, permissions=["clipboard-read", "clipboard-write"]) as it:
        await it.at(f"key-{exchange}").click()
        shown = it.at("practice-key").locator("code")
        await expect(shown).to_have_count(parts)
        words = await shown.all_inner_texts()
        await it.at("copy-key").click()
        await expect(it.at("toast").first).to_have_text("Copied")
        assert await it.page.evaluate("navigator.clipboard.readText()") == "\n".join(words)
        assert len(set(words)) == parts
        listed = await it.page.evaluate("fetch('/sandbox/exchanges').then((answer) => answer.json())")
        assert len(listed[exchange]["accounts"]) == 1
        assert not any(word in str(listed) for word in words)


async def test_trouble_at_an_exchange_and_waiting_are_a_tap_away(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path, market=True) as it:
        await it.at("trouble-at").select_option("mexc")
        await it.at("trouble-away").click()
        await expect(it.at("trouble-outcome")).to_have_text("MEXC: goes away.")
        state = await it.page.evaluate("fetch('/sandbox/exchanges').then((answer) => answer.json())")
        assert [name for name, told in state.items() if told["faults"]] == ["mexc"]
        await it.at("trouble-back").click()
        await expect(it.at("trouble-outcome")).to_have_text("MEXC: all well again.")
        state = await it.page.evaluate("fetch('/sandbox/exchanges').then((answer) => answer.json())")
        assert [name for name, told in state.items() if told["faults"]] == []
        await it.at("wait-1h").click()
        await expect(it.at("trouble-outcome")).to_have_text("The bot's clock has gone ahead.")
        assert BotClock(tmp_path / "clock.txt").ahead() >= timedelta(hours=1)
