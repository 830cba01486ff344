"""What must hold after every history, by evidence alone: what was shown, tapped and answered, and what was ordered."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bot.storage.codec import plan_from_json
from tests.simulation.histories.world import ADA, Ordered, Seen, Told

D = Decimal
A_CARD_GIVES_FOR = timedelta(minutes=5)
LOTS = D("0.02")  # orders are rounded to lots
TICKS = D("1.001")
_CAPS = re.compile(r"Caps: \$([\d,.]+) an order, \$([\d,.]+) a day, (\d)x leverage")

Objections = Iterator[str]


@dataclass(frozen=True)
class Given:
    """A permission, with the caps of the card that gave it."""

    acts: str
    silence: str
    order: Decimal
    day: Decimal
    leverage: int


def no_order_above_the_rules_target(seen: Seen) -> Objections:
    """What opens leaves no more coverage than the rule wanted when it was sent."""
    for event in seen.events:
        if isinstance(event, Ordered) and event.opens:
            plan = plan_from_json(json.loads(seen.cards[event.client_id]["plan"]))
            if plan.target > event.target or plan.after.coverage > event.target + LOTS:
                yield (
                    f"step {event.step}: {event.client_id} opened up to {plan.after.coverage:.3f} for {plan.target}, "
                    f"the rule wants {event.target}"
                )


def nothing_without_a_tap_but_as_permitted(seen: Seen) -> Objections:
    """On the account that a card was given for, within the caps that it showed, while nothing is paused."""
    given: dict[int, Given] = {}
    spent: dict[int, tuple[str, Decimal]] = defaultdict(lambda: ("", D(0)))
    paused: datetime | bool = False
    used = 0
    for event in seen.events:
        if isinstance(event, Told):
            if event.user != ADA:
                continue
            if used and event.account != used and event.live:  # real money is in use from now on
                given.pop(event.account, None)
            used = event.account
            paused = _paused(paused, event)
            yield from _taken_or_given(given, event)
        elif json.loads(seen.cards[event.client_id]["outcome"]).get("auto"):
            yield from _beyond(given.get(event.account), spent, event, paused)


def every_tap_is_answered_once(seen: Seen) -> Objections:
    for event in seen.events:
        if isinstance(event, Told) and event.shown is not None and len(event.answers) != 1:
            yield f"step {event.step}: the tap on {event.words} was answered {len(event.answers)} times"


def nothing_fails_without_a_name(seen: Seen) -> Objections:
    yield from seen.unexpected
    for event in seen.events:
        if isinstance(event, Told):
            wrong = [text for text in (*event.answers, *event.said) if "Something went wrong" in text]
            yield from (f"step {event.step}: {event.words}: {text}" for text in wrong)


def _paused(paused: datetime | bool, event: Told) -> datetime | bool:
    """Only what is written lifts a pause, or its own end."""
    heading = event.said[-1] if event.said else ""
    match event.words:
        case "/pause" | "/panic":
            return True
        case "/pause 2h" if "Paused until" in heading:
            return event.at + timedelta(hours=2)
        case "/resume":
            return False
        case _:
            return paused


def _taken_or_given(given: dict[int, Given], event: Told) -> Objections:
    told = " ".join(event.answers)
    taken = event.words.startswith(("pm:ask:", "pm:give:")) and told.startswith("Taken back")
    wider = event.words.startswith("/permission ") and any("Wider caps" in text for text in event.said)
    if taken or wider:
        given.pop(event.account, None)
    elif event.words.startswith("/permission ") and event.account in given and event.said:
        before, caps = given[event.account], _CAPS.search(event.said[-1])
        if caps:  # narrower: they hold at once
            given[event.account] = Given(before.acts, before.silence, *_of(caps.groups()))
    elif event.words.startswith("pm:give:") and told.startswith("Given"):
        caps = _CAPS.search(event.shown.text) if event.shown else None
        if event.shown is None or caps is None:
            yield f"step {event.step}: {event.words} gave a permission without a card"
            return
        if event.at - event.shown.at >= A_CARD_GIVES_FOR:
            yield f"step {event.step}: a card of {event.shown.at} gave a permission at {event.at}"
        _, _, acts, silence, *_ = event.words.split(":")
        given[event.account] = Given(acts, silence, *_of(caps.groups()))


def _of(caps: tuple[str, ...]) -> tuple[Decimal, Decimal, int]:
    order, day, leverage = (part.replace(",", "") for part in caps)
    return D(order), D(day), int(leverage)


def _beyond(
    caps: Given | None,
    spent: dict[int, tuple[str, Decimal]],
    event: Ordered,
    paused: datetime | bool,
) -> Objections:
    where = f"step {event.step}: {event.client_id}"
    if caps is None:
        yield f"{where} was sent without a tap on account {event.account}, and nothing was permitted there"
        return
    if paused is True or (isinstance(paused, datetime) and event.at < paused):
        yield f"{where} was sent without a tap while everything was paused"
    if event.opens and caps.acts != "both" and caps.silence != "quarter":
        yield f"{where} opens, and {caps.acts} was permitted"
    if event.notional > caps.order * TICKS:
        yield f"{where} is worth {event.notional}, the card showed {caps.order} an order"
    day, so_far = spent[event.account]
    today = event.at.date().isoformat()
    so_far = so_far if today <= day else D(0)
    spent[event.account] = (max(day, today), so_far + event.notional)
    if so_far + event.notional > caps.day * TICKS:
        yield f"{where} makes it {so_far + event.notional} in a day, the card showed {caps.day}"
    if event.opens and event.leverage > caps.leverage:
        yield f"{where} has {event.leverage}x, the card showed {caps.leverage}x"


INVARIANTS: tuple[Callable[[Seen], Objections], ...] = (
    no_order_above_the_rules_target,
    nothing_without_a_tap_but_as_permitted,
    every_tap_is_answered_once,
    nothing_fails_without_a_name,
)


def violations(seen: Seen) -> list[str]:
    """Every objection, each with the name of its invariant."""
    return [f"{invariant.__name__}: {told}" for invariant in INVARIANTS for told in invariant(seen)]
