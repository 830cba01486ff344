"""Every screen with data to look at it by: the golden files are made of these, and the pictures in a reader's mind."""

from bot.chat import texts
from bot.chat.views.message import Message
from bot.chat.views.plain import sentence
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
    "a_lot": sentence(texts.A_LOT.format(number=40)),
    "too_much": sentence(texts.TOO_MUCH.format(seconds=4)),
}
