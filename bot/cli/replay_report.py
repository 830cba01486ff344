"""A replay as a table for people, and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite

from hedging.ratio import verdict
from hedging.replay import Outlook, Result, Rule
from hedging.replay.outlook import PUMP_DAYS
from hedging.selection import Selection

KEYS = (
    "effectiveness",
    "es5_reduction",
    "max_drawdown_hedged",
    "max_drawdown_unhedged",
    "pnl_hedged",
    "pnl_unhedged",
    "fees",
    "funding",
    "turnover",
)
WORDS = {"strong": "strong", "fair": "fair", "weak": "weak", "dont": "do not rely on it"}
REASONS = {
    "what_history_says": "that is what history says",
    "unsure": "history is too unsteady to be sure",
    "fails_in_stress": "it fails on the worst days",
    "too_little_history": "there is too little history",
}


def as_json(result: Result, ahead: Outlook) -> str:
    """The result as one JSON object."""
    content: dict[str, object] = {key: getattr(result, key) for key in KEYS}
    content["legs"] = [asdict(leg) for leg in result.legs]
    content["daily"] = [{"date": d, "unhedged": u, "hedged": h} for d, u, h in result.daily]
    content["worst_weeks"] = [asdict(week) for week in result.worst_weeks]
    content |= {key: getattr(result, key) for key in ("resizes", "top_ups", "liquidations")}
    judged = result.judged
    content["verdict"] = None if judged is None else _known(asdict(verdict(judged)) | asdict(judged))
    content["insurance_per_month"] = ahead.insurance_per_month
    content["runway"] = [asdict(runway) for runway in ahead.runways]
    content["choices"] = [_known(asdict(choice)) for choice in ahead.choices]
    content["what_if"] = [
        {"move": m, "unhedged": u, "hedged": h, "given_up": g, "liquidated": bool(gone)}
        for m, u, h, g, gone in _outcomes(ahead)
    ]
    return json.dumps(content)


def as_table(result: Result, rule: Rule, ahead: Outlook) -> str:
    """The result for a person."""
    first, last = result.daily[0][0], result.daily[-1][0]
    rows = [
        ("", "unhedged", "hedged"),
        ("profit and loss", f"{result.pnl_unhedged:,.2f}", f"{result.pnl_hedged:,.2f}"),
        ("largest drawdown", f"{result.max_drawdown_unhedged:.1%}", f"{result.max_drawdown_hedged:.1%}"),
        *((f"week from {w.start}", f"{w.unhedged:+.1%}", f"{w.hedged:+.1%}") for w in result.worst_weeks),
    ]
    said = [f"{first} to {last}, {len(result.daily)} days, {rule.method} at {rule.target:.0%}", ""]
    said += [f"{name:<22}{plain:>16}{hedged:>16}" for name, plain, hedged in rows]
    said += [
        "",
        f"variance removed      {_share(result.effectiveness)}{_interval(result, 'variance')}",
        f"worst days removed    {_share(result.es5_reduction)}{_interval(result, 'shortfall')}",
        *_verdict(result),
        f"fees and slippage     {result.fees:,.2f}",
        f"funding received      {result.funding:,.2f}",
        f"turnover              {result.turnover:.1f} x the portfolio",
        f"fits {len({leg.date for leg in result.legs})}, resized {result.resizes}, "
        f"topped up {result.top_ups}, liquidated {result.liquidations}",
    ]
    newest = max((leg.date for leg in result.legs), default=None)
    if newest is not None:
        legs = ", ".join(f"{leg.ratio:.3f} {leg.instrument}" for leg in result.legs if leg.date == newest)
        said.append(f"last legs ({newest})  {legs}")
    said += [f"price of the insurance  {ahead.insurance_per_month:,.2f} a month", *_runways(ahead)]
    said += ["", "each coin by itself", *(_choice(choice) for choice in ahead.choices)]
    if ahead.what_if is not None:
        said += ["", f"{'if the market moves':<22}{'unhedged':>16}{'hedged':>16}{'given up':>16}"]
    said += [
        f"{f'by {move:+.0%}':<22}{unhedged:>16,.2f}{hedged:>16,.2f}{given_up:>16,.2f}"
        + ("  the short is liquidated" if gone else "")
        for move, unhedged, hedged, given_up, gone in _outcomes(ahead)
    ]
    return "\n".join(said)


def _share(value: float | None) -> str:
    return "nothing to remove" if value is None else f"{value:.1%}"


NOTHING: dict[str, str] = {
    "stablecoin": "it stands for dollars",
    "no_contract": "there is no instrument for it",
    "no_history": "there is too little history",
    "weak_fit": "nothing moves enough like it",
    "too_small": "it is below the smallest order",
    "too_thin": "the market is too thin",
    "too_dear": "no hedge pays for itself",
}


def _interval(result: Result, of: str) -> str:
    if result.judged is None:
        return ""
    return f" ± {2 * (result.judged.se if of == 'variance' else result.judged.shortfall_se):.1%}"


def _verdict(result: Result) -> list[str]:
    if result.judged is None:
        return []
    found = verdict(result.judged)
    return [
        f"verdict               {WORDS[found.word]}: {REASONS[found.reason]}",
        f"correlation           {result.judged.correlation:.2f}, on the worst days "
        f"{result.judged.stress_correlation:.2f}",
    ]


def _runways(ahead: Outlook) -> list[str]:
    lines = []
    for runway in ahead.runways:
        pumps = ", ".join(
            f"{pump:.0%} in {days} d"
            for pump, days in zip(runway.pumps, PUMP_DAYS, strict=True)
            if pump is not None
        )
        lines.append(
            f"{runway.instrument + ' short':<22}survives +{runway.survives:.0%}; it once rose {pumps}"
        )
    return lines


def _choice(choice: Selection) -> str:
    if choice.chosen is None:
        return f"{choice.asset:<22}nothing: {NOTHING[choice.reason]}"
    legs = zip(choice.chosen.ratios, choice.chosen.symbols, strict=True)
    said = " + ".join(f"{ratio:.2f} {symbol}" for ratio, symbol in legs)
    return f"{choice.asset:<22}{choice.chosen.kind}, {said}; {choice.chosen.residual:.0%} of its swings stay"


def _outcomes(ahead: Outlook) -> Iterator[tuple[float, float, float, float, bool]]:
    if ahead.what_if is not None:
        o = ahead.what_if
        yield from zip(
            *(part.tolist() for part in (o.moves, o.unhedged, o.hedged, o.given_up, o.liquidated)),
            strict=True,
        )


def _known(content: object) -> object:
    """JSON has no word for what is not a number."""
    if isinstance(content, dict):
        return {name: _known(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_known(value) for value in content]
    return None if isinstance(content, float) and not isfinite(content) else content
