"""Accounts without money."""

from collections.abc import Mapping
from typing import Any, Protocol


class PaperStore(Protocol):
    """State of paper accounts, opaque here: JSON-able mappings."""

    async def paper_account(self, account_id: int) -> tuple[Mapping[str, Any], int] | None:
        """State and version, or None when it was never saved."""
        ...

    async def save_paper(
        self,
        account_id: int,
        state: Mapping[str, Any],
        *,
        version: int,
        order: tuple[str, str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Save over exactly `version` (0: never saved) and, in the same transaction, insert the order
        (client id, symbol, report). Raises StaleVersion for another version or a client id that is known."""
        ...

    async def paper_order(self, account_id: int, client_id: str) -> Mapping[str, Any] | None: ...
