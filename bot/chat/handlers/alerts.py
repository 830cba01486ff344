"""/alerts, and the buttons of alerts beside their remedy."""

from datetime import datetime
from decimal import Decimal

from bot.chat import texts
from bot.chat.parsing.alerts import AlertsEdit, parse_alerts
from bot.chat.texts import alerts as words
from bot.chat.turn import Turn, UnknownButton, number
from bot.chat.views import alert as alert_views
from bot.chat.views import alerts as views
from bot.ports.records import Alert, AlertState
from bot.services.alerts import Edge
from bot.services.desk.kinds import KINDS
from hedging.errors import BadInput


async def alerts(turn: Turn) -> None:
    """The list, changed first where the command says how."""
    if turn.text:
        edit = parse_alerts(turn.text)
        if edit is None:
            await turn.refuse(words.NOT_UNDERSTOOD)
            return
        await _change(turn, edit)
    await turn.services.watch.look(turn.user_id)  # what is over meanwhile is not listed
    await turn.say(views.alerts(await turn.services.alerts.view(turn.user_id)))


async def tapped(turn: Turn) -> None:
    """`al:<what>:<alert, kind or choice>`."""
    what, which = turn.carried(2)
    match what:
        case "more" | "back":
            shown = await turn.services.alerts.shown(number(which), turn.user_id)
            await turn.show(alert_views.alert(shown, more=what == "more"))
        case "seen" | "1h" | "am" | "mute":
            await _about_one(turn, what, number(which))
        case "quiet" | "day" | "pin" if which in ("on", "off"):
            await _switch(turn, what, on=which == "on")
        case "km" | "ku":  # what it says, however old the button is
            await _mute(turn, which, on=what == "km")
        case "mutes":
            settings = (await turn.services.alerts.view(turn.user_id)).settings
            await turn.show(views.muting(settings))
        case "list":
            await turn.services.watch.look(turn.user_id)
            shown_list = views.alerts(await turn.services.alerts.view(turn.user_id))
            await (turn.show(shown_list) if which == "0" else turn.say(shown_list))
        case _:
            raise UnknownButton(what)


async def keep(turn: Turn) -> None:
    """The hedge stays for a week."""
    kept = await turn.services.alerts.keep(number(*turn.carried(1)), turn.user_id)
    await turn.toast(texts.ALERT_OVER if kept.state is AlertState.RECOVERED else texts.KEPT)


async def _about_one(turn: Turn, what: str, alert_id: int) -> None:
    service = turn.services.alerts
    match what:
        case "seen":
            alert, said = await service.acknowledge(alert_id, turn.user_id), texts.SEEN
        case "1h":
            alert, said = await service.snooze(alert_id, turn.user_id, 1), texts.SNOOZED_HOUR
        case "am":
            alert, said = await service.snooze_until_morning(alert_id, turn.user_id), texts.SNOOZED_MORNING
        case _:
            alert, _ = await service.mute_like(alert_id, turn.user_id)
            said = texts.MUTED.format(kind=words.KINDS[alert.kind])
    await turn.toast(texts.ALERT_OVER if alert.state is AlertState.RECOVERED else said)
    await _show_again(turn, alert)


async def _show_again(turn: Turn, alert: Alert) -> None:
    """The message of an open alert, with its usual buttons."""
    if alert.state is not AlertState.RECOVERED:
        shown = await turn.services.alerts.shown(alert.id, turn.user_id)
        await turn.show(alert_views.alert(shown))


async def _switch(turn: Turn, what: str, *, on: bool) -> None:
    service = turn.services.alerts
    if what == "quiet":
        begin, end = views.USUAL_NIGHT if on else (None, None)
        await service.quiet(turn.user_id, begin, end)
    elif what == "pin":
        await service.pinned.switch(turn.user_id, on=on)
    else:
        await service.summary_at(turn.user_id, views.USUAL_SUMMARY if on else None)
    await turn.show(views.alerts(await service.view(turn.user_id)))


async def _mute(turn: Turn, kind: str, *, on: bool) -> None:
    if kind not in views.MUTABLE:
        raise UnknownButton(kind)
    await turn.show(views.muting(await turn.services.alerts.mute(turn.user_id, kind, on=on)))


async def _change(turn: Turn, edit: AlertsEdit) -> None:
    service, user = turn.services.alerts, turn.user_id
    match edit.what:
        case "zone":
            await service.zone(user, edit.text)
        case "quiet":
            await service.quiet(user, *(edit.minutes or (None, None)))
        case "summary":
            await service.summary_at(user, edit.minutes[0] if edit.minutes else None)
        case "cap":
            await service.cap(user, int(edit.value) if isinstance(edit.value, Decimal) else 0)
        case "mute" | "unmute":
            await service.mute(user, _kind(edit.text), on=edit.what == "mute")
        case "pinned":
            await service.pinned.switch(user, on=edit.text == "on")
        case "end":
            await service.end(user, None)
        case _:
            await _agree(turn, edit.what, edit)


async def _agree(turn: Turn, edge: Edge, edit: AlertsEdit) -> None:
    """Upon a way out. A coin must be one that is known."""
    if edge in ("above", "below") and edit.text not in await turn.services.portfolio.known_assets(
        turn.user_id
    ):
        raise BadInput(f"I know no coin {edit.text[:20]}.")
    value = edit.value if isinstance(edit.value, datetime) else str(edit.value)
    asset = edit.text if edge in ("above", "below") else ""
    await turn.services.alerts.end(turn.user_id, edge, value, asset)


def _kind(text: str) -> str:
    """A kind by its name or by what it is called."""
    for kind in KINDS:
        if text in (kind, kind.replace("_", " "), words.KINDS[kind]):
            return kind
    names = ", ".join(words.KINDS[kind] for kind in views.MUTABLE)
    raise BadInput(f"I know no such alert. There are: {names}.")
