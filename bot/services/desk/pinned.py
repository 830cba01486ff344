"""One message at the top of each chat says how its owner stands: when it is owed anew, and what it says then.

It is put there once. Who takes it away from the top has it edited where it is; who deletes it gets another one when
something has happened.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.ports.clock import Clock
from bot.ports.records import Alert, AlertState, OutboxItem, User
from bot.ports.store import Store
from bot.ports.watching import Pin
from bot.services.desk.desk import line_of
from bot.services.desk.kinds import severity_of
from bot.services.desk.policy import Event
from bot.services.results import Results
from bot.services.status import StatusView

PINNED, UNPIN = "pinned", "unpin"
CALM = timedelta(minutes=10)  # figures that have moved are not told more often
QUIET = frozenset((AlertState.MUTED, AlertState.SNOOZED, AlertState.RECOVERED))
MOST_SWITCHES = 3  # of one switch, when others write at the same time

Look = Literal["hedged", "open", "away"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands. `state`: what is told at once when it changes; `figures`: what may wait; `facts`: for the
    view, JSON-able."""

    look: Look
    state: str
    figures: str
    facts: Mapping[str, Any]


def state_of(look: Look, alerts: Iterable[Alert]) -> str:
    """What a holder would want to know of at once. What they have put off or muted is not."""
    named = sorted(f"{a.kind}:{a.subject}:{a.level}" for a in alerts if a.state not in QUIET)
    return " ".join([look, *named])


def figures_of(coverage: float, value: float, equity: float) -> str:
    """As rough as a holder looks at them."""
    return f"{coverage:.0%} {value:.3g} {equity:.3g}"


def due(pin: Pin, state: str, now: datetime) -> bool:
    """Whether the message may be owed at wall time `now`, should its figures have changed."""
    rested = pin.told_at is None or now - pin.told_at >= CALM
    if not pin.wanted or pin.message_id is None:  # the first one may be on its way
        return pin.wanted and rested and state != pin.state and state.startswith("hedged")
    return rested or state != pin.state


def owed(pin: Pin, chat_id: int, standing: Standing, now: datetime) -> tuple[Pin, OutboxItem] | None:
    """The pin as it says that, and the message that is owed for it; None when it says so already."""
    state, figures = standing.state, standing.figures
    if not due(pin, state, now) or (state, figures) == (pin.state, pin.figures):
        return None
    told = replace(pin, state=state, figures=figures, told_at=now, version=pin.version + 1)
    payload = {
        **standing.facts,
        "look": standing.look,
        "version": told.version,
        "only_edit": pin.state == state,
    }
    item = OutboxItem(
        key=f"{PINNED}:{pin.user_id}:{told.version}",
        user_id=pin.user_id,
        chat_id=chat_id,
        kind=PINNED,
        payload=payload,
        created_at=now,
        edit=pin.message_id,
        silent=True,
    )
    return told, item


async def prepared(store: Store, results: Results, item: OutboxItem) -> OutboxItem | None:
    """With what must be fresh. None when a later one is owed, or nobody wants it any more."""
    if item.payload["look"] == "off":
        return item
    pin = await store.pin(item.user_id)
    if not pin.wanted or pin.version != item.payload["version"]:
        return None
    settings = (await store.alert_settings([item.user_id]))[item.user_id]
    told: dict[str, Any] = {"zone": settings.zone}
    if item.payload["look"] == "hedged":
        made = await results.at_a_glance(item.user_id)
        if made is not None:
            told["hedge_pnl"] = str(made)
        told["until"] = settings.exits.get("until")
        live = [a for a in await store.live_alerts(item.user_id) if a.state not in QUIET]
        live.sort(key=lambda a: (-severity_of(a), a.raised_at, a.id))
        if live:
            told |= {"alert": line_of(live[0], Event.GOES_ON)["facts"], "more": len(live) - 1}
    return replace(item, edit=pin.message_id, payload={**item.payload, **told})


class Pinned:
    """What its reader does about it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def wanted(self, user_id: int) -> bool:
        return (await self._store.pin(user_id)).wanted

    async def asked(self, view: StatusView) -> None:
        """Its reader has asked how they stand: who has a hedge and no such message gets one."""
        shorts = [line for line in view.positions if line.side == "short"]
        pin, user = await self._store.pin(view.user_id), await self._store.user(view.user_id)
        if user is None or not shorts or pin.message_id is not None:
            return
        told = owed(replace(pin, state=""), user.chat_id, _standing(view), self._clock.now())
        if told is not None:
            await self._store.save_pins([told[0]], [told[1]])

    async def switch(self, user_id: int, *, on: bool) -> None:
        """Keep such a message from now on, or none: the last one is let go, and says so."""
        user = await self._store.user(user_id)
        for _ in range(MOST_SWITCHES):
            pin = await self._store.pin(user_id)
            if user is None or pin.wanted == on:
                return
            new = Pin(user_id, wanted=on, version=pin.version + 1)
            farewell = self._farewell(user, pin) if pin.message_id is not None else []
            if await self._store.save_pins([new], farewell, keeps_message=False):
                return

    def _farewell(self, user: User, pin: Pin) -> list[OutboxItem]:
        last = OutboxItem(
            key=f"{PINNED}:{user.id}:{pin.version + 1}",
            user_id=user.id,
            chat_id=user.chat_id,
            kind=PINNED,
            payload={"look": "off", "version": pin.version + 1, "only_edit": True},
            created_at=self._clock.now(),
            edit=pin.message_id,
            silent=True,
        )
        down = replace(last, key=f"{UNPIN}:{user.id}:{pin.message_id}", kind=UNPIN, payload={})
        return [last, down]


def _standing(view: StatusView) -> Standing:
    coverage, value, equity = float(view.exposure.coverage), float(view.value), float(view.equity)
    facts = {
        "coverage": coverage,
        "target": float(view.rule.target),
        "value": value,
        "equity": equity,
        "exchange": view.account.exchange,
        "mode": view.account.mode,
        "at": view.market_time.isoformat(),
    }
    return Standing("hedged", state_of("hedged", view.alerts), figures_of(coverage, value, equity), facts)
