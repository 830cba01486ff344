"""One call of a method: its parameters, however they were sent, and the files that came along."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from bot.sandbox.botapi.refusals import bad_request

_TRUE = frozenset({"true", "yes", "1"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file sent as a part of a multipart body."""

    name: str
    content: bytes
    mime_type: str | None


def whole(value: Any, default: int = 0) -> int:
    """A whole number, given as such or as text; `default` for anything else."""
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return default
    return value if isinstance(value, int) and not isinstance(value, bool) else default


@dataclass(slots=True)
class Call:
    """A method call. The readers follow the Bot API: every value may come as text, and what is absent is empty."""

    method: str
    params: dict[str, Any]
    uploads: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        value = self.params.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number; what is no number reads as `default`, as it does at Telegram."""
        value = self.params.get(name)
        return whole(value, default)

    def flag(self, name: str) -> bool:
        value = self.params.get(name)
        return value is True or str(value).lower() in _TRUE

    def json(self, name: str, what: str) -> Any:
        """A JSON-serialised parameter, parsed; None where it is absent. `what` names it in the refusal."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {what} JSON object") from None


async def read_call(method: str, request: Request) -> Call:
    """Read a call from the query, and from a JSON, urlencoded or multipart body."""
    params: dict[str, Any] = {}
    uploads: dict[str, Upload] = {}
    query = request.scope["query_string"]
    if query:
        params.update(parse_qsl(query.decode(), keep_blank_values=True))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=100, max_part_size=20 << 20) as form:
            uploads = await _take_uploads(form, params)
    elif request.method == "POST":
        body = await request.body()
        if kind == "application/json":
            params.update(_object(body))
        elif body:
            params.update(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    return Call(method, params, uploads)


def _object(body: bytes) -> Mapping[str, Any]:
    if not body.strip():
        return {}
    try:
        content = json.loads(body)
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(content, dict):
        raise bad_request("expected an Object in the request body")
    return {str(name): value for name, value in content.items() if value is not None}


async def _take_uploads(form: FormData, params: dict[str, Any]) -> dict[str, Upload]:
    uploads: dict[str, Upload] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            uploads[name] = Upload(value.filename or name, await value.read(), value.content_type)
        else:
            params[name] = value
    return uploads
