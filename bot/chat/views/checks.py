"""The seven checkpoints, each with its sign and its reason."""

from collections.abc import Sequence
from decimal import Decimal

from bot.chat.texts import checks as t
from bot.chat.views.message import bold, folded, html
from bot.chat.views.numbers import percent, usd
from hedging.plan import Check

_MONEY = frozenset(("value", "needed", "free", "per_month"))
_SHARES = frozenset(("target", "band", "before", "after", "survives", "survives_at_least", "share", "limit"))
_NAMES_SHOWN = 4


def checks(found: Sequence[Check], factor: str) -> str:
    """A heading, and below it the checks, those that failed first; they open on a tap."""
    passed = sum(check.passed for check in found)
    heading = t.HEADING_ALL if passed == len(found) else t.HEADING_SOME
    ordered = sorted(found, key=lambda check: check.passed)
    return "\n".join(
        [
            bold(heading.format(passed=passed, count=len(found))),
            folded([_line(check, factor) for check in ordered]),
        ]
    )


def failed(found: Sequence[Check], factor: str) -> list[str]:
    """Only those that failed, a line each."""
    return [_line(check, factor) for check in found if not check.passed]


def names(joined: str) -> str:
    """A list of coins or contracts, cut when it is long."""
    single = [name.partition("/")[0] for name in joined.split(", ")]
    if len(single) <= _NAMES_SHOWN + 1:
        return html(", ".join(single))
    shown = html(", ".join(single[:_NAMES_SHOWN]))
    return t.AND_MORE.format(names=shown, count=len(single) - _NAMES_SHOWN)


def _line(check: Check, factor: str) -> str:
    facts = {key: _fact(key, value) for key, value in check.facts.items()} | {"factor": html(factor)}
    reason = t.REASONS.get((check.key, check.reason))
    said = [html(check.reason) if reason is None else reason.format(**facts)]
    said += [text.format(**facts) for key, text in t.ADDED.items() if _adds(check, key, reason or "")]
    title = t.TITLES.get(check.key, html(check.key))
    return f"{'✓' if check.passed else '✗'} {title}: {'; '.join(said)}"


def _adds(check: Check, key: str, reason: str) -> bool:
    return key in check.facts and f"{{{key}}}" not in reason


def _fact(key: str, value: str) -> str:
    if key in _MONEY:
        return usd(abs(Decimal(value)))
    if key in _SHARES:
        share = Decimal(value)
        return percent(abs(share) if key == "share" else share)
    return html(value) if key in ("leverage", "at_most") else names(value)
