"""Whatever a bot sends, it gets an answer or a refusal: never an accident of the server."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sandbox.botapi import BotApi
from bot.sandbox.botapi.methods import METHODS
from bot.sandbox.botapi.refusals import Refusal
from bot.sandbox.botapi.request import Call, Upload
from bot.sandbox.botapi.state import Post, User
from tests.sandbox.botapi.test_media import png

WORDS = (
    "type offset length url text callback_data inline_keyboard keyboard media photo message_id bold text_link"
)
WORDS += (
    " custom_emoji user attach://a attach://none 1 2 copy_text web_app description command scope chat chat_id"
)
WORDS += (
    " is_disabled remove_keyboard force_reply caption <b> HTML MarkdownV2 commands typing http://127.0.0.1:1/"
)
names = st.sampled_from(WORDS.split())
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.floats(allow_nan=False)
    | names
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    method = METHODS[draw(st.sampled_from(sorted(METHODS)))]
    params: dict[str, Any] = {"chat_id": 1, "text": "x", "message_id": 2, "timeout": 0}
    for name in draw(st.lists(st.sampled_from(sorted(method.parameters or {"none"})), max_size=4)):
        if name != "timeout":
            value = draw(values)
            params[name] = json.dumps(value) if draw(st.booleans()) else value
    return Call(
        method.name, params, {"a": Upload("a.png", png(20, 20), None), "photo": Upload("b", b"b", None)}
    )


@pytest.mark.slow
@given(st.lists(calls(), min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=100)
def test_nonsense_is_refused_and_never_an_accident(made: list[Call]) -> None:
    async def run(folder: str) -> None:
        api = BotApi(Path(folder), "1:sandbox")
        user = User(1, "Ada", started=True)
        api.world.add_user(user)
        body = {"message_id": 2, "from": api.world.bot, "chat": user.as_chat(), "date": 2**31, "text": "old"}
        api.world.post(Post(body, outgoing=True))
        for call in made:
            try:
                result = await api.perform(METHODS[call.method.lower()], call)
            except Refusal as refusal:
                json.dumps(refusal.body())
            else:
                json.dumps(result)
        api.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(folder))
