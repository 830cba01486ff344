"""Everything the bot says, in English: one catalogue, so that another language is another catalogue.

Sentences are templates for `str.format`; the views put formatted and escaped values in. Here: commands, toasts and
what is said when something does not work. `cards`, `screens` and `checks` hold what stands on the screens.
"""

from bot.chat.texts import accounts
from bot.chat.texts.exchanges import TITLES
from bot.ports.errors import Contradicted, KeyRefused, KeyUnusable, NotWritable, PortError
from bot.services.errors import (
    AlertOver,
    CannotConnect,
    CannotDisconnect,
    CannotSwitch,
    NoHoldings,
    NotYours,
    ProposalGone,
    ServiceError,
    UnknownAssets,
)
from hedging.errors import BadInput, HedgingError, NotEnoughHistory, NothingToHedge

COMMANDS = {
    "start": "Begin here",
    "add": "Add coins: /add SOL 120",
    "remove": "Take coins out: /remove SOL",
    "portfolio": "What you hold and how exposed it is",
    "rule": "How much to protect, and how tightly",
    "hedge": "Propose a hedge",
    "unhedge": "Close the hedge",
    "status": "How the hedge is doing",
    "alerts": "Open alerts, quiet hours, summaries",
    "permission": "What I may do without asking",
    "pause": "Nothing without your tap",
    "resume": "Take the pause off",
    "panic": "Close all hedges, or hedge everything",
    "connect": "Connect an exchange",
    "accounts": "Your accounts, and which one is used",
    "disconnect": "Take an exchange's key back",
    "help": "All commands",
}

PONG = "pong"

# Toasts: at most 200 characters, no HTML.
NOT_YOURS = "This button belongs to somebody else's chat."
PRIVATE_ONLY = "I only work in private chats, because this is about your money. Write to me directly."
BUTTON_UNKNOWN = "This button is no longer in use. Send /status to see where things stand."
SENDING = "Sending your order…"
ALREADY_SENT = "Already confirmed: the order is on its way. It was sent once."
ALREADY_DONE = "Already done: this card has its outcome."
ALREADY_CANCELLED = "This card was cancelled. Nothing was traded."
ALREADY_REPLACED = "A newer card took the place of this one. Nothing was traded by this one."
EXPIRED = "This card has expired: nothing was traded. Prices are read again on the new one."
NO_PRICE_NOW = "A price is missing just now, so nothing was sent. Please look at the card."
TAP_LATE = "Your tap reached me late, so I sent nothing. Please look at this card and tap again."
AT_TARGET = "Already at your target. There is nothing to trade."
CANCELLED = "Cancelled. Nothing was traded."
SAVED = "Saved: {what}."
SNOOZED = "Quiet for {hours} hours (market time)."
SNOOZED_HOUR = "Quiet for an hour (market time)."
SNOOZED_MORNING = "Quiet until the morning."
SEEN = "Noted: I shall not remind you of this one unless it gets worse."
KEPT = "The hedge stays as it is. I ask again in 7 days."
MUTED = "No more alerts of this kind: {kind}. Urgent ones still come. /alerts changes it."
ALERT_OVER = "This alert is over already."

# What went wrong.
FAILED = (
    "Something went wrong on my side, noted as {reference}. Nothing is lost: /status shows how you stand."
)
TOOK_TOO_LONG = (
    "This took too long, so I stopped waiting. /status shows where things stand; please try again."
)
AWAY = "I cannot read the market right now. Please try again in a minute; /status shows where things stand."
NOT_WRITABLE = (
    "I cannot write anything down right now, so I left everything as it was. "
    "Please try again in a few minutes."
)
NO_HOLDINGS = "You have not told me yet what you hold. Write for example: SOL 120"
UNKNOWN_ASSETS = "I know no price for {names}, so nothing was changed. Please check the spelling."
CARD_GONE = "This card is not known any more. Send /hedge for a new one."
NOT_ENOUGH_HISTORY = (
    "There is too little price history to measure how these coins move, so I propose no hedge."
)
NOTHING_TO_HEDGE = (
    "You hold nothing that a short could protect. Add coins with a price, for example: /add SOL 120"
)
NO_HEDGE_OPEN = "No hedge is open, so there is nothing to close. /hedge proposes one."
CONTRADICTED = (
    "The exchange tells two different things about your positions just now, so I plan nothing on them. Please try "
    "again in half a minute."
)
A_LOT = "One moment, I have {number} of your messages. I do them all, and answer the last ones."
TOO_MUCH = "That was a lot at once. Please wait {seconds} s and try again."
UNKNOWN_COMMAND = "I do not know this command. /help lists what I can do."
NOT_UNDERSTOOD = (
    "I did not understand that. To add coins, write for example: SOL 120, ETH 1.5. /help lists the rest."
)
ONLY_TEXT = "I can only read text. To add coins, write for example: SOL 120"
RULE_NOT_UNDERSTOOD = "I did not understand that rule. Write for example: /rule 75% 2x band 10"
SECRET_DELETED = "That looked like a secret key, so I deleted it."
SECRET_NOT_DELETED = "That looked like a secret key. Please delete the message."
SECRET_ROTATE = (
    "Treat it as stolen: make a new key, or move your funds, now. I ask for an exchange's key only after /connect, and "
    "never for a seed phrase."
)


def sentence(failure: ServiceError | HedgingError | PortError) -> str:
    """One clear sentence for a failure that has a name."""
    match failure:
        case NoHoldings():
            return NO_HOLDINGS
        case UnknownAssets():
            return UNKNOWN_ASSETS.format(names=", ".join(failure.names))
        case NotYours():
            return NOT_YOURS
        case ProposalGone():
            return CARD_GONE
        case NotEnoughHistory():
            return NOT_ENOUGH_HISTORY
        case NothingToHedge():
            return NOTHING_TO_HEDGE
        case BadInput():
            return str(failure)
        case CannotConnect():
            heading, body = accounts.FAILED[failure.why]
            return f"{heading}. {body}".format(title=_title(failure.exchange), mode="", tick="")
        case CannotSwitch():
            return accounts.CANNOT_SWITCH[failure.why].format(title=_title(failure.exchange))
        case CannotDisconnect():
            return accounts.CANNOT_DISCONNECT[failure.why].format(title=_title(failure.exchange))
        case AlertOver():
            return ALERT_OVER
        case NotWritable():
            return NOT_WRITABLE
        case Contradicted():
            return CONTRADICTED
        case KeyRefused():
            return accounts.KEY_REFUSED
        case KeyUnusable():
            return accounts.KEY_UNUSABLE[failure.why]
        case _:
            return AWAY


def _title(exchange: str) -> str:
    return TITLES.get(exchange, exchange)
