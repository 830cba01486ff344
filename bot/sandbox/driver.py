"""The driver: people at their phones, as HTTP calls for scripts, tests and the page. See README.md here."""

import base64
import binascii
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox.botapi import BotApi
from bot.sandbox.botapi.formatting import plain_text
from bot.sandbox.botapi.methods.composing import change_keyboard
from bot.sandbox.botapi.refusals import Refusal
from bot.sandbox.botapi.state import Json, Post, User
from bot.sandbox.botapi.trouble import MistakenOrder, read_fault
from bot.sandbox.events import Events
from bot.sandbox.transcript import chat_view, user_view

Handler = Callable[[Request], Any]

_LONGEST_WAIT = 60.0


class Driver:
    """Acts as the users of one `BotApi`."""

    def __init__(self, api: BotApi, market: Callable[[], Awaitable[Json]] | None = None) -> None:
        self._api = api
        self._world = api.world
        self._market = market
        self._events = Events(api.world)

    def routes(self) -> list[Route]:
        def get(path: str, handler: Handler) -> Route:
            return Route(f"/sandbox{path}", _answering(handler), methods=["GET"])

        def post(path: str, handler: Handler) -> Route:
            return Route(f"/sandbox{path}", _answering(handler), methods=["POST"])

        return [
            get("/users", self.users),
            post("/users", self.add_user),
            post("/users/{id:int}/block", self.block),
            post("/users/{id:int}/messages", self.write),
            post("/users/{id:int}/taps", self.tap),
            post("/users/{id:int}/documents", self.send_document),
            get("/users/{id:int}/chat", self.chat),
            post("/updates/{id:int}/redeliver", self.redeliver),
            get("/events", self.events),
            get("/calls", self.calls),
            get("/faults", self.faults),
            post("/faults", self.order_fault),
            Route("/sandbox/faults", _answering(self.clear_faults), methods=["DELETE"]),
            get("/limits", self.limits),
            post("/limits", self.set_limits),
            get("/files/{unique_id}", self.file),
        ]

    # Users

    def users(self, request: Request) -> list[Json]:
        return [user_view(user) for user in self._world.users.values()]

    async def add_user(self, request: Request) -> Json:
        """Somebody Telegram knows, who has not written to the bot yet."""
        order = await _body(request)
        user_id = order.get("id", max(self._world.users, default=0) + 1)
        if not isinstance(user_id, int) or isinstance(user_id, bool) or user_id <= 0:
            raise HTTPException(400, "A user's id is a positive whole number.")
        user = self._world.users.get(user_id) or User(user_id, f"User {user_id}")
        for name in ("first_name", "username", "language_code"):
            if isinstance(order.get(name), str):
                setattr(user, name, order[name])
        self._world.add_user(user)
        return user_view(user)

    async def block(self, request: Request) -> Json:
        user = self._known(request)
        blocked = (await _body(request)).get("blocked", True)
        self._set_blocked(user, bool(blocked))
        return user_view(user)

    def _set_blocked(self, user: User, blocked: bool) -> None:
        if user.blocked == blocked:
            return
        user.blocked = blocked
        self._world.save_user(user)
        self._world.tell(None, "users", user)
        member, kicked = {"status": "member"}, {"status": "kicked", "until_date": 0}
        old, new = (member, kicked) if blocked else (kicked, member)
        self._api.updates.add(
            "my_chat_member",
            {
                "chat": user.as_chat(),
                "from": user.as_user(),
                "date": int(self._world.clock()),
                "old_chat_member": {"user": self._world.bot, **old},
                "new_chat_member": {"user": self._world.bot, **new},
            },
        )

    # What users do

    async def write(self, request: Request) -> Json:
        text = (await _body(request)).get("text")
        formatted = plain_text(text) if isinstance(text, str) else None
        if formatted is None or not formatted.text:
            raise HTTPException(400, 'A message needs a "text".')
        content: Json = {"text": formatted.text}
        if formatted.entities:
            content["entities"] = formatted.entities
        return self._say(self._writer(request), content)

    async def send_document(self, request: Request) -> Json:
        order = await _body(request)
        name = order.get("name")
        if not isinstance(name, str) or not name:
            raise HTTPException(400, 'A document needs a "name".')
        user = self._writer(request)
        try:
            file = self._api.files.save("document", name, _document_content(order), order.get("mime_type"))
        except Refusal as refusal:
            raise HTTPException(400, refusal.description) from refusal
        content: Json = {"document": file.as_document()}
        if isinstance(order.get("caption"), str):
            content["caption"] = order["caption"]
        return self._say(user, content)

    def _writer(self, request: Request) -> User:
        """The user who writes, who comes into being by that; a blocked bot is unblocked first."""
        user_id = int(request.path_params["id"])
        if user_id <= 0:
            raise HTTPException(400, "A user's id is a positive whole number.")
        user = self._world.users.get(user_id) or User(user_id, f"User {user_id}")
        self._set_blocked(user, False)
        if not user.started:
            user.started = True
            self._world.add_user(user)
        return user

    def _say(self, user: User, content: Json) -> Json:
        world = self._world
        if user.reply_keyboard and user.reply_keyboard.get("one_time_keyboard"):
            change_keyboard(world, user, None)
        body: Json = {
            "message_id": world.next_message_id(),
            "from": user.as_user(),
            "chat": user.as_chat(),
            "date": int(world.clock()),
            **content,
        }
        world.post(Post(body, outgoing=False, editable=False))
        return {"message_id": body["message_id"], "update_id": self._api.updates.add("message", body)}

    async def tap(self, request: Request) -> Json:
        chat = self._known(request)
        tapper = self._known(request, request.query_params.get("as"))
        order = await _body(request)
        message_id, wanted = order.get("message_id"), order.get("button")
        post = self._world.find(chat.id, message_id) if isinstance(message_id, int) else None
        if post is None:
            raise HTTPException(404, f"There is no message {message_id} in the chat of user {chat.id}.")
        button = _find_button(post, wanted)
        if button is None:
            raise HTTPException(404, f"Message {message_id} has no button {wanted!r}.")
        if "callback_data" not in button or button.get("disabled"):
            raise HTTPException(409, f"A tap on {button['text']!r} sends nothing to the bot.")
        tap = self._world.add_tap(tapper.id, chat.id, post.message_id)
        update_id = self._api.updates.add(
            "callback_query",
            {
                "id": tap.id,
                "from": tapper.as_user(),
                "message": post.body,
                "chat_instance": str(-((chat.id << 20) + 7)),
                "data": button["callback_data"],
            },
        )
        answer: Json = {"callback_id": tap.id, "update_id": update_id}
        if "wait" in request.query_params:
            seconds = min(_number(request.query_params["wait"]), _LONGEST_WAIT)
            answer["answer"] = await self._world.wait_for_answer(tap, seconds)
        return answer

    def chat(self, request: Request) -> Json:
        return chat_view(self._world, self._known(request))

    def redeliver(self, request: Request) -> Json:
        update_id = int(request.path_params["id"])
        if not self._api.updates.again(update_id):
            raise HTTPException(404, f"There is no update {update_id}.")
        return {"update_id": update_id}

    # What is going on

    def events(self, request: Request) -> Response:
        user = request.query_params.get("user")
        user_id = int(_number(user)) if user is not None else None
        return StreamingResponse(
            self._events.follow(user_id, self._market),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    def calls(self, request: Request) -> list[Json]:
        since = _number(request.query_params.get("since", "0"))
        return [call for call in self._api.calls if call["n"] > since]

    def file(self, request: Request) -> Response:
        found = self._api.files.by_unique_id(request.path_params["unique_id"])
        if found is None or not found[1].exists():
            raise HTTPException(404, "There is no such file.")
        file, place = found
        inline = "inline" if file.kind == "photo" else "attachment"
        return FileResponse(
            place, media_type=file.mime_type, filename=file.name, content_disposition_type=inline
        )

    # Trouble

    def faults(self, request: Request) -> list[Json]:
        return [fault.as_json() for fault in self._api.faults.ordered]

    async def order_fault(self, request: Request) -> list[Json]:
        self._api.faults.ordered.append(read_fault(await _body(request)))
        return self.faults(request)

    def clear_faults(self, request: Request) -> list[Json]:
        self._api.faults.ordered.clear()
        return []

    def limits(self, request: Request) -> Json:
        return self._api.limits.as_json()

    async def set_limits(self, request: Request) -> Json:
        self._api.limits.set(await _body(request))
        return self._api.limits.as_json()

    def _known(self, request: Request, user_id: str | None = None) -> User:
        wanted = int(_number(user_id)) if user_id is not None else int(request.path_params["id"])
        user = self._world.users.get(wanted)
        if user is None:
            raise HTTPException(404, f"There is no user {wanted}; a user comes into being by writing.")
        return user


def _answering(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A handler that gives JSON, as an endpoint; what is wrong is told in a sentence."""

    async def answer(request: Request) -> Response:
        try:
            result = handler(request)
            if inspect.isawaitable(result):
                result = await result
        except HTTPException as error:
            return JSONResponse({"error": error.detail}, error.status_code)
        except MistakenOrder as error:
            return JSONResponse({"error": str(error)}, 400)
        return result if isinstance(result, Response) else JSONResponse(result)

    return answer


async def _body(request: Request) -> Json:
    raw = await request.body()
    try:
        body = await request.json() if raw.strip() else {}
    except ValueError:
        raise HTTPException(400, "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "The body is not a JSON object.")
    return body


def _document_content(order: Json) -> bytes:
    if isinstance(order.get("content"), str):
        return str(order["content"]).encode()
    try:
        return base64.b64decode(str(order["content_base64"]), validate=True)
    except (KeyError, binascii.Error):
        raise HTTPException(400, 'A document needs "content", or "content_base64".') from None


def _find_button(post: Post, wanted: Any) -> Json | None:
    """The button with this text, or else with this callback data."""
    rows = post.body.get("reply_markup", {}).get("inline_keyboard", [])
    buttons: list[Json] = [button for row in rows for button in row]
    for name in ("text", "callback_data"):
        for button in buttons:
            if button.get(name) == wanted:
                return button
    return None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise HTTPException(400, f"{text!r} is not a number.") from None
