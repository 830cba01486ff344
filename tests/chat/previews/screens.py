"""Every screen with data to look at it by: the golden files are made of these, and the pictures in a reader's mind."""

from bot.chat.views.message import Message
from tests.chat.previews import accounts, alerts, cards, drift, holdings, permission, positions, status

SCREENS: dict[str, Message] = {
    **holdings.SCREENS,
    **cards.SCREENS,
    **positions.SCREENS,
    **drift.SCREENS,
    **alerts.SCREENS,
    **permission.SCREENS,
    **status.SCREENS,
    **accounts.SCREENS,
}
