"""What must hold after every run, however it went: one function an invariant, each a list of objections.

They read evidence alone (tests.simulation.evidence), so that a simulated run and one of real
processes are judged alike.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from hedging.plan import digest
from tests.simulation.evidence import Booked, Card, Evidence, Try

OURS = "hh"  # what our ids on orders begin with
LIVE = frozenset({"reserved", "sending", "acked", "partial", "unknown", "reconciling"})
ENDS = frozenset({"filled", "cancelled", "rejected", "absent", "manual"})
CARD_ENDS = frozenset({"done", "cancelled", "superseded", "expired"})
A_TAP_LASTS = timedelta(minutes=2)
A_HANDLER_TAKES = timedelta(
    seconds=60
)  # at most: a tap in time counts, and the market is read before it is taken
A_WHILE = timedelta(minutes=5)  # in which a trade by hand may cross an order
UNDER_WAY = timedelta(seconds=30)  # an order at most, after it was sent

Objections = Iterator[str]


def at_most_one_live_attempt_per_intent(seen: Evidence) -> Objections:
    """An intent is one leg of one card; and no account and symbol has two at once."""
    tries = {one.client_id: one for one in seen.tries}
    live: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for line in seen.journal:
        if line.subject != "attempt":
            continue
        one = tries[line.id]
        for place in (("leg", one.card, one.leg), ("symbol", one.account, one.symbol)):
            (live[place].add if line.state in LIVE else live[place].discard)(line.id)
            if len(live[place]) > 1:
                yield f"{place} has {len(live[place])} live attempts when {line.id} is {line.state}"


def a_new_attempt_only_after_proven_absence(seen: Evidence) -> Objections:
    """Number n + 1 of a leg is reserved only when number n is known never to have arrived."""
    by_place = {(one.card, one.leg, one.number): one for one in seen.tries}
    for (card, leg, number), one in by_place.items():
        if number == 0:
            continue
        before = by_place.get((card, leg, number - 1))
        if before is None or before.state != "absent":
            yield f"{one.client_id} is number {number}, and the one before is {before and before.state}"
            continue
        absent = next(line for line in seen.history("attempt", before.client_id) if line.state == "absent")
        if absent.number > seen.history("attempt", one.client_id)[0].number:
            yield f"{one.client_id} was reserved before {before.client_id} was absent"


def no_order_twice(seen: Evidence) -> Objections:
    """On the exchange: each of our ids once, and one order an intent."""
    ids: dict[str, int] = defaultdict(int)
    intents: dict[tuple[str, int], list[str]] = defaultdict(list)
    tries = {one.client_id: one for one in seen.tries}
    for order in _ours(seen):
        ids[order.client_id] += 1
        if order.client_id in tries:
            one = tries[order.client_id]
            intents[one.card, one.leg].append(order.client_id)
    yield from (f"{client_id} is in the book {n} times" for client_id, n in ids.items() if n > 1)
    for (card, leg), sent in intents.items():
        if len(sent) > 1:
            yield f"leg {leg} of {card} has {len(sent)} orders in the book: {sent}"


def fills_never_exceed_what_was_confirmed(seen: Evidence) -> Objections:
    """Neither of an order, nor of the parts of a leg together."""
    tries = {one.client_id: one for one in seen.tries}
    filled: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for order in _ours(seen):
        if order.client_id in tries:
            one = tries[order.client_id]
            filled[one.card, one.leg] += order.filled
    for card in seen.cards:
        whole: dict[int, Decimal] = defaultdict(Decimal)
        for place, (leg, contracts) in enumerate(_parts(card)):
            whole[leg] += filled[card.id, place]
            if filled[card.id, place] > contracts:
                yield f"order {place} of {card.id} was of {contracts}, {filled[card.id, place]} were filled"
        for leg, shown in enumerate(card.plan.legs):
            if whole[leg] > shown.contracts:
                yield f"{card.id} showed {shown.contracts} {shown.symbol}, {whole[leg]} were filled"


def an_opening_order_starts_from_its_plan(seen: Evidence) -> Objections:
    """It meets the position that its plan started from, and what earlier orders of its card made of it; by its own read
    before it was sent, and in the exchange's book, unless somebody traded there within the last minutes."""
    tries = {one.client_id: one for one in seen.tries}
    cards = {card.id: card for card in seen.cards}
    done: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    moved: dict[tuple[int, str], datetime] = {}
    for order in seen.book:
        one = tries.get(order.client_id)
        if one is None or order.forced or one.card not in cards:
            moved[order.user, order.symbol] = order.time
            continue
        leg = cards[one.card].plan.legs[_parts(cards[one.card])[one.leg][0]]
        wanted = leg.position_before + done[one.card, one.symbol]
        done[one.card, one.symbol] += order.signed
        if one.reduce_only:
            continue
        if one.position_before != wanted:
            yield f"{one.client_id} was planned on {wanted} and sent on {one.position_before}"
        quiet = order.time - moved.get((order.user, order.symbol), order.time - A_WHILE) >= A_WHILE
        if quiet and min(order.position_before, Decimal(0)) != wanted:
            yield f"{one.client_id} was planned on {wanted} and met {order.position_before}"


def no_order_without_its_owners_tap(seen: Evidence) -> Objections:
    """Tapped by its owner, in their chat, before it expired, or within a standing permission; and what was sent is what
    was shown."""
    tries = {one.client_id: one for one in seen.tries}
    cards = {card.id: card for card in seen.cards}
    for order in _ours(seen):
        one = tries.get(order.client_id)
        card = cards.get(one.card) if one else None
        if one is None or card is None:
            yield f"the order {order.client_id} is not in the ledger"
            continue
        yield from (f"{order.client_id}: {why}" for why in _unwanted(seen, order, one, card))


def _unwanted(seen: Evidence, order: Booked, one: Try, card: Card) -> Objections:
    if card.user != order.user or seen.accounts.get(card.account) != card.user:
        yield f"it is in the account of {order.user}, the card is of {card.user}"
    if card.confirmed_at is None:
        yield f"{card.id} was never confirmed"
        return
    if card.confirmed_at >= card.expires_at + A_HANDLER_TAKES:
        yield f"{card.id} had expired at {card.expires_at}, and was confirmed at {card.confirmed_at}"
    if card.outcome.get("auto"):
        yield from _beyond_permission(seen, card)
    elif not any(
        (tap.user, tap.chat) == (card.user, card.chat)
        and tap.at <= card.confirmed_at
        and tap.at < card.expires_at
        and (tap.data == f"ok:{card.id}" or (tap.data.startswith("rb:") and tap.data.endswith(f":{card.id}")))
        for tap in seen.taps
    ):
        yield f"its owner never tapped {card.id} in time"
    if order.time - card.confirmed_at > A_TAP_LASTS + UNDER_WAY:
        yield f"it arrived {order.time - card.confirmed_at} after the tap"
    if digest(card.plan, card.user) != card.digest:
        yield f"{card.id} does not match its hash"
    place, part = _parts(card)[one.leg]
    shown = card.plan.legs[place]
    for name in ("symbol", "side", "limit_price"):
        value = getattr(shown, name)
        if not getattr(order, name) == getattr(one, name) == value:
            yield f"{name} was shown as {value}, the order has {getattr(order, name)}"
    cut = shown.reduce_only and order.contracts < part  # a closing order is cut to what is open
    if one.contracts != part or not (order.contracts == part or cut):
        yield f"{part} were shown, the order has {order.contracts}"
    if shown.reduce_only and not order.reduce_only:
        yield "it was shown as closing, and could have opened"


def _beyond_permission(seen: Evidence, card: Card) -> Objections:
    """Why nobody permitted this card."""
    given = [
        one
        for one in seen.permitted
        if one.user == card.user and card.confirmed_at and one.at <= card.confirmed_at
    ]
    if not given:
        yield f"{card.id} was done without a tap, and nothing was permitted"
        return
    caps = given[-1]
    today = [
        other
        for other in seen.cards
        if other.user == card.user and other.outcome.get("auto") and other.confirmed_at
    ]
    spent = sum((leg.notional for other in today for leg in other.plan.legs), Decimal(0))
    if any(leg.notional > caps.order_cap for leg in card.plan.legs):
        yield f"{card.id} has an order above {caps.order_cap}, the cap of one"
    if spent > caps.day_cap:
        yield f"{spent} were traded without a tap, {caps.day_cap} may be in a day"
    if any(leg.leverage > caps.leverage_cap and not leg.reduce_only for leg in card.plan.legs):
        yield f"{card.id} has a leverage above {caps.leverage_cap}"
    opens = any(one.acts == "both" for one in given) or any(
        tap.user == card.user  # on the buttons of what is permitted: pm:give:<acts>:<silence>
        and tap.at <= (card.confirmed_at or tap.at)
        and tap.data.startswith("pm:give:")
        and not tap.data.endswith(("never:nothing", "reduce:nothing", "never:reduce", "reduce:reduce"))
        for tap in seen.taps
    )
    if not opens and not all(leg.reduce_only for leg in card.plan.legs):
        yield f"{card.id} opens, and only reducing was permitted"


def closing_never_flips(seen: Evidence) -> Objections:
    """A position that one of our closing orders met is smaller after it, and on the same side or gone."""
    tries = {one.client_id: one for one in seen.tries}
    for order in _ours(seen):
        one = tries.get(order.client_id)
        before, after = order.position_before, order.position_before + order.signed
        if one is not None and one.reduce_only and (before * after < 0 or abs(after) > abs(before)):
            yield f"{order.client_id} closed {order.symbol} from {before} to {after}"


def every_tap_has_one_outcome(seen: Evidence) -> Objections:
    """Each tap is handled to its end; a card leaves the open state once; a confirmed one has one receipt."""
    yield from (f"tap {tap.update} ({tap.data}) was never over" for tap in seen.taps
                if tap.update not in seen.updates_done)  # fmt: skip
    receipts: dict[str, int] = defaultdict(int)
    for owed in seen.owed:
        if owed.kind == "receipt":
            receipts[str(owed.payload["proposal_id"])] += 1
    for card in seen.cards:
        left = [line.state for line in seen.history("proposal", card.id) if line.state != "open"]
        if left not in ([], ["confirmed", "done"], ["cancelled"], ["superseded"], ["expired"]):
            yield f"{card.id} went from open to {left}"
        if receipts[card.id] != (card.state == "done"):
            yield f"{card.id} is {card.state} and has {receipts[card.id]} receipts"
        if card.state == "done":
            tried = {_parts(card)[one.leg][0] for one in seen.tries_of(card)}
            wanted = {n for n, leg in enumerate(card.outcome["legs"]) if leg["reason"] != "busy"}
            if not tried >= wanted:
                yield f"{card.id} is done, and not all of its legs were tried or told as busy"


def at_rest_the_ledger_equals_the_exchange(seen: Evidence) -> Objections:
    """Our fills in the book are the ledger's, but for what a person was asked to check."""
    book = {order.client_id: order for order in _ours(seen)}
    for one in seen.tries:
        order = book.get(one.client_id)
        told = f"{one.client_id} is {one.state} ({one.reason}) with {one.filled}"
        match one.state:
            case "filled" | "cancelled":
                if order is None:
                    yield f"{told}, and the exchange has no such order"
                elif order.filled != one.filled or (one.state == "filled") != (
                    order.filled == order.contracts
                ):
                    yield f"{told}, the exchange filled {order.filled} of {order.contracts}"
            case "rejected" | "absent":
                if order is not None:
                    yield f"{told}, and the exchange has it with {order.filled} filled"
            case "manual":
                if not _is_told(seen, one):
                    yield f"{told}, and nobody was told"
            case _:
                yield f"{told}: that is no end"
    for card in seen.cards:
        yield from _untrue_receipt(seen, card, book)


def _untrue_receipt(seen: Evidence, card: Card, book: dict[str, Booked]) -> Objections:
    if card.state != "done":
        return
    for leg in card.outcome["legs"]:
        whose = _parts(card)
        mine = [t for t in seen.tries_of(card) if whose[t.leg][0] == leg["leg"] and t.state != "manual"]
        filled = sum((book[o.client_id].filled for o in mine if o.client_id in book), Decimal(0))
        if leg["state"] != "manual" and Decimal(leg["filled"]) != filled:
            yield f"the receipt of {card.id} tells {leg['filled']} of {leg['symbol']}, {filled} were filled"


def _is_told(seen: Evidence, one: Try) -> bool:
    return any(
        owed.kind == "receipt"
        and owed.payload["proposal_id"] == one.card
        and owed.payload["status"] == "manual"
        and owed.state in ("sent", "dropped")
        for owed in seen.owed
    )


def a_terminal_state_never_changes(seen: Evidence) -> Objections:
    """Also: the journal knows every version, and ends with what the row says."""
    rows = [("attempt", one.client_id, one.state, ENDS) for one in seen.tries]
    rows += [("proposal", card.id, card.state, CARD_ENDS) for card in seen.cards]
    for subject, subject_id, state, ends in rows:
        lines = seen.history(subject, subject_id)
        states = [line.state for line in lines]
        if [line.version for line in lines] != list(range(len(lines))) or states[-1:] != [state]:
            yield f"{subject} {subject_id} is {state}, its journal says {states}"
        if any(earlier in ends for earlier in states[:-1]):
            yield f"{subject} {subject_id} had ended, and went on: {states}"


def nothing_of_one_user_reaches_another(seen: Evidence) -> Objections:
    owners = {card.id: card.user for card in seen.cards}
    for owed in seen.owed:
        whose = owners.get(str(owed.payload.get("proposal_id")), owed.user)
        if not owed.user == owed.chat == whose:
            yield f"{owed.key} of {whose} is owed to {owed.user} in the chat {owed.chat}"
    for said in seen.said:
        for data in said.data:
            for part in data.split(":"):
                if owners.get(part, said.chat) != said.chat:
                    yield f"the chat {said.chat} shows a button of {owners[part]}: {data}"
        for user, name in seen.users.items():
            if user != said.chat and name in said.text:
                yield f"the chat {said.chat} reads of {name}"
    for one in seen.tries:
        if seen.accounts.get(one.account) != owners.get(one.card):
            yield f"{one.client_id} of {owners.get(one.card)} is on the account {one.account}"


def no_secret_is_told(seen: Evidence) -> Objections:
    for place, told in seen.texts.items():
        yield from (f"{place} holds {secret!r}" for secret in seen.secrets if secret in told)


def every_message_arrives(seen: Evidence) -> Objections:
    yield from (f"{owed.key} is {owed.state}" for owed in seen.owed if owed.state not in ("sent", "dropped"))


def everything_comes_to_rest(seen: Evidence) -> Objections:
    yield from (f"after an hour of calm there are still {what}" for what in seen.restless)


def every_failure_has_a_name(seen: Evidence) -> Objections:
    yield from seen.unexpected


INVARIANTS: Sequence[Callable[[Evidence], Objections]] = (
    at_most_one_live_attempt_per_intent,
    a_new_attempt_only_after_proven_absence,
    no_order_twice,
    fills_never_exceed_what_was_confirmed,
    an_opening_order_starts_from_its_plan,
    no_order_without_its_owners_tap,
    closing_never_flips,
    every_tap_has_one_outcome,
    at_rest_the_ledger_equals_the_exchange,
    a_terminal_state_never_changes,
    nothing_of_one_user_reaches_another,
    no_secret_is_told,
    every_message_arrives,
    everything_comes_to_rest,
    every_failure_has_a_name,
)


def violations(seen: Evidence) -> list[str]:
    """Every objection, each with the name of its invariant."""
    return [f"{invariant.__name__}: {objection}" for invariant in INVARIANTS for objection in invariant(seen)]


def _ours(seen: Evidence) -> list[Booked]:
    return [order for order in seen.book if order.client_id.startswith(OURS)]


def _parts(card: Card) -> list[tuple[int, Decimal]]:
    """The orders of a card: the leg that each is of, and its contracts."""
    return [
        (n, contracts) for n, leg in enumerate(card.plan.legs) for contracts in leg.parts or (leg.contracts,)
    ]
