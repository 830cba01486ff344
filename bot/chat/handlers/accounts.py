"""/accounts, /disconnect and their buttons."""

from bot.chat.texts import accounts as t
from bot.chat.texts import words as misread
from bot.chat.turn import Turn, UnknownButton, number
from bot.chat.views.accounts import overview as views
from bot.chat.views.accounts.badge import short_badge
from bot.chat.views.plain import sentence


async def accounts(turn: Turn) -> None:
    await turn.say(views.accounts(await turn.services.accounts.list(turn.user_id)))


async def disconnect(turn: Turn) -> None:
    """Ask about the one account that is connected, or which of several; `/disconnect bybit` names it."""
    found = await turn.services.accounts.connected(turn.user_id)
    words = turn.text.lower().split()
    named = [one for one in found if words in ([one.exchange], [one.exchange, one.mode])]
    chosen = named or found
    if words and not named:
        await turn.refuse(misread.DISCONNECT)
    elif not chosen:
        await turn.say(sentence(t.NONE_CONNECTED))
    elif len(chosen) == 1:
        line = await turn.services.accounts.line(turn.user_id, chosen[0].id)
        await turn.say(views.leaving(line))
    else:
        await turn.say(views.which(chosen))


async def tapped(turn: Turn) -> None:
    service = turn.services.accounts
    match turn.tap.data.split(":")[1:] if turn.tap else []:
        case ["list"]:
            await accounts(turn)
        case ["refresh"]:
            await turn.show(views.accounts(await service.list(turn.user_id)))
        case ["stay"]:
            await turn.show(views.stayed(await service.in_use(turn.user_id)))
        case ["use", account]:
            used = await service.use(turn.user_id, number(account))
            await turn.toast(t.NOW_USED.format(badge=short_badge(used)))
            await turn.show(views.accounts(await service.list(turn.user_id)))
        case ["out", account]:
            await turn.show(views.leaving(await service.line(turn.user_id, number(account))))
        case ["keep", account]:
            await turn.show(views.kept(await service.own(turn.user_id, number(account))))
        case ["gone", account, key]:
            await _leave(turn, number(account), number(key))
        case ["gone", account]:  # a button of before: it asks again
            await _leave(turn, number(account), -1)
        case _:
            raise UnknownButton(turn.tap.data if turn.tap else "")


async def _leave(turn: Turn, account_id: int, key: int) -> None:
    """Forgets the key that was asked about; one that was connected since is asked about anew."""
    line = await turn.services.accounts.line(turn.user_id, account_id)
    if line.account.key_number != key:
        await turn.show(views.leaving(line))
        return
    gone = await turn.services.accounts.disconnect(turn.user_id, account_id)
    current = await turn.services.accounts.in_use(turn.user_id)
    await turn.show(views.left(gone, current, open_there=bool(line.shorts)))
