"""The one table of commands and the one of buttons: the menu, the help and the registration all read it here."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.chat import texts
from bot.chat.handlers import (
    accounts,
    alerts,
    connect,
    hedge,
    holdings,
    other,
    permission,
    rule,
    start,
    status,
)
from bot.chat.turn import Handler


@dataclass(frozen=True, slots=True)
class Command:
    """`hidden`: it works, but stands in no menu."""

    name: str
    handler: Handler
    hidden: bool = False

    @property
    def description(self) -> str:
        return texts.COMMANDS.get(self.name, "")


COMMANDS = (
    Command("start", start.start),
    Command("add", holdings.add),
    Command("remove", holdings.remove),
    Command("portfolio", holdings.portfolio),
    Command("rule", rule.rule),
    Command("hedge", hedge.hedge),
    Command("unhedge", hedge.unhedge),
    Command("status", status.status),
    Command("alerts", alerts.alerts),
    Command("permission", permission.permission),
    Command("pause", permission.pause),
    Command("resume", permission.resume),
    Command("panic", permission.panic),
    Command("connect", connect.connect),
    Command("accounts", accounts.accounts),
    Command("disconnect", accounts.disconnect),
    Command("help", other.help_),
    Command("ping", other.ping, hidden=True),
)

# What a button's data begins with, up to the colon.
TAPS: Mapping[str, Handler] = {
    "go": start.go,
    "r": rule.tapped,
    "st": status.tapped,
    "ok": hedge.confirm,
    "ch": hedge.change,
    "no": hedge.cancel,
    "tg": hedge.target,
    "lv": hedge.leverage,
    "bd": hedge.band,
    "pr": hedge.price_again,
    "rb": status.rebalance,
    "sn": status.snooze,
    "dt": status.details,
    "cn": connect.tapped,
    "ac": accounts.tapped,
    "kp": alerts.keep,
    "al": alerts.tapped,
    "pm": permission.tapped,
    "un": permission.undo,
}

PLAIN: Handler = other.written
SECRET: Handler = connect.key
UNREADABLE: Handler = other.unreadable
UNKNOWN_COMMAND: Handler = other.unknown_command
UNKNOWN_TAP: Handler = other.unknown_button
GROUP: Handler = other.group

# Their whole effect is their answer: of a lot that wait they are passed over, and a tap goes before them.
ASKING: frozenset[Handler] = frozenset(
    {
        accounts.accounts,
        hedge.hedge,
        hedge.unhedge,
        holdings.portfolio,
        other.group,
        other.help_,
        other.ping,
        other.unknown_command,
        status.status,
    }
)
# They read the market or an account on an exchange: so many of them a person, and not more.
COSTLY: frozenset[Handler] = frozenset(
    {
        hedge.band,
        hedge.confirm,
        hedge.hedge,
        hedge.leverage,
        hedge.price_again,
        hedge.target,
        hedge.unhedge,
        permission.undo,
        status.details,
        status.rebalance,
        status.status,
        status.tapped,
    }
)
# They are answered however much waits.
NEVER_QUIET: frozenset[Handler] = frozenset({SECRET, connect.connect, permission.panic})
