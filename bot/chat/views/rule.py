"""The rule, and how to change it."""

from decimal import Decimal

from bot.chat.parsing.rule import RuleEdit
from bot.chat.texts import screens as t
from bot.chat.texts import words
from bot.chat.views.accounts.badge import short_badge
from bot.chat.views.message import Button, Message, bold, code
from bot.chat.views.numbers import percent
from bot.chat.views.proposal import rule_rows
from bot.ports.records import Account, KeptRule


def rule(kept: KeptRule, account: Account) -> Message:
    """What holds now, in words and as buttons, which change this version of it and no other."""
    current = kept.rule
    target = percent(current.target)
    lines = [
        bold(t.RULE.format(target=target)),
        t.RULE_TARGET.format(target=target),
        t.RULE_LEVERAGE.format(leverage=current.leverage),
        t.RULE_BAND.format(band=percent(current.band)),
        t.RULE_FACTOR.format(factor=current.factor),
        t.RULE_ACCOUNT.format(badge=short_badge(account)),
        "",
        f"{t.RULE_HOW} {code(t.RULE_EXAMPLE)}",
    ]
    return Message("\n".join(lines), rule_rows(current, prefixes=("r:t", "r:l", "r:b"), under=kept.version))


def ask_target(kept: KeptRule, wanted: Decimal) -> Message:
    """Whether that is to be the rule; nothing is changed or priced yet."""
    shares = {"now": percent(kept.rule.target), "wanted": percent(wanted)}
    buttons = (
        (
            Button(
                words.CHANGE_TO.format(**shares), f"hq:{int(wanted * 100)}:{kept.version}", style="primary"
            ),
        ),
        (Button(words.KEEP_TARGET.format(**shares), "hq:keep:0"),),
    )
    return Message(f"{bold(words.ASK_TARGET.format(**shares))}\n{words.ASK_TARGET_BODY}", buttons)


def changed(edit: RuleEdit) -> str:
    """What was changed, in a few words for a toast."""
    said = {
        "target": None if edit.target is None else percent(edit.target),
        "leverage": edit.leverage,
        "band": None if edit.band is None else percent(edit.band),
        "factor": edit.factor,
    }
    return ", ".join(t.CHANGED[key].format(value=value) for key, value in said.items() if value is not None)
