"""Practice keys of the stand-in exchanges, from the page into the chat."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

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
