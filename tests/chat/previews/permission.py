"""/permission, /pause, /resume and /panic with data to look at them by."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from bot.chat.views import permission
from bot.chat.views.message import Message
from bot.ports.permissions import Pause, Permission
from bot.ports.records import Account, KeptRule
from bot.services.desk.permission import Offer, PermissionView, Step
from hedging.rules import HedgeRule
from tests.chat.previews.cards import CLOSING, card

PAPER = Account(1, 1, "paper", "paper")
LIVE = Account(2, 1, "bybit", "live")
NONE = Permission(1, 1)
GIVEN = replace(NONE, acts="reduce", silence="quarter", spent=Decimal("812.4"))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RULE = KeptRule(HedgeRule(), 3)


def seen(given: Permission, step: Step, pause: Pause | None = None) -> PermissionView:
    return PermissionView(given, PAPER, step, pause)


def offered(pause: Pause | None = None) -> Message:
    view = PermissionView(replace(NONE, account_id=2), LIVE, "confirm", pause)
    return permission.asked(view, Offer("both", "quarter", 2, 7, NOON))


SCREENS: dict[str, Message] = {
    "permission_none": permission.permission(seen(NONE, "paper")),
    "permission_given": permission.permission(seen(GIVEN, "auto")),
    "permission_silence": permission.permission(seen(replace(NONE, silence="reduce"), "auto")),
    "permission_paused": permission.permission(seen(GIVEN, "auto", Pause(1))),
    "permission_wider": permission.permission(seen(NONE, "confirm"), wider=True),
    "permission_asked": offered(),
    "permission_asked_paused": offered(Pause(1)),
    **{
        f"permission_taken_{why}": permission.permission_taken(
            {"exchange": "bybit", "mode": "live", "why": why}
        )
        for why in ("switch", "key", "update")
    },
    "paused": permission.paused(Pause(1), "UTC"),
    "paused_until": permission.paused(Pause(1, NOON), "Europe/Berlin"),
    "pause_over": permission.pause_over({"until": NOON.isoformat()}),
    "resumed": permission.resumed(GIVEN, changed=True),
    "resumed_nothing": permission.resumed(NONE, changed=False),
    "panic": permission.panic(card(CLOSING), PAPER, RULE),
    "panic_no_hedge": permission.panic(None, PAPER, RULE),
}
