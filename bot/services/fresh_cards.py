"""The fresh card in the place of a receipt: of a card that was not sent, because its owner's position had changed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.ports.records import OutboxItem, ProposalState
from bot.ports.store import Store


class FreshCards:
    """Prepares such receipts: the view is handed the cards themselves. Others go on to `prepare`."""

    def __init__(self, store: Store, prepare: Callable[[OutboxItem], Awaitable[OutboxItem | None]]) -> None:
        self._store = store
        self._prepare = prepare

    async def prepare(self, item: OutboxItem) -> OutboxItem | None:
        if item.kind != "receipt" or not item.payload.get("fresh"):
            return await self._prepare(item)
        fresh = await self._store.proposal(item.payload["fresh"])
        earlier = await self._store.proposal(item.payload["proposal_id"])
        account = await self._store.account(fresh.account_id) if fresh is not None else None
        if fresh is None or fresh.state is not ProposalState.OPEN or account is None:
            return item  # it was tapped or replaced meanwhile: the plain receipt says why nothing was sent
        return replace(item, payload={**item.payload, "cards": (fresh, earlier, account)})
