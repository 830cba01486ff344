"""The seven checkpoints of a hedge, each with its reason and the figures behind it.

Source of the seven: the blueprint's practical checklist for the beginner hedger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from hedging.money import ZERO
from hedging.plan.parts import Check, Choice, Leg, Purpose
from hedging.plan.pools import Pool
from hedging.portfolio import Exposure
from hedging.rules import MAX_LEVERAGE, HedgeRule

SURVIVED_RALLY = Decimal("0.30")  # the hedge must outlive a rise of every shorted coin by this much
FUNDING_LIMIT = Decimal(
    "0.02"
)  # of the short's notional a month; dearer than this, the insurance is called costly
TOUCH = Decimal("0.001")  # the share of price within which a quote's depth is counted


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the checkpoints look at. Money in US dollars; `shorts`: symbol -> notional after the legs."""

    purpose: Purpose
    rule: HedgeRule
    choices: tuple[Choice, ...]
    legs: tuple[Leg, ...]
    measured: frozenset[str]
    before: Exposure
    after: Exposure
    shorts: Mapping[str, Decimal]
    pools: tuple[Pool, ...]  # what backs them
    funding: Mapping[str, Decimal]  # a month, positive when received
    isolated: tuple[str, ...]
    depth: Mapping[str, Decimal]
    left_alone: tuple[str, ...]
    paused: tuple[str, ...] = ()  # coins and contracts without a usable price just now
    own: tuple[str, ...] = ()  # amounts that their owner opened by hand and that are closed with the rest


def checklist(s: Situation) -> tuple[Check, ...]:
    """value, instrument, ratio, leverage, margin_mode, funding, exit: always all seven, in this order."""
    return (_value(s), _instrument(s), _ratio(s), _leverage(s), _margin_mode(s), _funding(s), _exit(s))


def plain(number: Decimal, places: int = 18) -> str:
    """Plain decimal text without exponent or trailing zeros, halves rounded to even whatever the context says.

    >>> plain(Decimal("1E+3")), plain(Decimal("0.1200")), plain(Decimal(2) / 3, 4)
    ('1000', '0.12', '0.6667')
    """
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        number = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _value(s: Situation) -> Check:
    unpriced = [c.asset for c in s.choices if c.reason == "no_price"]
    facts = {"value": _money(s.before.value)} | _list("unpriced", unpriced)
    return Check("value", not unpriced, "no_price" if unpriced else "priced", facts)


def _instrument(s: Situation) -> Check:
    exposed = [c for c in s.choices if c.reason not in ("stablecoin", "no_price")]
    without = {c.asset: c.reason for c in exposed if c.method == "none"}
    facts = (
        _list("direct", (c.asset for c in exposed if c.method == "direct"))
        | _list("cross", (c.asset for c in exposed if c.method == "cross"))
        | {
            reason: ", ".join(a for a, r in without.items() if r == reason)
            for reason in sorted(set(without.values()))
        }
    )
    apart = [c.asset for c in exposed if c.reason == "apart"]
    missing = [one for one in s.paused if one not in apart]
    facts |= _list("paused", missing) | _list("apart", apart)
    facts |= _list("another", (c.asset for c in exposed if c.another))
    if without:
        return Check("instrument", False, "none" if len(without) == len(exposed) else "not_all", facts)
    if missing or apart:
        return Check("instrument", False, "paused" if missing else "apart", facts)
    return Check("instrument", True, "found", facts)


def _ratio(s: Situation) -> Check:
    assumed = [c.asset for c in s.choices if c.method == "direct" and c.asset not in s.measured]
    coverage, target = s.after.coverage, ZERO if s.purpose == "unhedge" else s.rule.target
    facts = {
        "target": plain(target),
        "band": plain(s.rule.band),
        "before": plain(s.before.coverage, 6),
        "after": plain(coverage, 6),
    } | _list("beta_assumed", assumed)
    if s.purpose == "unhedge":
        return Check("ratio", coverage == 0, "closed" if coverage == 0 else "not_closed", facts)
    if abs(coverage - target) <= s.rule.band:
        return Check("ratio", True, "on_target", facts)
    return Check("ratio", False, "below_target" if coverage < target else "above_target", facts)


def _leverage(s: Situation) -> Check:
    highest = max((leg.leverage for leg in s.legs), default=s.rule.leverage)
    needed, free = (sum((getattr(p, name) for p in s.pools), ZERO) for name in ("needed", "free"))
    facts = {
        "leverage": str(highest),
        "at_most": str(MAX_LEVERAGE),
        "needed": _money(needed),
        "free": _money(free),
    }
    if s.purpose == "unhedge":
        return Check("leverage", True, "closed", facts)
    # Everything shorted rises by x: equity - notional x = upkeep (1 + x).
    lasts = [(p.equity - p.upkeep) / (p.short + p.upkeep) for p in s.pools if p.short > 0]
    survives = min(lasts, default=None)
    if survives is not None:
        facts |= {"survives": plain(max(survives, ZERO), 4), "survives_at_least": plain(SURVIVED_RALLY)}
    for pool in s.pools:
        if pool.opens and pool.needed > max(pool.free, ZERO):
            facts |= {"needed": _money(pool.needed), "free": _money(pool.free)}
            if not pool.coin:
                return Check("leverage", False, "not_enough_collateral", facts)
            return Check("leverage", False, "not_enough_in_coin", facts | {"coin": pool.coin})
    if survives is not None and survives < SURVIVED_RALLY:
        return Check("leverage", False, "liquidation_near", facts)
    return Check("leverage", True, "low", facts)


def _margin_mode(s: Situation) -> Check:
    if s.isolated:
        return Check("margin_mode", False, "isolated", _list("symbols", s.isolated))
    return Check("margin_mode", True, "cross", {})


def _funding(s: Situation) -> Check:
    notional, month = sum(s.shorts.values(), ZERO), sum(s.funding.values(), ZERO)
    share = month / notional if notional > 0 else ZERO
    facts = {"per_month": _money(month), "share": plain(share, 6), "limit": plain(FUNDING_LIMIT)}
    facts |= _list("unknown", (symbol for symbol in s.shorts if symbol not in s.funding))
    if notional == 0:
        return Check("funding", True, "none", facts)
    if month >= 0:
        return Check("funding", True, "receives", facts)
    return Check("funding", share >= -FUNDING_LIMIT, "small" if share >= -FUNDING_LIMIT else "costly", facts)


def _exit(s: Situation) -> Check:
    facts = {"band": plain(s.rule.band)} | _list("left_alone", s.left_alone) | _list("own", s.own)
    # Depth is taken to go on evenly, so the accepted slippage reaches this much of the book.
    reach = s.rule.max_slippage / TOUCH
    thin = [symbol for symbol, notional in s.shorts.items() if notional > s.depth.get(symbol, ZERO) * reach]
    if thin:
        return Check("exit", False, "thin_market", facts | _list("symbols", thin))
    return Check("exit", True, "closed" if s.purpose == "unhedge" else "unhedge", facts)


def _money(amount: Decimal) -> str:
    return plain(amount, 2)


def _list(key: str, names: Iterable[str]) -> dict[str, str]:
    """`key` with the names joined, or nothing when there are none."""
    joined = ", ".join(names)
    return {key: joined} if joined else {}
