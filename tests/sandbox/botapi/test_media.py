"""Photos, documents, albums and their files, by python-telegram-bot."""

import struct
import zlib

import pytest
from telegram import Bot, InputMediaDocument, InputMediaPhoto
from telegram.error import BadRequest, InvalidToken

from tests.fakes.phone import Phone
from tests.sandbox.botapi.conftest import TOKEN


def png(width: int, height: int, shade: int = 200) -> bytes:
    """A grey picture (PNG specification, third edition, clause 11)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = (b"\0" + bytes([shade]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


async def test_a_photo_arrives_with_its_size_and_caption(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_photo(1, png(320, 200), caption="<b>Equity</b>", parse_mode="HTML")

    assert (sent.photo[-1].width, sent.photo[-1].height) == (320, 200)
    assert sent.caption == "Equity"
    shown = (await ada.messages())[-1]
    assert (shown["caption"], shown["text"]) == ("Equity", None)
    assert shown["entities"] == [{"type": "bold", "offset": 0, "length": 6}]
    async with ada.driver.http.get(ada.driver.address + shown["photo"]) as response:
        assert (response.content_type, await response.read()) == ("image/png", png(320, 200))


async def test_a_file_can_be_sent_again_by_its_id(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_photo(1, png(10, 10))
    again = await bot.send_photo(1, sent.photo[-1].file_id)
    assert again.photo == sent.photo


async def test_a_document_of_the_bot_can_be_downloaded_by_both_sides(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_document(1, b"coin,amount\nSOL,120\n", filename="holdings.csv", caption="Yours")
    assert sent.document is not None
    assert (sent.document.file_name, sent.document.file_size) == ("holdings.csv", 20)
    file = await sent.document.get_file()
    assert bytes(await file.download_as_bytearray()) == b"coin,amount\nSOL,120\n"
    shown = (await ada.messages())[-1]["document"]
    assert (shown["name"], shown["size"]) == ("holdings.csv", 20)
    async with ada.driver.http.get(ada.driver.address + shown["url"]) as response:
        assert await response.read() == b"coin,amount\nSOL,120\n"


async def test_a_document_of_a_user_reaches_the_bot(ada: Phone, bot: Bot) -> None:
    await ada.send_document("holdings.csv", "coin,amount\nSOL,120\n")
    update = (await bot.get_updates())[-1]
    assert update.message is not None and update.message.document is not None
    assert (update.message.document.file_name, update.message.document.mime_type) == (
        "holdings.csv",
        "text/csv",
    )
    file = await update.message.document.get_file()
    assert bytes(await file.download_as_bytearray()) == b"coin,amount\nSOL,120\n"


async def test_a_file_is_given_to_the_right_token_only(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_document(1, b"x", filename="x.txt")
    assert sent.document is not None
    path = (await sent.document.get_file()).file_path or ""
    async with ada.driver.http.get(path) as response:
        assert await response.read() == b"x"
    async with ada.driver.http.get(path.replace(TOKEN, "1:other")) as response:
        assert response.status == 401
    async with ada.driver.http.get(path.rpartition("/")[0] + "/../../telegram.sqlite") as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("photo", "reason"),
    [
        (b"", "File must be non-empty"),
        (b"no picture", "Image_process_failed"),
        (png(1, 21), "Photo_invalid_dimensions"),
        ("https://x.com/a.png", "Failed to get HTTP URL content"),
        ("no-such-id", "Wrong file identifier/HTTP URL specified"),
    ],
)
async def test_a_photo_that_telegram_refuses_is_refused(
    photo: bytes | str, reason: str, ada: Phone, bot: Bot
) -> None:
    with pytest.raises(BadRequest) as caught:
        await bot.send_photo(1, photo)
    assert caught.value.message.lower() == reason.lower()


async def test_a_photo_that_is_missing_is_refused(ada: Phone, bot: Bot) -> None:
    url = f"{ada.driver.address}/bot{TOKEN}/sendPhoto"
    async with ada.driver.http.post(url, data={"chat_id": "1"}) as response:
        assert (await response.json())["description"] == "Bad Request: there is no photo in the request"
    with pytest.raises(BadRequest, match="There is no photo in the request"):
        await bot.send_photo(1, "attach://nowhere")


async def test_a_document_is_no_photo(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_document(1, b"x", filename="x.txt")
    assert sent.document is not None
    with pytest.raises(BadRequest, match="Can't use file of type document as photo"):
        await bot.send_photo(1, sent.document.file_id)


async def test_a_caption_is_shorter_than_a_text(ada: Phone, bot: Bot) -> None:
    photo = png(10, 10)
    await bot.send_photo(1, photo, caption="x" * 1024)
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_photo(1, photo, caption="x" * 1025)


async def test_a_caption_can_be_edited_and_a_text_cannot_take_its_place(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_photo(1, png(10, 10), caption="x")
    await sent.edit_caption("y")
    assert (await ada.messages())[-1]["caption"] == "y"
    with pytest.raises(BadRequest, match="not modified"):
        await sent.edit_caption("y")
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await sent.edit_text("z")


async def test_the_picture_of_a_message_can_be_changed(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_photo(1, png(10, 10), caption="x")
    edited = await sent.edit_media(InputMediaPhoto(png(20, 20), caption="y"))
    assert isinstance(edited, type(sent))
    assert (edited.photo[-1].width, edited.caption) == (20, "y")
    shown = (await ada.messages())[-1]
    assert (shown["id"], shown["edited"]) == (sent.message_id, True)


async def test_an_album_is_two_to_ten_messages(ada: Phone, bot: Bot) -> None:
    photos = [InputMediaPhoto(png(10, 10, shade), caption=f"{shade}") for shade in range(11)]
    album = await bot.send_media_group(1, photos[:2])
    assert len(album) == 2
    assert album[0].media_group_id == album[1].media_group_id is not None
    assert [m["caption"] for m in (await ada.messages())[-2:]] == ["0", "1"]
    with pytest.raises(BadRequest, match="Too few messages to send as an album"):
        await bot.send_media_group(1, photos[:1])
    with pytest.raises(BadRequest, match="Too many messages to send as an album"):
        await bot.send_media_group(1, photos)
    with pytest.raises(BadRequest, match="can't be mixed"):
        await bot.send_media_group(1, [photos[0], InputMediaDocument(b"x", filename="x.txt")])


async def test_an_unknown_file_cannot_be_had(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Invalid file_id"):
        await bot.get_file("nonsense")


async def test_another_token_is_let_in_nowhere(address: str) -> None:
    with pytest.raises(InvalidToken):
        await Bot("1:other", base_url=f"{address}/bot").initialize()
