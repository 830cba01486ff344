"""/status and its buttons, and the buttons of alerts."""

from bot.chat import texts
from bot.chat.handlers.hedge import conclude, unhedge
from bot.chat.turn import Turn, UnknownButton, number
from bot.chat.views import alert as alert_view
from bot.chat.views.status import status as screen
from bot.ports.records import AlertState
from bot.services.errors import AlertOver

_SNOOZE_HOURS = 4


async def status(turn: Turn) -> None:
    view = await turn.services.status.view(turn.user_id)
    await turn.say(screen(view))
    await turn.services.alerts.pinned.asked(view)


async def tapped(turn: Turn) -> None:
    match turn.carried(1):
        case ("refresh",):
            await turn.show(screen(await turn.services.status.view(turn.user_id)))
        case ("show",):
            await status(turn)
        case ("close",):
            await unhedge(turn)
        case _:
            raise UnknownButton(turn.tap.data if turn.tap else "")


async def rebalance(turn: Turn) -> None:
    """The remedy that the alert named: this tap confirms it."""
    if turn.tap is None:
        return
    parts = turn.tap.data.split(":")[1:]
    alert_id, remedy = turn.carried(len(parts)) if len(parts) == 2 else (*turn.carried(1), "")
    try:
        done = await turn.services.hedge.rebalance(
            number(alert_id),
            turn.user_id,
            turn.chat_id,
            turn.tap.message_id,
            key=turn.key,
            remedy=remedy,
            waited=turn.tap.waited,
        )
    except AlertOver as over:
        await turn.hint(texts.ALERT_OVER, alert=True)
        await turn.show(alert_view.recovered(await turn.services.alerts.told(over.alert_id, turn.user_id)))
        return
    await conclude(turn, done)


async def snooze(turn: Turn) -> None:
    alert = await turn.services.alerts.snooze(number(*turn.carried(1)), turn.user_id, _SNOOZE_HOURS)
    over = alert.state is AlertState.RECOVERED
    await turn.toast(texts.ALERT_OVER if over else texts.SNOOZED.format(hours=_SNOOZE_HOURS))


async def details(turn: Turn) -> None:
    _, view = await turn.services.alerts.details(number(*turn.carried(1)), turn.user_id)
    await turn.say(screen(view))
