"""All accounts at a glance, and what is said before and after one is disconnected."""

from collections.abc import Sequence

from bot.chat.texts import accounts as t
from bot.chat.views.accounts.badge import badge_of, short_badge, title
from bot.chat.views.accounts.connect import copy_address, positions_briefly, use_button
from bot.chat.views.message import Button, Message, Rows, bold, code, html
from bot.chat.views.numbers import base_of, usd
from bot.ports.records import Account
from bot.services.accounts import AccountLine

_SHORTS_SHOWN = 4
TELL_THE_END = frozenset(("binance", "bybit"))  # when a key ends


def accounts(lines: Sequence[AccountLine]) -> Message:
    """Which one the rule uses, and what each holds."""
    used = next(line for line in lines if line.in_use)
    blocks = [bold(t.ACCOUNTS.format(badge=short_badge(used.account)))]
    for line in lines:
        name = badge_of(line.account)
        blocks.append(f"\n{t.IN_USE.format(badge=name) if line.in_use else name}\n{_standing(line)}")
        blocks += _key(line)
    if any(line.account.mode != "paper" for line in lines):
        known = t.OWN_ADDRESS.format(address=code(used.address)) if used.address else t.OWN_ADDRESS_UNKNOWN
        blocks.append(f"\n{known}")
    return Message("\n".join(blocks), _buttons(lines))


def _key(line: AccountLine) -> list[str]:
    """What is worth knowing of the account's key, where it works."""
    account, look = line.account, line.key
    if account.mode == "paper" or line.trouble in ("refused", "missing", "locked", "damaged"):
        return []
    if look is None:
        return [t.KEY_NOT_ASKED]
    lines = [t.KEY_NO_TRADING.format(title=title(account.exchange))] if look.futures is False else []
    if line.days_left is not None:
        ends = t.KEY_ENDS if line.days_left > 1 else t.KEY_ENDS_SOON if line.days_left else t.KEY_ENDED
        lines.append(ends.format(days=line.days_left))
    else:
        told = account.exchange in TELL_THE_END and look.address_list is not None
        lines.append(t.KEY_LASTS if told else t.KEY_UNTOLD.format(title=title(account.exchange)))
    return [*lines, t.KEY_UNBOUND] if look.address_list is False else lines


def _standing(line: AccountLine) -> str:
    if line.trouble or line.equity is None:
        return t.TROUBLE[line.trouble or "away"]
    lines = [t.LINE_MONEY.format(equity=usd(line.equity), shorts=_shorts(line))]
    if line.unpriced:
        lines.append(t.UNPRICED.format(assets=html(", ".join(line.unpriced))))
    return "\n".join(lines)


def _shorts(line: AccountLine) -> str:
    assets = [html(base_of(position.symbol)) for position in line.shorts]
    if not assets:
        return t.NO_SHORTS
    rest = len(assets) - _SHORTS_SHOWN
    shown = assets[:_SHORTS_SHOWN] + ([t.MORE_POSITIONS.format(count=rest)] if rest > 0 else [])
    template = t.ONE_SHORT if len(assets) == 1 else t.MANY_SHORTS
    return template.format(count=len(assets), assets=", ".join(shown))


def _buttons(lines: Sequence[AccountLine]) -> Rows:
    rows: list[tuple[Button, ...]] = []
    for line in lines:
        if not line.in_use and line.trouble not in ("refused", "missing", "damaged"):
            rows.append((use_button(line.account),))
    for line in lines:
        if line.account.mode != "paper":
            rows.append((leave_button(line.account),))
    address = next((line.address for line in lines if line.address), "")
    if address and any(line.account.mode != "paper" for line in lines):
        rows.append(copy_address(address))
    return (*rows, (Button(t.REFRESH, "ac:refresh"), Button(t.ADD_ACCOUNT, "cn:list")))


def leave_button(account: Account) -> Button:
    """Asks first."""
    return Button(t.DISCONNECT.format(badge=short_badge(account)), f"ac:out:{account.id}")


def which(connected: Sequence[Account]) -> Message:
    """Several exchanges: one is to be named."""
    return Message(t.WHICH, tuple((leave_button(account),) for account in connected))


def leaving(line: AccountLine) -> Message:
    """Before a key is forgotten: what would be left behind, and the way to close it first."""
    account = line.account
    keep = Button(t.KEEP, f"ac:keep:{account.id}")
    if not line.shorts:
        doubt = [t.LEAVE_UNKNOWN] if line.trouble else []
        text = "\n".join([bold(t.LEAVE.format(badge=short_badge(account))), t.LEAVE_BODY, *doubt])
        leave = t.DISCONNECT_ANYWAY if doubt else t.DISCONNECT_NOW
        return Message(
            text, ((Button(leave, f"ac:gone:{account.id}:{account.key_number}", style="danger"), keep),)
        )
    lines = [
        bold(t.LEAVE_OPEN.format(badge=short_badge(account))),
        t.LEAVE_OPEN_BODY.format(positions=positions_briefly(line.shorts)),
    ]
    anyway = Button(t.DISCONNECT_ANYWAY, f"ac:gone:{account.id}:{account.key_number}", style="danger")
    if line.in_use:
        close = Button(t.CLOSE_FIRST, "st:close", style="primary")
        return Message("\n".join(lines), ((close,), (anyway, keep)))
    lines.append(t.LEAVE_OTHER.format(title=title(account.exchange)))
    return Message("\n".join(lines), ((anyway, keep),))


def left(account: Account, current: Account, *, open_there: bool) -> Message:
    """The key is gone."""
    lines = [
        bold(t.LEFT.format(badge=short_badge(account))),
        t.LEFT_BODY.format(title=title(account.exchange)),
        *([t.LEFT_OPEN] if open_there else []),
        t.LEFT_RULE.format(badge=short_badge(current)),
    ]
    return Message("\n".join(lines))


def kept(account: Account) -> Message:
    return Message(t.KEPT.format(badge=short_badge(account)))


def stayed(account: Account) -> Message:
    return Message(t.STAYED.format(badge=short_badge(account)))
