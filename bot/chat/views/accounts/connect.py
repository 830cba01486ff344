"""The way from a list of exchanges to a connected account."""

from collections.abc import Sequence

from bot.chat.parsing.credentials import KeyTrouble
from bot.chat.texts import accounts as t
from bot.chat.texts.exchanges import GUIDES
from bot.chat.views.accounts.badge import badge_of, short_badge, title
from bot.chat.views.message import Button, Message, bold, code, html
from bot.chat.views.numbers import base_of, usd
from bot.ports.exchange import Offer, Permissions
from bot.ports.records import Account, Mode
from bot.services.connecting import Connected
from bot.services.errors import CannotConnect
from hedging.portfolio import Position

_A_ROW = 3
_POSITIONS_SHOWN = 4


def choose(offers: Sequence[Offer]) -> Message:
    """Which exchange."""
    buttons = [Button(offer.title, f"cn:{offer.name}") for offer in offers]
    rows = tuple(tuple(buttons[n : n + _A_ROW]) for n in range(0, len(buttons), _A_ROW))
    return Message(f"{bold(t.CONNECT)}\n{t.CONNECT_BODY}", rows)


def guide(offer: Offer) -> Message:
    """How to make a key there, and what it is for."""
    how = GUIDES[offer.name]
    steps = (how.where, how.tick, how.leave, " ".join(filter(None, (t.GUIDE_ADDRESSES, how.addresses))))
    lines = [bold(t.GUIDE.format(title=title(offer.name)))]
    lines += [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    lines += ["", how.demo, "", t.GUIDE_READY]
    modes = sorted(offer.modes)  # demo before live
    return Message(
        "\n".join(lines),
        (
            *((Button(t.CHOOSE[mode], f"cn:{offer.name}:{mode}"),) for mode in modes),
            (Button(t.CHOOSE["paper"], f"cn:{offer.name}:paper"),),
            (Button(t.BACK, "cn:list"),),
        ),
    )


def on_paper(account: Account) -> Message:
    """No key was needed."""
    return Message(f"{bold(t.ON_PAPER.format(badge=badge_of(account)))}\n{t.ON_PAPER_BODY}")


def send_key(offer: Offer, mode: Mode) -> Message:
    """The next message brings the key."""
    heading = t.SEND_KEY.format(mode=t.MODES[mode], title=title(offer.name))
    parts = t.SEND_THREE_PARTS if offer.passphrase else t.SEND_PARTS
    example = t.SEND_EXAMPLE_THREE if offer.passphrase else t.SEND_EXAMPLE
    text = "\n".join([bold(heading), parts, code(example), "", t.SEND_CARE, t.SEND_UNTIL])
    return Message(text, ((Button(t.STOP, "cn:stop"),),))


def trying(exchange: str) -> Message:
    return Message(f"{bold(t.TRYING)}\n{t.TRYING_BODY.format(title=title(exchange))}")


def connected(done: Connected, current: Account) -> Message:
    """What the key opened, what is worth knowing about it, and whether it is used. `current`: the account in use."""
    lines = [
        bold(t.CONNECTED.format(badge=badge_of(done.account))),
        *_found(done),
        "",
        t.SEEN_BY_TELEGRAM,
        "",
    ]
    if done.in_use:
        return Message("\n".join([*lines, t.NOW_IN_USE]))
    lines.append(t.WAITS[done.waits].format(badge=short_badge(current)))
    if done.waits != "live":
        return Message("\n".join(lines))
    stay = Button(t.STAY.format(badge=short_badge(current)), "ac:stay")
    return Message("\n".join(lines), ((use_button(done.account),), (stay,)))


def use_button(account: Account) -> Button:
    """Real money is named on the button that lets it be used."""
    if account.mode == "live":
        label = t.USE_LIVE.format(title=title(account.exchange))
        return Button(label, f"ac:use:{account.id}", style="danger")
    return Button(t.USE_OTHER.format(badge=short_badge(account)), f"ac:use:{account.id}")


def _may(permissions: Permissions) -> str:
    if permissions.futures is None:
        return t.MAY_READ
    return t.MAY_TRADE_ONLY if permissions.withdraw is None else t.MAY_TRADE


def _found(done: Connected) -> list[str]:
    """What the trial told."""
    trial, exchange = done.trial, done.account.exchange
    equity, free = trial.balance.equity, trial.balance.free
    lines = [
        t.MONEY.format(equity=usd(equity), free=usd(free)) if equity > 0 else t.NO_MONEY,
        _may(trial.permissions),
    ]
    if trial.balance.unpriced:
        lines.insert(1, t.UNPRICED.format(assets=html(", ".join(trial.balance.unpriced))))
    for warning in done.warnings:
        said = t.WARNINGS[warning].format(title=title(exchange))
        why = GUIDES[exchange].addresses if warning == "no_address_list" else ""
        lines.append(f"{said} {why}".rstrip())
    if trial.positions:
        lines.append(t.ALREADY_OPEN.format(positions=positions_briefly(trial.positions)))
    return lines


def not_connected(failure: CannotConnect, mode: str = "") -> Message:
    """Why not, and what to do about it."""
    heading, body = t.FAILED[failure.why]
    how = GUIDES.get(failure.exchange)
    facts = {"title": title(failure.exchange), "mode": mode.upper(), "tick": how.tick if how else ""}
    facts["address"] = code(failure.address)
    rows = (copy_address(failure.address),) if failure.address else ()
    return Message(f"{bold(heading.format(**facts))}\n{body.format(**facts)}", rows)


def copy_address(address: str) -> tuple[Button]:
    """A row that puts this machine's address on the clipboard."""
    return (Button(t.COPY_ADDRESS.format(address=address), copy=address),)


def key_problem(trouble: KeyTrouble, exchange: str) -> Message:
    """The message that was to bring a key brought none."""
    waiting = t.KEY_STILL_WAITED.format(title=title(exchange))
    text = "\n".join([bold(t.KEY_PROBLEM), html(t.KEY_PROBLEMS[trouble.value]), waiting])
    return Message(text, ((Button(t.STOP, "cn:stop"),),))


def key_stays(exchange: str) -> Message:
    """The message with the key could not be deleted."""
    return Message(f"{bold(t.KEY_STAYS)}\n{t.KEY_STAYS_BODY.format(title=title(exchange))}")


def too_late() -> Message:
    return Message(f"{bold(t.TOO_LATE)}\n{t.TOO_LATE_BODY}")


def stopped() -> Message:
    return Message(t.STOPPED)


def positions_briefly(positions: Sequence[Position]) -> str:
    """short SOL, long BTC; a long list is cut. No amounts: a contract is not everywhere one coin."""
    named = [
        t.POSITION.format(side=t.SIDES[one.contracts < 0], asset=html(base_of(one.symbol)))
        for one in positions[:_POSITIONS_SHOWN]
    ]
    rest = len(positions) - _POSITIONS_SHOWN
    return ", ".join([*named, *([t.MORE_POSITIONS.format(count=rest)] if rest > 0 else [])])
