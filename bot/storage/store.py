"""The store of the ports, put together from one part a kind of record."""

from sqlalchemy import select

from bot.storage.books import BookTables
from bot.storage.candles import CandleTables
from bot.storage.database import Database
from bot.storage.keys import KeyTables
from bot.storage.ledger import LedgerTables
from bot.storage.outbox import OutboxTables
from bot.storage.paper import PaperTables
from bot.storage.people import PeopleTables
from bot.storage.permissions import PermissionTables
from bot.storage.proposals import ProposalTables
from bot.storage.rules import RuleTables
from bot.storage.tables import people
from bot.storage.updates import UpdateTables
from bot.storage.vault.envelope import Envelope
from bot.storage.watch.alerts import AlertTables
from bot.storage.watch.crowd import CrowdTables
from bot.storage.watch.desk import DeskTables
from bot.storage.watch.pace import PaceTables
from bot.storage.watch.pins import PinTables


class SqlStore(
    PeopleTables,
    RuleTables,
    PermissionTables,
    KeyTables,
    UpdateTables,
    ProposalTables,
    LedgerTables,
    AlertTables,
    OutboxTables,
    PaperTables,
    CandleTables,
    CrowdTables,
    DeskTables,
    PaceTables,
    PinTables,
    BookTables,
):
    """bot.ports.store.Store over SQLite or PostgreSQL.

    Every method is one transaction, or a read that needs none. Besides what the port names, each may raise Unavailable
    (nothing was changed, unless the connection broke in the middle of a commit) and InvalidRecord.
    """

    def __init__(self, database: Database, token: str = "") -> None:
        self._database = database
        self._envelope = Envelope(token)

    async def ping(self) -> None:
        async with self._database.read() as connection:
            await connection.execute(select(people.c.id).limit(1))

    async def close(self) -> None:
        await self._database.close()


def open_store(database: str, *, token: str = "") -> SqlStore:
    """The store at an address such as Settings.database. Nothing is connected before the first use. `token`: the bot's,
    under which updates that wait are sealed; without it nobody can read them after this process."""
    return SqlStore(Database(database), token)
