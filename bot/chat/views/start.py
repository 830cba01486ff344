"""The way to a first proposal: a sample or one's own coins, how much to protect, the hedge."""

from collections.abc import Sequence
from decimal import Decimal

from bot.chat.texts import screens as t
from bot.chat.views.accounts.badge import badge_of
from bot.chat.views.message import Button, Message, bold, code, html
from bot.chat.views.numbers import amount, percent, usd
from bot.ports.records import Account
from bot.services.portfolio import PortfolioView

PROTECTIONS = (25, 50, 75)


def welcome(account: Account) -> Message:
    """For somebody who holds nothing yet."""
    whose = f"{t.WELCOME_ACCOUNT.format(badge=badge_of(account))} {t.WELCOME_CONNECT}"
    text = f"{bold(t.WELCOME)}\n\n{t.WELCOME_BODY}\n\n{whose}"
    return Message(text, ((Button(t.SAMPLE, "go:sample", style="primary"),), (Button(t.MINE, "go:mine"),)))


def welcome_back(view: PortfolioView, account: Account, version: int) -> Message:
    """For somebody who has been here before."""
    title = t.WELCOME_BACK.format(value=usd(view.value))
    text = f"{bold(title)}\n{badge_of(account)}\n\n{t.HOW_MUCH}\n{t.HOW_MUCH_BODY}"
    return Message(text, (_protections(version),))


def how_much(view: PortfolioView, version: int, sample: Sequence[tuple[str, Decimal]] = ()) -> Message:
    """The second tap: how much of it. `version`: of the rule that it changes; `sample`: the coins that were just put
    there to play with."""
    lines = [bold(t.HOW_MUCH), t.HOW_MUCH_BODY]
    if sample:
        coins = ", ".join(f"{amount(number)} {html(asset)}" for asset, number in sample)
        lines = [t.SAMPLE_BODY.format(coins=coins), "", *lines]
    return Message(
        "\n".join([bold(t.PORTFOLIO.format(value=usd(view.value))), *lines]), (_protections(version),)
    )


def ready(view: PortfolioView, target: Decimal) -> Message:
    """The third tap shows the card."""
    title = t.READY.format(target=percent(target), value=usd(view.value))
    return Message(f"{bold(title)}\n{t.READY_BODY}", ((Button(t.SHOW_HEDGE, "go:card", style="primary"),),))


def type_yours() -> Message:
    examples = "\n".join(code(example) for example in t.EXAMPLES)
    return Message(f"{bold(t.TYPE_YOURS)}\n{examples}\n{t.EXAMPLES_NOTE}")


def _protections(version: int) -> tuple[Button, ...]:
    return tuple(Button(t.PROTECT.format(target=f"{n}%"), f"go:t:{n}:{version}") for n in PROTECTIONS)
