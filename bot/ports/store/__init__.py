"""What is remembered. Every method is one transaction; no exchange is called inside one.

Mutations that an update or a tap causes carry a `key`: done twice with the same key, they take effect once and hand
back what the first time gave.
"""

from typing import Protocol

from bot.ports.books import BookStore
from bot.ports.permissions import PermissionStore
from bot.ports.store.alerts import AlertChange, AlertStore, Watched
from bot.ports.store.candles import CandleChunk, CandleStore
from bot.ports.store.keys import KeyStore
from bot.ports.store.ledger import LedgerStore
from bot.ports.store.outbox import OutboxStore
from bot.ports.store.paper import PaperStore
from bot.ports.store.people import Changed, HoldingChange, PeopleStore
from bot.ports.store.proposals import ProposalStore
from bot.ports.store.updates import TakenUpdate, UpdateStore
from bot.ports.watching import PaceStore, WatchStore

__all__ = [
    "AlertChange",
    "AlertStore",
    "CandleChunk",
    "CandleStore",
    "Changed",
    "HoldingChange",
    "KeyStore",
    "LedgerStore",
    "OutboxStore",
    "PaperStore",
    "PeopleStore",
    "ProposalStore",
    "Store",
    "TakenUpdate",
    "UpdateStore",
    "Watched",
]


class Store(
    PeopleStore,
    KeyStore,
    UpdateStore,
    ProposalStore,
    PermissionStore,
    LedgerStore,
    AlertStore,
    OutboxStore,
    PaperStore,
    CandleStore,
    WatchStore,
    PaceStore,
    BookStore,
    Protocol,
):
    """All of it, over one database."""

    async def ping(self) -> None:
        """Raises Unavailable when the database cannot be read."""
        ...

    async def close(self) -> None: ...
