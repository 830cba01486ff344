"""A second opinion on what the bot asks Telegram for: aiogram's models and teremok's reading of the Bot API.

Neither knows the sandbox. What they miss (identical edits, limits, the state of a chat) is the sandbox's to refuse.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aiogram import Bot, methods
from aiogram.methods.base import TelegramMethod
from aiogram.types import TelegramObject
from pydantic import BaseModel, ValidationError
from teremok.validation import ApiRuleViolation, validate_method


@functools.cache
def _bot() -> Bot:
    return Bot("1:oracle")


def check_call(call: Mapping[str, Any]) -> None:
    """Check one captured call, `{"n", "method", "params"}`. Raises AssertionError with the call and the reason."""
    reason = _objection(str(call["method"]), dict(call["params"]))
    if reason:
        raise AssertionError(
            f"call {call.get('n', '?')}, {call['method']}, is none that Telegram takes: {reason}\n{call['params']}"
        )


def check_calls(calls: Iterable[Mapping[str, Any]]) -> int:
    """Check captured calls, as `GET /sandbox/calls` gives them; how many they were."""
    count = 0
    for call in calls:
        check_call(call)
        count += 1
    return count


def _objection(name: str, params: dict[str, Any]) -> str | None:
    model = getattr(methods, name[:1].upper() + name[1:], None)
    if not (isinstance(model, type) and issubclass(model, TelegramMethod)):
        return "aiogram knows no such method"
    try:
        method = model.model_validate(params)
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    for place, known in _parts(method, ""):
        if known.model_extra:
            return f"unknown field {place}{sorted(known.model_extra)[0]}"
    for text in (method, *_captions(method)):
        try:
            validate_method(_bot(), text)
        except ApiRuleViolation as violation:
            return violation.description
    return None


def _parts(value: Any, place: str) -> Iterator[tuple[str, BaseModel]]:
    """The call and all objects in it, each with its place."""
    if isinstance(value, TelegramMethod | TelegramObject):
        yield place, value
        for field in type(value).model_fields:
            yield from _parts(getattr(value, field), f"{place}{field}.")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _parts(item, f"{place}{number}.")


def _captions(method: TelegramMethod[Any]) -> Iterator[TelegramMethod[Any]]:
    """The captions inside albums and media edits, each as a method of its own that teremok can judge."""
    media = getattr(method, "media", None)
    for item in media if isinstance(media, list) else [media]:
        if item is not None and item.caption is not None:
            yield methods.EditMessageCaption(
                caption=item.caption, parse_mode=item.parse_mode, caption_entities=item.caption_entities
            )
