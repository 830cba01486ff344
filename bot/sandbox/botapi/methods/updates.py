"""How the bot gets its updates: long polling or a webhook, never both."""

import re
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.botapi.backend import Backend, Method
from bot.sandbox.botapi.refusals import bad_request, conflict
from bot.sandbox.botapi.request import Call
from bot.sandbox.botapi.state import Json
from bot.sandbox.loopback import is_loopback_name

_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")


def get_updates(backend: Backend, call: Call) -> Coroutine[Any, Any, list[Json]]:
    if backend.webhook.is_set:
        raise conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
        )
    _allow(backend, call)
    limit = call.integer("limit", 100)
    return backend.updates.poll(
        call.integer("offset"), limit if 1 <= limit <= 100 else 100, max(call.integer("timeout"), 0)
    )


def set_webhook(backend: Backend, call: Call) -> bool:
    url = call.text("url")
    if not url:
        return delete_webhook(backend, call)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise bad_request("bad webhook: invalid webhook URL specified") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise bad_request("bad webhook: invalid webhook URL specified")
    if not is_loopback_name(host):
        raise bad_request("bad webhook: the sandbox delivers to this machine only")
    secret = call.text("secret_token")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    _allow(backend, call)
    if call.flag("drop_pending_updates"):
        backend.updates.forget_all()
    backend.updates.end_poll("terminated by setWebhook request")
    connections = call.integer("max_connections", 40)
    backend.webhook.set(
        {"url": url, "secret_token": secret, "max_connections": min(max(connections, 1), 100)}
    )
    return True


def delete_webhook(backend: Backend, call: Call) -> bool:
    if call.flag("drop_pending_updates"):
        backend.updates.forget_all()
    backend.webhook.set(None)
    return True


def get_webhook_info(backend: Backend, call: Call) -> Json:
    return backend.webhook.info()


def _allow(backend: Backend, call: Call) -> None:
    """An absent list leaves the last one standing."""
    allowed: Any = call.json("allowed_updates", "allowed updates")
    if isinstance(allowed, list):
        backend.updates.allow(str(kind) for kind in allowed)


METHODS = (
    Method("getUpdates", get_updates, frozenset({"offset", "limit", "timeout", "allowed_updates"})),
    Method(
        "setWebhook",
        set_webhook,
        frozenset(
            [
                "url",
                "certificate",
                "ip_address",
                "max_connections",
                "allowed_updates",
                "drop_pending_updates",
                "secret_token",
            ]
        ),
    ),
    Method("deleteWebhook", delete_webhook, frozenset({"drop_pending_updates"})),
    Method("getWebhookInfo", get_webhook_info),
)
