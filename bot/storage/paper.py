"""The state of paper accounts, opaque here: saved whole, over exactly the version that was read."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from bot.ports.errors import StaleVersion
from bot.storage.database import Database
from bot.storage.tables import paper_accounts, paper_orders


class PaperTables:
    """bot.ports.store.PaperStore."""

    _database: Database

    async def paper_account(self, account_id: int) -> tuple[Mapping[str, Any], int] | None:
        its = select(paper_accounts.c.state, paper_accounts.c.version).where(
            paper_accounts.c.account_id == account_id
        )
        async with self._database.read() as connection:
            row = (await connection.execute(its)).one_or_none()
        return None if row is None else (row.state, row.version)

    async def save_paper(
        self,
        account_id: int,
        state: Mapping[str, Any],
        *,
        version: int,
        order: tuple[str, str, Mapping[str, Any]] | None = None,
    ) -> None:
        its = (paper_accounts.c.account_id == account_id, paper_accounts.c.version == version)
        new = {"state": dict(state), "version": version + 1}
        async with self._database.write() as connection:
            if version == 0:
                insert = self._database.insert(paper_accounts).values(account_id=account_id, **new)
                saved = await connection.execute(
                    insert.on_conflict_do_nothing().returning(paper_accounts.c.version)
                )
            else:
                move = update(paper_accounts).where(*its).values(new)
                saved = await connection.execute(move.returning(paper_accounts.c.version))
            if saved.one_or_none() is None:
                raise StaleVersion(f"Paper account {account_id} has moved on from version {version}.")
            if order is not None:
                client_id, symbol, report = order
                row = {
                    "account_id": account_id,
                    "client_id": client_id,
                    "symbol": symbol,
                    "report": dict(report),
                }
                keep = self._database.insert(paper_orders).values(row).on_conflict_do_nothing()
                if (await connection.execute(keep.returning(paper_orders.c.client_id))).one_or_none() is None:
                    raise StaleVersion(f"Paper account {account_id} has an order {client_id} already.")

    async def paper_order(self, account_id: int, client_id: str) -> Mapping[str, Any] | None:
        its = (paper_orders.c.account_id == account_id, paper_orders.c.client_id == client_id)
        async with self._database.read() as connection:
            row = (await connection.execute(select(paper_orders.c.report).where(*its))).one_or_none()
        return None if row is None else row.report
