"""Which message shows what somebody's pinned status says."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.records import OutboxItem
from bot.storage.tables import pins


async def note_shown(
    connection: AsyncConnection, item: OutboxItem, state: str, message_id: int | None
) -> OutboxItem | None:
    """Remember what became of `item`; what is owed then: that a new message is put at the top of the chat. One that was
    dropped has no message any more, unless a later one is owed already."""
    its = pins.c.user_id == item.user_id
    if state == "dropped":
        latest = pins.c.version == item.payload.get("version")
        await connection.execute(update(pins).where(its, latest).values(message_id=None))
    if state != "sent" or message_id is None:
        return None
    await connection.execute(update(pins).where(its, pins.c.wanted).values(message_id=message_id))
    if message_id == item.edit:
        return None
    return OutboxItem(
        key=f"pin:{item.chat_id}:{message_id}",
        user_id=item.user_id,
        chat_id=item.chat_id,
        kind="pin",
        payload={},
        created_at=item.created_at,
        edit=message_id,
        silent=True,
    )
