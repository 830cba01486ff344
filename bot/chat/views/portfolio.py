"""What is held, and what a change to it did."""

from collections.abc import Sequence
from decimal import Decimal

from bot.chat.parsing.holdings import Entry, Parsed, Problem
from bot.chat.parsing.numerals import Trouble
from bot.chat.texts import screens as t
from bot.chat.views.message import Button, Message, bold, code, folded, html
from bot.chat.views.numbers import amount, exact, percent, usd
from bot.services.portfolio import HoldingLine, PortfolioView

_SHOWN = 8
_BRIEF = 4
_PROBLEMS_SHOWN = 8
_COPY_LIMIT = 256
_LEAST_BETA = 0.05  # less is called standing still

HEDGE_BUTTON = Button(t.SHOW_HEDGE, "go:hedge", style="primary")


def portfolio(view: PortfolioView) -> Message:
    """All coins, the largest first; a long tail opens on a tap."""
    if not view.lines:
        return nothing_held()
    lines = [_full(line, view.factor) for line in view.lines]
    text = "\n".join(
        [bold(t.PORTFOLIO.format(value=usd(view.value))), *_cut(lines, _SHOWN), "", _exposure(view)]
    )
    return Message(text, ((HEDGE_BUTTON,),) if view.exposure.gross > 0 else ())


def nothing_held() -> Message:
    examples = "\n".join(code(example) for example in t.EXAMPLES)
    return Message(f"{bold(t.PORTFOLIO_NONE)}\n{t.TYPE_YOURS}\n{examples}\n{t.EXAMPLES_NOTE}")


def added(entries: Sequence[Entry], view: PortfolioView) -> Message:
    """What was added and what that makes of the portfolio in brief."""
    what = ", ".join(f"{exact(e.amount or Decimal(0))} {html(e.asset)}" for e in entries[:_BRIEF])
    if len(entries) > _BRIEF:
        what = f"{what}, +{len(entries) - _BRIEF}"
    doubts = [line for entry in entries[:_BRIEF] for line in _doubt(entry)]
    return Message(
        "\n".join([bold(t.ADDED.format(what=what)), *_now(entries, view), *doubts, "", *_brief(view)]),
        ((HEDGE_BUTTON,),) if view.exposure.gross > 0 else (),
    )


def removed(entries: Sequence[Entry], before: PortfolioView, view: PortfolioView) -> Message:
    """What was taken out, what is left, and the way back to copy."""
    what = ", ".join(
        t.ALL_OF.format(asset=html(e.asset)) if e.amount is None else f"{exact(e.amount)} {html(e.asset)}"
        for e in entries[:_BRIEF]
    )
    if len(entries) > _BRIEF:
        what = f"{what}, +{len(entries) - _BRIEF}"
    lines = [bold(t.REMOVED.format(what=what)), *_now(entries, view), "", *_brief(view)]
    back = _way_back(before, view)
    buttons = ((Button(t.UNDO, copy=back),),) if back and len(back) <= _COPY_LIMIT else ()
    return Message("\n".join(lines), buttons)


def not_understood(parsed: Parsed, command: str) -> Message:
    """One sentence for each bad line, and the good ones as a command to copy. Nothing was changed."""
    title = t.NOT_ADDED if command == "add" else t.NOT_REMOVED
    lines = [bold(title), *(_problem(problem) for problem in parsed.problems[:_PROBLEMS_SHOWN])]
    if len(parsed.problems) > _PROBLEMS_SHOWN:
        lines.append(f"+{len(parsed.problems) - _PROBLEMS_SHOWN}")
    if not parsed.entries:
        return Message("\n".join(lines))
    again = f"/{command} " + ", ".join(str(entry) for entry in parsed.entries)
    lines += ["", t.GOOD_ONES, code(again)]
    return Message(
        "\n".join(lines), ((Button(t.COPY_GOOD, copy=again),),) if len(again) <= _COPY_LIMIT else ()
    )


def how_to(command: str) -> Message:
    """For a command without its list."""
    if command == "add":
        examples = [f"/add {example}" for example in t.EXAMPLES]
        return Message("\n".join([t.HOW_TO_ADD, *map(code, examples), t.EXAMPLES_NOTE]))
    return Message("\n".join([t.HOW_TO_REMOVE, code("/remove SOL"), code("/remove SOL 20, ETH")]))


def _problem(problem: Problem) -> str:
    names = {
        "line": html(problem.line),
        "word": html(problem.word),
        "near": t.OR.join(html(name) for name in problem.near),
    }
    key: str = problem.trouble.value
    if problem.trouble is Trouble.UNKNOWN_COIN and not problem.near:
        key = "unknown_coin_none"
    return t.PROBLEMS[key].format(**names)


def _doubt(entry: Entry) -> list[str]:
    """How an amount was read that means another one elsewhere, and how to put it right."""
    if entry.doubt is None or entry.amount is None:
        return []
    said = t.DOUBT.format(
        written=html(entry.doubt.written), value=exact(entry.amount), other=exact(entry.doubt.other)
    )
    asset = html(entry.asset)
    return [
        f"{said} {code(f'/remove {asset} {entry.amount:f}')} {code(f'/add {asset} {entry.doubt.other:f}')}"
    ]


def _now(entries: Sequence[Entry], view: PortfolioView) -> list[str]:
    held = {line.asset: line for line in view.lines}
    lines = []
    for asset in list(dict.fromkeys(entry.asset for entry in entries))[:_BRIEF]:
        line = held.get(asset)
        if line is None:
            lines.append(t.NOW_NONE.format(asset=html(asset)))
        elif line.amount != sum(entry.amount or 0 for entry in entries if entry.asset == asset):
            lines.append(t.NOW_HOLD.format(asset=html(asset), amount=amount(line.amount)))
    return lines


def _brief(view: PortfolioView) -> list[str]:
    if not view.lines:
        return [t.PORTFOLIO_NONE]
    lines = [_plain(line) for line in view.lines]
    return [t.PORTFOLIO.format(value=usd(view.value)), *_cut(lines, _BRIEF)]


def _cut(lines: list[str], shown: int) -> list[str]:
    if len(lines) <= shown + 1:
        return lines
    rest = lines[shown:]
    return [*lines[:shown], folded([t.MORE_COINS.format(count=len(rest)), *rest])]


def _plain(line: HoldingLine) -> str:
    named = {"asset": html(line.asset), "amount": amount(line.amount)}
    if line.value is None:
        return f"• {t.PORTFOLIO_NO_PRICE.format(**named)}"
    return f"• {t.PORTFOLIO_LINE.format(**named, value=usd(line.value))}"


def _full(line: HoldingLine, factor: str) -> str:
    said = [_plain(line)]
    if line.beta is not None and abs(line.beta) >= _LEAST_BETA and line.asset != factor:
        said.append(t.MOVES_LIKE.format(beta=f"{line.beta:.1f}", factor=html(factor)))
    if line.cost and line.price is not None:
        said.append(t.SINCE_BOUGHT.format(change=percent(line.price / line.cost - 1, signed=True)))
    return ", ".join(said)


def _exposure(view: PortfolioView) -> str:
    if view.exposure.gross <= 0:
        return t.NO_EXPOSURE
    return t.EXPOSURE.format(gross=usd(view.exposure.gross), factor=html(view.factor))


def _way_back(before: PortfolioView, after: PortfolioView) -> str:
    """A command that adds again what is gone."""
    left = {line.asset: line.amount for line in after.lines}
    gone = [
        str(Entry(line.asset, line.amount - left.get(line.asset, Decimal(0)), line.cost))
        for line in before.lines
        if line.amount > left.get(line.asset, Decimal(0))
    ]
    return f"/add {', '.join(gone)}" if gone else ""
