"""The proposal card and what becomes of it before the receipt."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from math import ceil

from bot.chat.texts import cards as t
from bot.chat.views.accounts.badge import badge_of
from bot.chat.views.checks import checks, failed
from bot.chat.views.message import Button, Message, Rows, bold, folded, html
from bot.chat.views.numbers import base_of, exact, percent, price, usd
from bot.ports.records import Account, Proposal, ProposalState
from bot.services.wanted import Why, new_target
from hedging.plan import HedgePlan, Leg
from hedging.rules import HedgeRule

FALL = Decimal("0.10")
FAR = Decimal(3)  # where a liquidation is further above the price than this, one line is enough
_LEGS_SHOWN = 3
_LIQUIDATIONS_SHOWN = 2
_NOTICEABLE = Decimal("0.0005")

TARGETS = (25, 50, 75, 100)
LEVERAGES = (1, 2, 3, 4, 5)
BANDS = (5, 10, 15)


def proposal(card: Proposal, account: Account) -> Message:
    """The whole card: what is traded, what it costs and does, the seven checks, and one tap to do it."""
    plan = card.plan
    if not plan.legs:
        return _no_orders(card, account)
    text = "\n\n".join(
        block
        for block in (
            f"{bold(_title(plan))}\n{badge_of(account)}",
            _legs(plan.legs),
            _announced(card),
            _own(plan),
            "\n".join(_figures(plan)),
            "" if plan.purpose == "unhedge" else _protection(plan),
            checks(plan.checks, plan.factor),
            _expiry(card),
        )
        if block
    )
    return Message(text, _buttons(card))


def repriced(fresh: Proposal, earlier: Proposal | None, account: Account, why: Why) -> Message:
    """The card again with what has changed since the one that was tapped."""
    card = proposal(fresh, account)
    if not why and earlier is None:
        return card
    title = why_anew(fresh, earlier, why)
    told = _differences(earlier.plan, fresh.plan) if earlier is not None and fresh.plan.legs else ""
    heading = "\n".join(line for line in (bold(title), told) if line)
    return Message(f"{heading}\n\n{card.text}", card.buttons)


def why_anew(fresh: Proposal, earlier: Proposal | None, why: Why) -> str:
    """Why this card stands in the place of the one that was tapped."""
    asked = {leg.symbol for leg in earlier.plan.legs} if earlier is not None else set()
    return t.UNPRICED if why == "price" and asked & {*waiting(fresh.plan)} else t.REPRICED[why]


def asked_again(fresh: Proposal, account: Account, waited: timedelta | None) -> Message:
    """The card again, because the tap on the earlier one was up to so long on its way; None: nobody can tell."""
    card = proposal(fresh, account)
    minutes = ceil(waited.total_seconds() / 60) if waited else 0
    why = t.TAP_TOOK.format(minutes=minutes) if 0 < minutes <= 60 else t.TAP_OF_UNKNOWN_AGE
    return Message(f"{bold(t.REPRICED['slow'])}\n{why}\n\n{card.text}", card.buttons)


def sending(card: Proposal) -> Message:
    """Confirmed, and frozen until the receipt takes its place."""
    count = len(card.plan.orders)
    orders = t.ORDER if count == 1 else t.ORDERS.format(count=count)
    return Message(f"{bold(t.SENDING)}\n{t.SENDING_BODY.format(orders=orders)}")


def over(card: Proposal) -> Message:
    """A card that can no longer be confirmed, with the way to a new one."""
    said = {
        ProposalState.CANCELLED: t.CANCELLED,
        ProposalState.EXPIRED: t.EXPIRED,
        ProposalState.SUPERSEDED: t.SUPERSEDED,
    }.get(card.state, t.SUPERSEDED)
    return Message(said, ((Button(t.PROPOSE_AGAIN, f"pr:{card.id}"),),))


def change(card: Proposal, rule: HedgeRule) -> Message:
    """What can be changed, with the present values marked."""
    body = t.CHANGE_BODY.format(target=percent(rule.target), leverage=rule.leverage, band=percent(rule.band))
    rows = rule_rows(rule, prefixes=(f"tg:{card.id}", f"lv:{card.id}", f"bd:{card.id}"))
    return Message(f"{bold(t.CHANGE_TITLE)}\n{body}", (*rows, (Button(t.BACK, f"pr:{card.id}"),)))


def rule_rows(rule: HedgeRule, *, prefixes: tuple[str, str, str], under: int | None = None) -> Rows:
    """Three rows of buttons for target, leverage and band; what holds now has a tick. `under`: the version of the rule
    that they are about, where no card tells it."""
    target, leverage, band = prefixes
    behind = "" if under is None else f":{under}"
    return (
        tuple(_choice(f"{n}%", f"{target}:{n}{behind}", rule.target == Decimal(n) / 100) for n in TARGETS),
        tuple(_choice(f"{n}x", f"{leverage}:{n}{behind}", rule.leverage == n) for n in LEVERAGES),
        tuple(_choice(f"±{n}%", f"{band}:{n}{behind}", rule.band == Decimal(n) / 100) for n in BANDS),
    )


def _choice(label: str, data: str, chosen: bool) -> Button:
    return Button(f"✓ {label}" if chosen else label, data)


def _title(plan: HedgePlan) -> str:
    size = sum((leg.notional for leg in plan.legs), Decimal(0))
    before, after = percent(plan.before.coverage), percent(plan.after.coverage)
    return t.TITLE[plan.purpose].format(size=usd(size), before=before, after=after)


def order(leg: Leg) -> str:
    """What one order does: Short 61.5 SOL."""
    return (t.SHORT if leg.side == "sell" else t.BUY_BACK).format(
        amount=units(leg.contracts, leg.notional, leg.mark_price), asset=html(base_of(leg.symbol))
    )


def units(contracts: Decimal, notional: Decimal | None, mark: Decimal) -> str:
    """The exact amount: in coins where one contract is one coin (or nothing tells), otherwise named as contracts."""
    if notional is None:
        return exact(contracts)
    if mark and abs(notional / mark - contracts) <= contracts / 10_000:
        return exact(contracts)
    return t.CONTRACTS.format(amount=exact(contracts))


def _legs(legs: Sequence[Leg]) -> str:
    ordered = sorted(legs, key=lambda leg: -leg.notional)
    shown = [line for leg in ordered[:_LEGS_SHOWN] for line in _leg(leg)]
    rest = ordered[_LEGS_SHOWN:]
    if not rest:
        return "\n".join(shown)
    brief = [f"{order(leg)} {_priced(leg)}" for leg in rest]
    return "\n".join([*shown, folded([t.MORE_ORDERS.format(count=len(rest)), *brief])])


def _announced(card: Proposal) -> str:
    """What the tap makes of the rule."""
    plan, target = card.plan, new_target(card, HedgeRule(target=card.plan.target))
    if card.aim.kind == "new_rule":
        return t.NEW_RULE.format(target=percent(plan.target), factor=plan.factor)
    if target is not None:
        return t.NEW_TARGET.format(target=percent(target))
    part = card.aim.kind == "close" and (card.aim.asset or card.aim.share < 1)
    return t.RULE_STAYS.format(target=percent(plan.target)) if part else ""


def _own(plan: HedgePlan) -> str:
    """That the orders close also what its owner opened by hand."""
    told = [check.facts["own"] for check in plan.checks if "own" in check.facts]
    return t.OWN.format(own=html(", ".join(told))) if told else ""


def _leg(leg: Leg) -> list[str]:
    worth = t.ORDER_WORTH.format(order=bold(order(leg)), notional=usd(leg.notional))
    lines = [f"• {worth}", f"  {_priced(leg)}"]
    others = [asset for asset in leg.assets if asset != base_of(leg.symbol)]
    if others:
        named = ", ".join(leg.assets[:4]) + (f" +{len(leg.assets) - 4}" if len(leg.assets) > 4 else "")
        lines.append(f"  {t.PROTECTS.format(assets=html(named))}")
    return lines


def _priced(leg: Leg) -> str:
    """The price now, the worst one that is accepted, and in how many orders."""
    template = t.PRICED_SELL if leg.side == "sell" else t.PRICED_BUY
    parts = t.IN_PARTS.format(count=len(leg.parts)) if leg.parts else ""
    return template.format(price=price(leg.mark_price), limit=price(leg.limit_price)) + parts


def _figures(plan: HedgePlan) -> list[str]:
    funding = plan.funding_per_month
    if abs(funding) < Decimal("0.005"):
        carried = t.FUNDING_NONE
    else:
        carried = (t.FUNDING_RECEIVED if funding > 0 else t.FUNDING_PAID).format(amount=usd(abs(funding)))
    lines = [
        t.COVERAGE.format(before=percent(plan.before.coverage), after=percent(plan.after.coverage)),
        t.FEE.format(fee=usd(plan.fees)),
        carried,
    ]
    if plan.margin:
        leverage = max(leg.leverage for leg in plan.legs if leg.margin)
        lines.append(
            t.MARGIN.format(margin=usd(plan.margin), free=usd(plan.free_collateral), leverage=leverage)
        )
    return lines + ([] if plan.purpose == "unhedge" else _liquidations(plan.legs))


def _liquidations(legs: Sequence[Leg]) -> list[str]:
    """The nearest ones, each with how far away it is."""
    away = sorted(
        (leg.liquidation_price / leg.mark_price - 1, leg.symbol, leg.liquidation_price)
        for leg in legs
        if leg.liquidation_price is not None and leg.mark_price > 0
    )
    if not away:
        return [t.LIQUIDATION_NONE] if any(leg.margin for leg in legs) else []
    nearest, symbol, at = away[0]
    if nearest > FAR:
        asset = html(base_of(symbol))
        return [t.LIQUIDATION_FAR.format(asset=asset, price=price(at), times=int(nearest + 1))]
    return [
        t.LIQUIDATION.format(asset=html(base_of(symbol)), price=price(at), distance=percent(distance))
        for distance, symbol, at in away[:_LIQUIDATIONS_SHOWN]
        if distance <= FAR
    ]


def _protection(plan: HedgePlan) -> str:
    """What a fall of the market would do without the hedge, and between which bounds with it."""
    loss, best, worst = outcomes(plan)
    lines = [t.FALLS.format(factor=html(plan.factor), fall=percent(FALL)), t.WITHOUT.format(loss=_loss(loss))]
    if usd(best) == usd(worst):
        lines.append(t.WITH_ONE.format(worst=_loss(worst)))
    else:
        lines.append(t.WITH.format(worst=_loss(worst), best=_loss(best)))
    return "\n".join([*lines, t.NOT_CERTAIN])


def outcomes(plan: HedgePlan, fall: Decimal = FALL) -> tuple[Decimal, Decimal, Decimal]:
    """Losses in US dollars when the factor falls by `fall`: unhedged, and hedged at best and at worst.

    Hedged: what the shorts leave over, plus and minus two standard errors of the betas, taken as independent. A coin
    that is shorted directly carries its error only on the part that stays uncovered; through the factor on all of it.
    """
    left = 1 - min(max(plan.after.coverage, Decimal(0)), Decimal(1))
    error = Decimal(0)
    for choice in plan.choices:
        if choice.reason in ("stablecoin", "no_price"):
            continue
        exposed = left if choice.method == "direct" else Decimal(1)
        error += (choice.value * Decimal(str(choice.beta_se)) * exposed) ** 2
    net, spread = plan.after.gross - plan.after.offset, 2 * error.sqrt()
    return plan.before.gross * fall, (net - spread) * fall, (net + spread) * fall


def _loss(amount: Decimal) -> str:
    return f"+{usd(-amount)}" if amount < 0 else usd(-amount)


def _expiry(card: Proposal) -> str:
    left = ceil((card.expires_at - card.quoted_at) / timedelta(minutes=1))
    minutes = t.MINUTE if left == 1 else t.MINUTES.format(count=left)
    return t.EXPIRY.format(minutes=minutes, time=card.expires_at.strftime("%H:%M"))


def _buttons(card: Proposal) -> Rows:
    cancel = Button(t.CANCEL, f"no:{card.id}")
    if card.plan.purpose == "unhedge":
        return ((Button(t.CONFIRM, f"ok:{card.id}", style="danger"),), (cancel,))
    confirm = Button(t.CONFIRM, f"ok:{card.id}", style="success")
    return ((confirm,), (Button(t.CHANGE, f"ch:{card.id}"), cancel))


def _no_orders(card: Proposal, account: Account) -> Message:
    plan, whose = card.plan, badge_of(account)
    again = [t.ASK_AGAIN] if waiting(plan) else []
    if plan.purpose == "unhedge":
        why = failed([check for check in plan.checks if "paused" in check.facts], plan.factor)
        return Message("\n".join([bold(t.NOTHING_TO_CLOSE), whose, *why, *again]))
    figures = {"coverage": percent(plan.before.coverage), "target": percent(plan.target)}
    wrong = failed([check for check in plan.checks if check.key != "ratio"], plan.factor)
    there = all(check.passed for check in plan.checks if check.key == "ratio")
    title, body = (t.AT_TARGET, t.AT_TARGET_BODY) if there else (t.NOTHING_TRADABLE, t.NOTHING_TRADABLE_BODY)
    text = "\n".join([bold(title), whose, body.format(**figures), *wrong, *again])
    return Message(text, ((Button(t.CHANGE, f"ch:{card.id}"),),))


def _differences(earlier: HedgePlan, fresh: HedgePlan) -> str:
    then, now = ({leg.symbol: leg for leg in plan.legs} for plan in (earlier, fresh))
    lines = []
    for symbol in [*then, *(symbol for symbol in now if symbol not in then)][: 2 * _LEGS_SHOWN]:
        asset, old, new = html(base_of(symbol)), then.get(symbol), now.get(symbol)
        if old is None or new is None:
            gone = t.REPRICED_PAUSED if symbol in waiting(fresh) else t.REPRICED_GONE
            lines.append((t.REPRICED_NEW if old is None else gone).format(asset=asset))
            continue
        moved = new.mark_price / old.mark_price - 1
        if abs(moved) >= _NOTICEABLE:
            change = percent(moved, signed=True)
            lines.append(
                t.REPRICED_LINE.format(
                    asset=asset, old=price(old.mark_price), new=price(new.mark_price), change=change
                )
            )
        if old.contracts != new.contracts or old.side != new.side:
            lines.append(t.REPRICED_SIZE.format(old=order(old), new=order(new)))
    return "\n".join(lines)


def waiting(plan: HedgePlan) -> tuple[str, ...]:
    """The contracts in which nothing is traded because a price is missing or strange just now."""
    symbols = [c.symbol for c in plan.choices if c.symbol and c.reason in ("no_quote", "apart")]
    for check in plan.checks:
        symbols += check.facts.get("paused", "").split(", ")
    return tuple(dict.fromkeys(symbol for symbol in symbols if "/" in symbol))
