"""The checks of a tick as a plain Python loop over users: slow, and easy to believe."""

import math

import numpy as np

from hedging.checks import KINDS, Book, Levels, Thresholds


def crowd(users: int, holdings: int = 8, positions: int = 3, seed: int = 1) -> Book:
    """Random but plausible people; some without holdings, without a short, with a long, with what is unknown."""
    rng = np.random.default_rng(seed)
    held = np.where(rng.random(users) < 0.03, 0, holdings)
    short = rng.integers(0, positions + 1, users)
    holding_offsets = np.concatenate([[0], np.cumsum(held)])
    position_offsets = np.concatenate([[0], np.cumsum(short)])
    h, p = int(holding_offsets[-1]), int(position_offsets[-1])
    value = rng.lognormal(6, 1, h)

    def unknown(values: np.ndarray, share: float = 0.02) -> np.ndarray:
        return np.where(rng.random(len(values)) < share, np.nan, values)

    return Book(
        holding_offsets=holding_offsets,
        value=value,
        beta=rng.normal(1.2, 0.3, h),
        value_before=value * rng.choice([1.0, 1.0, 1.3], h),
        position_offsets=position_offsets,
        notional=rng.lognormal(7, 1, p) * rng.choice([1.0, 1.0, 1.0, -1.0], p),
        position_beta=rng.normal(1.0, 0.1, p),
        runway=unknown(rng.lognormal(-0.5, 0.8, p), 0.2),
        reach=unknown(rng.lognormal(-2.0, 1.0, p), 0.2),
        funding=unknown(rng.normal(0.005, 0.02, p)),
        basis=rng.normal(0, 0.006, p),
        protected=rng.choice([0.0, 1000.0, 5000.0], p, p=[0.1, 0.5, 0.4]),
        expires=np.where(rng.random(p) < 0.1, rng.uniform(0, 30, p), np.nan),
        target=rng.choice([0.25, 0.5, 0.75, 1.0], users),
        band=rng.choice([0.05, 0.1, 0.2], users),
        equity=rng.lognormal(7, 1, users) * rng.choice([1.0, 1.0, 0.0], users),
        maintenance=rng.lognormal(5, 1.5, users),
        age=rng.uniform(0, 200, users),
        rise=rng.normal(0, 0.2, users),
        correlation=unknown(rng.uniform(-0.2, 0.95, users)),
        correlation_before=rng.uniform(0.5, 0.95, users),
        days=np.full(users, 14.0),
        days_before=np.full(users, 60.0),
        volatility=unknown(rng.lognormal(-3, 0.4, users)),
        volatility_before=rng.lognormal(-3, 0.2, users),
    )


Columns = dict[str, list[float]]


def columns(book: Book) -> Columns:
    """The book as lists, which is what a plain loop would hold."""
    return {name: getattr(book, name).tolist() for name in Book.__dataclass_fields__}


def measure_one(c: Columns, u: int) -> list[float]:
    gross = value = before = 0.0
    for i in range(int(c["holding_offsets"][u]), int(c["holding_offsets"][u + 1])):
        gross += c["value"][i] * c["beta"][i]
        value += c["value"][i]
        before += c["value_before"][i]
    total = offset = funding = basis = orphan = 0.0
    runway = due = reach = math.inf
    largest = 0.0
    for i in range(int(c["position_offsets"][u]), int(c["position_offsets"][u + 1])):
        short = c["notional"][i]
        if short <= 0:
            continue
        total += short
        largest = max(largest, short)
        offset += short * c["position_beta"][i]
        funding += short * c["funding"][i]
        basis += short * abs(c["basis"][i])
        if c["protected"][i] <= 0:
            orphan += short
        if not math.isnan(c["runway"][i]):
            runway = min(runway, c["runway"][i])
        if not math.isnan(c["reach"][i]):
            reach = min(reach, c["reach"][i])
        if not math.isnan(c["expires"][i]):
            due = min(due, max(c["expires"][i], 1e-3))
    spread = math.sqrt(1 / (c["days"][u] - 3) + 1 / (c["days_before"][u] - 3))
    stale = [c["age"][u] / 90, c["rise"][u] / 0.2, 3 / due]
    if before > 0:
        stale.append((1 - value / before) / 0.2)
    equity, maintenance = c["equity"][u], c["maintenance"][u]
    return [
        0.0 if gross <= 0 else abs(offset / gross - c["target"][u]) / c["band"][u],
        0.0 if total == 0 else -funding / total,
        -runway,
        0.0 if total == 0 else basis / total,
        (math.atanh(c["correlation_before"][u]) - math.atanh(c["correlation"][u])) / spread,
        c["volatility"][u] / c["volatility_before"][u],
        0.0 if total == 0 else max(stale),
        0.0 if total == 0 else orphan / total,
        margin_one(equity, maintenance, largest, reach),
    ]


def margin_one(equity: float, maintenance: float, largest: float, reach: float) -> float:
    if maintenance == 0:
        return 0.0
    if equity <= 0:
        return math.nan
    told = largest > 0 and math.isfinite(reach)
    contradicted = told and reach > 2 * max(equity - maintenance, 0.0) / largest + 0.05
    return math.nan if contradicted else maintenance / equity


Change = tuple[int, int, int, int, float]


def tick_loop(book: Book, levels: Levels, edges: Thresholds) -> tuple[list[Change], Levels]:
    """(user, kind, before, after, measure) of everything that changed, and the new levels."""
    c = columns(book)
    raised, escalated, recovered = edges.raised.tolist(), edges.escalated.tolist(), edges.recovered.tolist()
    changed, after = [], []
    for u, was_all in enumerate(levels.tolist()):
        measured = measure_one(c, u)
        now_all = []
        for kind in range(len(KINDS)):
            was, m = was_all[kind], measured[kind]
            if math.isnan(m):
                now = was
            elif m > (raised[kind] if was == 2 else escalated[kind]) and m > (
                recovered[kind] if was else raised[kind]
            ):
                now = 2
            elif m > (recovered[kind] if was else raised[kind]):
                now = 1
            else:
                now = 0
            now_all.append(now)
            if now != was:
                changed.append((u, kind, was, now, m))
        after.append(now_all)
    return changed, np.array(after, dtype=np.int8)
