"""The chat on the page: what the bot sends is shown as Telegram shows it, what the person does reaches the bot."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.sandbox.phone import Wire, browser, phone

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

__all__ = ["browser"]  # the fixture

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


async def test_an_empty_chat_offers_start_and_then_the_field(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path, started=False) as it:
        await expect(it.at("composer")).to_be_hidden()
        await it.at("start").dblclick(force=True)
        await expect(it.at("composer")).to_be_visible()
        await expect(it.at("start")).to_be_hidden()
        await it.write("/help")
        texts = it.page.locator(".mine .text .command")
        await expect(texts).to_have_text(["/start", "/help"])


async def test_entities_are_shown_as_telegram_shows_them(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        sent = await it.bot.say(
            '🦔 <b>bold <i>both</i></b> <tg-spoiler>secret</tg-spoiler> <code>id-1</code> <a href="https://a.example/">here</a>\n'
            "<blockquote expandable>one\ntwo\nthree\nfour\nfive</blockquote>\nthen /hedge",
            parse_mode="HTML",
        )
        message = it.message(sent)
        await expect(message.locator("b")).to_have_text("bold both")
        await expect(message.locator("b i")).to_have_text("both")
        await expect(message.locator("a")).to_have_attribute("href", "https://a.example/")

        hidden = message.locator(".spoiler-text")
        await expect(hidden).to_have_css("opacity", "0")
        await message.get_by_label("Hidden text").click()
        await expect(hidden).to_have_css("opacity", "1")

        quote = message.locator("blockquote")
        folded = await quote.evaluate("one => one.clientHeight")
        await quote.get_by_role("button").click()
        await expect(quote.get_by_role("button")).to_have_attribute("aria-expanded", "true")
        assert await quote.evaluate("one => one.clientHeight") > folded

        await message.get_by_role("button", name="/hedge").click()
        assert (await it.bot.update("message"))["text"] == "/hedge"


async def test_text_that_looks_like_markup_stays_text(browser: Browser, tmp_path: Path) -> None:
    trap = "<img src=x onerror=\"document.title='caught'\"> & </div><script>document.title='caught'</script>"
    async with phone(browser, tmp_path) as it:
        await it.bot.call("setMyCommands", commands=[{"command": "trap", "description": trap}])
        sent = await it.bot.say(
            trap, reply_markup={"inline_keyboard": [[{"text": trap, "callback_data": "a"}]]}
        )
        await expect(it.message(sent).locator(".text")).to_contain_text(trap)
        await expect(it.message(sent).locator(".inline-button")).to_have_text(trap)
        await it.at("command-button").click()
        await expect(it.at("command-menu")).to_contain_text(trap)
        assert await it.page.title() != "caught"


async def test_a_tapped_button_is_busy_until_the_bot_answers(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        rows = [
            [{"text": "Confirm", "callback_data": "ok:1", "style": "success"}],
            [{"text": "Why", "callback_data": "why"}],
        ]
        sent = await it.bot.say("Hedge?", reply_markup={"inline_keyboard": rows})
        confirm = it.message(sent).get_by_role("button", name="Confirm")
        await confirm.click()
        await expect(confirm).to_have_attribute("aria-busy", "true")
        query = await it.bot.update("callback_query")
        assert query["data"] == "ok:1"
        await it.bot.call("answerCallbackQuery", callback_query_id=query["id"], text="Sending…")
        await expect(it.at("toast")).to_have_text("Sending…")
        await expect(confirm).not_to_have_attribute("aria-busy", "true")

        await it.message(sent).get_by_role("button", name="Why").click()
        query = await it.bot.update("callback_query")
        await it.bot.call(
            "answerCallbackQuery", callback_query_id=query["id"], text="Because.", show_alert=True
        )
        await expect(it.at("alert")).to_have_text("Because.")
        await it.page.keyboard.press("Escape")
        await expect(it.at("alert")).to_be_hidden()


async def test_buttons_link_copy_and_rest_as_they_say(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path, permissions=["clipboard-read", "clipboard-write"]) as it:
        rows = [
            [{"text": "Site", "url": "https://a.example/x"}],
            [{"text": "Copy id", "copy_text": {"text": "hg-42"}}],
            [{"text": "Used", "callback_data": "u", "disabled": True}],
        ]
        sent = await it.bot.say("Buttons", reply_markup={"inline_keyboard": rows})
        buttons = it.message(sent)
        await expect(buttons.get_by_role("link", name="Site")).to_have_attribute(
            "href", "https://a.example/x"
        )
        await buttons.get_by_role("button", name="Copy id").click()
        await expect(it.at("toast")).to_have_text("Copied")
        assert await it.page.evaluate("navigator.clipboard.readText()") == "hg-42"
        await expect(buttons.get_by_role("button", name="Used")).to_be_disabled()


async def test_an_edit_stays_in_place_and_a_delete_goes(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        rows = [[{"text": "Confirm", "callback_data": "ok:1"}]]
        card = await it.bot.say("Proposal", reply_markup={"inline_keyboard": rows})
        later = await it.bot.say("Something later")
        await expect(it.message(later)).to_be_visible()
        await it.bot.call("editMessageText", chat_id=1, message_id=card, text="Hedged ✓")
        await expect(it.message(card).locator(".text")).to_contain_text("Hedged ✓")
        await expect(it.message(card).locator(".text")).to_contain_text("edited")
        await expect(it.message(card).get_by_role("button")).to_have_count(0)
        order = await it.page.locator("[data-message-id]").evaluate_all(
            "all => all.map(one => +one.dataset.messageId)"
        )
        assert order.index(card) < order.index(later)

        await it.bot.call("deleteMessage", chat_id=1, message_id=later)
        await expect(it.message(later)).to_have_count(0)


async def test_enter_sends_and_shift_enter_breaks_the_line(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        field = it.at("composer")
        await field.press_sequentially("/add SOL 120")
        await field.press("Shift+Enter")
        await field.press_sequentially("ADA 9000")
        await field.press("Enter")
        assert (await it.bot.update("message"))["text"] == "/add SOL 120\nADA 9000"
        await expect(field).to_have_value("")


async def test_a_slash_lists_the_commands_that_begin_so(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        listed = [{"command": name, "description": f"About {name}"} for name in ("hedge", "help", "status")]
        await it.bot.call("setMyCommands", commands=listed)
        items = it.at("command-menu").get_by_role("option")
        await it.at("command-button").click()
        await expect(items).to_have_count(3)
        await it.page.keyboard.press("Escape")
        await it.at("composer").press_sequentially("/he")
        await expect(items).to_have_count(2)
        await it.at("composer").press("ArrowDown")
        await it.at("composer").press("ArrowDown")
        await it.at("composer").press("Enter")
        assert (await it.bot.update("message"))["text"] == "/help"
        await expect(items).to_have_count(0)


async def test_files_go_both_ways(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        await it.at("file").set_input_files(
            {"name": "holdings.csv", "mimeType": "text/csv", "buffer": b"SOL,120\n"}
        )
        heard = await it.bot.update("message")
        assert (heard["document"]["file_name"], heard["document"]["file_size"]) == ("holdings.csv", 8)

        report = await it.bot.upload(
            "sendDocument", "document", "report.txt", b"all well", chat_id="1", caption="Yours"
        )
        link = it.message(report["message_id"]).get_by_role("link", name="report.txt")
        async with it.page.expect_download() as download:
            await link.click()
        assert (await (await download.value).path()).read_bytes() == b"all well"

        photo = await it.bot.upload("sendPhoto", "photo", "chart.png", PIXEL, chat_id="1", caption="Chart")
        image = it.message(photo["message_id"]).locator("img")
        await image.wait_for()
        await it.page.wait_for_function(
            "one => one.complete && one.naturalWidth > 0", arg=await image.element_handle()
        )


async def test_the_bots_keyboard_writes_for_the_person(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        await it.bot.say("Which?", reply_markup={"keyboard": [["25 %", "50 %"], ["Not now"]]})
        await it.at("reply-keyboard").get_by_role("button", name="50 %").click()
        assert (await it.bot.update("message"))["text"] == "50 %"
        await it.bot.say("Thanks", reply_markup={"remove_keyboard": True})
        await expect(it.at("reply-keyboard")).to_be_hidden()


async def test_the_end_stays_in_view_unless_the_reader_scrolled_up(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        first = await it.bot.say("The very first")
        for number in range(30):
            last = await it.bot.say(f"Line {number}\nand another")
        await expect(it.message(last)).to_be_in_viewport()
        await expect(it.at("to-bottom")).to_be_hidden()

        await it.message(first).scroll_into_view_if_needed()
        await expect(it.at("to-bottom")).to_be_visible()
        newest = await it.bot.say("Fresh news")
        await expect(it.at("to-bottom")).to_contain_text("1")
        await expect(it.message(newest)).not_to_be_in_viewport()
        await it.at("to-bottom").click()
        await expect(it.message(newest)).to_be_in_viewport()

        await it.bot.call("pinChatMessage", chat_id=1, message_id=first)
        await expect(it.at("pinned")).to_contain_text("The very first")
        await it.at("pinned").click()
        await expect(it.message(first)).to_be_in_viewport()


async def test_everybody_has_a_chat_of_their_own(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        await it.bot.say("For Ada alone")
        await it.at("user-switch").click()
        await it.at("new-user-name").fill("Grace")
        await it.at("new-user").click()
        await expect(it.at("user-switch")).to_contain_text("Grace")
        await expect(it.at("messages")).not_to_contain_text("For Ada alone")
        await it.at("start").click()
        assert (await it.bot.update("message"))["from"]["first_name"] == "Grace"

        await it.at("user-switch").click()
        await it.page.locator('[data-user-id="1"]').click()
        await expect(it.at("messages")).to_contain_text("For Ada alone")


async def test_a_stopped_bot_is_started_again_by_its_button(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        await it.at("more").click()
        await it.at("stop-bot").click()
        await expect(it.at("composer")).to_be_hidden()
        assert (await it.bot.update("my_chat_member"))["new_chat_member"]["status"] == "kicked"
        await it.at("restart").click()
        assert (await it.bot.update("message"))["text"] == "/start"
        await expect(it.at("composer")).to_be_visible()


async def test_a_lost_connection_is_told_and_then_made_good(browser: Browser, tmp_path: Path) -> None:
    async with phone(browser, tmp_path) as it:
        wire = Wire(it.address)
        await wire.mend()
        await it.page.goto(wire.address)
        await expect(it.at("status")).to_have_text("bot")
        await wire.cut()
        await expect(it.at("status")).to_have_text("connecting…")
        missed = await it.bot.say("While you were away")
        await wire.mend()
        await expect(it.message(missed)).to_be_visible()
        await expect(it.at("status")).to_have_text("bot")
        await wire.cut()
        await it.page.goto("about:blank")
        it.complaints.clear()  # the browser itself reports what was cut
