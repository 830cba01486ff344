"""The one table of commands and the one of buttons: the menu, the help and the registration all read it here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
from bot.chat.parsing.words import later_command, polite
from bot.chat.texts import words
from bot.chat.turn import Handler, Turn

Takes = Literal["nothing", "words", "anything"]


@dataclass(frozen=True, slots=True)
class Command:
    """`takes`: what may follow its name. Words are read by its handler, which refuses what it does not understand;
    behind one that takes nothing only a courtesy is passed over. `hidden`: it works, but stands in no menu."""

    name: str
    does: Handler
    takes: Takes = "nothing"
    hidden: bool = False

    async def handler(self, turn: Turn) -> None:
        """What it does, unless something stands behind it that would be passed over: then it does nothing."""
        later = later_command(turn.text)
        if later:
            await turn.refuse(words.ONE_COMMAND.format(command=later))
            return
        if self.takes == "nothing" and turn.text:
            if not polite(turn.text):
                await turn.refuse(words.STANDS_ALONE[self.name])
                return
            turn.text = ""
        await self.does(turn)

    @property
    def description(self) -> str:
        return texts.COMMANDS.get(self.name, "")


COMMANDS = (
    Command("start", start.start, takes="anything"),  # a link may bring a word of its own
    Command("add", holdings.add, takes="words"),
    Command("remove", holdings.remove, takes="words"),
    Command("portfolio", holdings.portfolio),
    Command("rule", rule.rule, takes="words"),
    Command("hedge", hedge.hedge, takes="words"),
    Command("unhedge", hedge.unhedge, takes="words"),
    Command("status", status.status),
    Command("alerts", alerts.alerts, takes="words"),
    Command("permission", permission.permission, takes="words"),
    Command("pause", permission.pause, takes="words"),
    Command("resume", permission.resume),
    Command("panic", permission.panic),
    Command("connect", connect.connect, takes="words"),
    Command("accounts", accounts.accounts),
    Command("disconnect", accounts.disconnect, takes="words"),
    Command("help", other.help_, takes="words"),
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
    "hq": hedge.chosen,
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
        hedge.chosen,
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
