"""The bot itself: who it is, its commands, its name and descriptions, its menu button."""

import re
from typing import Any

from bot.sandbox.botapi.backend import Backend, Method
from bot.sandbox.botapi.keyboards import check_web_app
from bot.sandbox.botapi.methods.composing import known_chat
from bot.sandbox.botapi.refusals import bad_request
from bot.sandbox.botapi.request import Call
from bot.sandbox.botapi.state import Json, World

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_MOST_COMMANDS = 100
_SCOPES = frozenset({"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat"})
_LONGEST = {"description": 512, "short_description": 120, "name": 64}


def get_me(backend: Backend, call: Call) -> Json:
    return {
        **backend.world.bot,
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def set_my_commands(backend: Backend, call: Call) -> bool:
    commands: Any = call.json("commands", "commands")
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > _MOST_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    kept = [_command(command) for command in commands]
    _keep_commands(backend.world, _place(backend, call), kept)
    return True


def _command(command: Any) -> Json:
    if not isinstance(command, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    for name in ("command", "description"):
        if not isinstance(command.get(name), str):
            raise bad_request(f"can't parse BotCommand: Can't find field \"{name}\"")
    name, description = command["command"].removeprefix("/"), command["description"].strip()
    if not name:
        raise bad_request("command must not be empty")
    if not _COMMAND.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not description:
        raise bad_request("command description must not be empty")
    if len(description) > 256:
        raise bad_request("command description length must not exceed 256")
    return {"command": name, "description": description}


def get_my_commands(backend: Backend, call: Call) -> list[Json]:
    return list(_commands(backend.world).get(_place(backend, call), []))


def delete_my_commands(backend: Backend, call: Call) -> bool:
    _keep_commands(backend.world, _place(backend, call), [])
    return True


def _commands(world: World) -> dict[str, list[Json]]:
    return world.settings.get("commands") or {}


def _keep_commands(world: World, place: str, commands: list[Json]) -> None:
    everything = {**_commands(world), place: commands}
    world.set("commands", {place: kept for place, kept in everything.items() if kept})
    world.tell(None, "commands", None)


def _place(backend: Backend, call: Call) -> str:
    """Scope and language as one key: "default:", "all_private_chats:de", "chat/1:"."""
    scope: Any = call.json("scope", "bot command scope") or {"type": "default"}
    kind = str(scope.get("type")) if isinstance(scope, dict) else ""
    if kind not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    if kind == "chat":
        kind = f"chat/{known_chat(backend, Call('', scope)).id}"
    return f"{kind}:{call.text('language_code')}"


def commands_for(world: World, user_id: int, language_code: str) -> list[Json]:
    """The commands a user sees in the menu: of the narrowest scope that has any, in the user's language first."""
    commands = _commands(world)
    for scope in (f"chat/{user_id}", "all_private_chats", "default"):
        for language in (language_code, ""):
            if found := commands.get(f"{scope}:{language}"):
                return found
    return []


def _profile(name: str) -> Method:
    method = "setMy" + name.title().replace("_", "")

    def run(backend: Backend, call: Call) -> bool:
        text = call.text(name)
        if len(text) > _LONGEST[name]:
            raise bad_request(f"BOT_{'TITLE' if name == 'name' else 'ABOUT'}_INVALID")
        profile = backend.world.settings.get("profile") or {}
        backend.world.set("profile", {**profile, f"{name}:{call.text('language_code')}": text})
        return True

    return Method(method, run, frozenset({name, "language_code"}))


def set_chat_menu_button(backend: Backend, call: Call) -> bool:
    button: Any = call.json("menu_button", "menu button") or {"type": "default"}
    kind = str(button.get("type")) if isinstance(button, dict) else ""
    if kind not in {"default", "commands", "web_app"}:
        raise bad_request("can't parse MenuButton: unsupported type specified")
    if kind == "web_app":
        if not button.get("text"):
            raise bad_request("can't parse MenuButton: Can't find field \"text\"")
        check_web_app(button.get("web_app"), "menu button")
    chat = str(known_chat(backend, call).id) if call.params.get("chat_id") else ""
    backend.world.set("menu_buttons", {**(backend.world.settings.get("menu_buttons") or {}), chat: button})
    return True


def leave(backend: Backend, call: Call) -> bool:
    """`logOut` and `close` move a bot between servers; here there is one, and it goes on."""
    return True


METHODS = (
    Method("getMe", get_me),
    Method("setMyCommands", set_my_commands, frozenset({"commands", "scope", "language_code"})),
    Method("getMyCommands", get_my_commands, frozenset({"scope", "language_code"})),
    Method("deleteMyCommands", delete_my_commands, frozenset({"scope", "language_code"})),
    _profile("description"),
    _profile("short_description"),
    _profile("name"),
    Method("setChatMenuButton", set_chat_menu_button, frozenset({"chat_id", "menu_button"})),
    Method("logOut", leave),
    Method("close", leave),
)
