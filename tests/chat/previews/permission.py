"""/permission, /pause, /resume and /panic with data to look at them by."""

from dataclasses import replace
from decimal import Decimal

from bot.chat.views import permission
from bot.chat.views.message import Message
from bot.ports.records import Account
from bot.ports.watching import Permission
from bot.services.desk.permission import PermissionView, Step

PAPER = Account(1, 1, "paper", "paper")
NONE = Permission(1)
GIVEN = replace(NONE, acts="reduce", silence="quarter", spent=Decimal("812.4"))


def seen(given: Permission, step: Step) -> PermissionView:
    return PermissionView(given, PAPER, step)


SCREENS: dict[str, Message] = {
    "permission_none": permission.permission(seen(NONE, "paper")),
    "permission_given": permission.permission(seen(GIVEN, "auto")),
    "permission_silence": permission.permission(seen(replace(NONE, silence="reduce"), "auto")),
    "permission_paused": permission.permission(seen(replace(GIVEN, paused=True), "auto")),
    "permission_wider": permission.permission(seen(NONE, "confirm"), wider=True),
    "permission_asked": permission.asked(seen(NONE, "confirm"), "both", "quarter"),
    "paused": permission.paused(GIVEN, on=True),
    "resumed": permission.paused(GIVEN, on=False),
    "resumed_nothing": permission.paused(NONE, on=False, changed=False),
    "panic_no_hedge": permission.panic(None),
}
