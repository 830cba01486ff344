"""The tables, declared as SQLModel classes; statements are written against their `Table`s. Rows stay in this room."""

from bot.storage.tables.base import metadata
from bot.storage.tables.books import KnownShort, PositionBook, PositionChange
from bot.storage.tables.desk import AccountLook, AlertSetting, Pace, Pause, Permission, Pin
from bot.storage.tables.inbox import InboxUpdate
from bot.storage.tables.market import Candle
from bot.storage.tables.people import Account, Effect, Holding, Invitation, Person, Rule
from bot.storage.tables.trading import LIVE_ATTEMPT, Attempt, Event, PaperAccount, PaperOrder, Proposal
from bot.storage.tables.vault import Credential, DataKey, KeyLook, MasterKey
from bot.storage.tables.watching import LIVE_ALERT, OWED, Alert, Memory, Outbox

people, holdings, rules = Person.table(), Holding.table(), Rule.table()
accounts, invitations = Account.table(), Invitation.table()
effects, inbox = Effect.table(), InboxUpdate.table()
proposals, attempts, events = Proposal.table(), Attempt.table(), Event.table()
paper_accounts, paper_orders = PaperAccount.table(), PaperOrder.table()
alerts, memories, outbox = Alert.table(), Memory.table(), Outbox.table()
candles, key_looks = Candle.table(), KeyLook.table()
alert_settings, looks = AlertSetting.table(), AccountLook.table()
permissions, pauses = Permission.table(), Pause.table()
paces, pins = Pace.table(), Pin.table()
position_books, known_shorts, position_changes = (
    PositionBook.table(),
    KnownShort.table(),
    PositionChange.table(),
)
master_keys, data_keys, credentials = MasterKey.table(), DataKey.table(), Credential.table()

__all__ = [
    "LIVE_ALERT",
    "LIVE_ATTEMPT",
    "OWED",
    "accounts",
    "alert_settings",
    "alerts",
    "attempts",
    "candles",
    "credentials",
    "data_keys",
    "effects",
    "events",
    "holdings",
    "inbox",
    "invitations",
    "key_looks",
    "known_shorts",
    "looks",
    "master_keys",
    "memories",
    "metadata",
    "outbox",
    "paces",
    "paper_accounts",
    "paper_orders",
    "pauses",
    "people",
    "permissions",
    "pins",
    "position_books",
    "position_changes",
    "proposals",
    "rules",
]
