"""What the checks found, as matters: who, of which kind, how bad, and the figures that its message will show."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.ports.records import Alert, AlertState
from bot.ports.watching import Crowd
from bot.services.desk.kinds import FROM_CHECKS
from bot.services.desk.policy import EDIT_EVERY, Event, Matter
from bot.services.watch.book import Seen
from hedging.checks import KINDS, Thresholds, market_move, measures, tick

MOVE = 0.12  # a portfolio that gained or lost so much since the reference deserves a word
MOVE_LASTS = timedelta(hours=24)  # market time without another move, after which the matter is over
NOTICEABLE = 0.1  # a measure that changed by less is not worth an edit
NAMES = tuple(FROM_CHECKS[name] for name in KINDS)
LITTLE_LEFT = float(Thresholds.usual().raised[KINDS.index("margin")])  # of the equity is used: a margin alert
STALE = ("age", "sold", "risen")


class Findings:
    """The matters of everybody in one group, after one pass of all checks."""

    def __init__(self, crowd: Crowd, seen: Seen) -> None:
        self.crowd, self.seen = crowd, seen
        self.now: datetime = seen.market.time
        self.users: list[int] = [crowd.users[row] for row in seen.rows.tolist()]
        levels = np.zeros((len(self.users), len(KINDS)), dtype=np.int8)
        self._live: dict[tuple[int, str], Alert] = {}
        column = {name: n for n, name in enumerate(NAMES)}
        for n, user in enumerate(self.users):
            for alert in crowd.alerts.get(user, ()):
                if not alert.subject and (kind := column.get(alert.kind)) is not None:
                    levels[n, kind] = alert.level
                    self._live[n, alert.kind] = alert
        self._levels = levels
        self._measures = measures(seen.book)
        self._coverage = seen.coverage
        quiet = np.zeros(len(self.users), dtype=np.bool_)
        edge = np.full(len(self.users), MOVE)
        fell = (seen.value < seen.peak) & market_move(seen.value, seen.peak, edge, quiet)
        gained = (seen.value > seen.reference) & market_move(seen.value, seen.reference, edge, quiet)
        self.moved: NDArray[np.bool_] = (fell | gained) & seen.hedged
        self._fell = fell
        since = np.where(seen.value < seen.reference, seen.peak, seen.reference)
        since = np.where(fell, seen.peak, since)
        with np.errstate(all="ignore"):
            self.ratio = np.where(seen.reference > 0, seen.value / seen.reference, 1.0)
            self._change = np.where(since > 0, seen.value / since - 1.0, np.nan)

    def matters(self) -> Mapping[int, list[Matter]]:
        """By user (row in the group)."""
        found: defaultdict[int, list[Matter]] = defaultdict(list)
        changed, _ = tick(self.seen.book, self._levels)
        columns = (changed.user, changed.kind, changed.before, changed.after)
        for n, kind, before, after in zip(*(c.tolist() for c in columns), strict=True):
            found[n].append(self._changed(n, NAMES[kind], before, after))
        touched = {(n, matter.alert.kind) for n, matters in found.items() for matter in matters}
        for n, matter in self._going_on(touched):
            found[n].append(matter)
        for n in np.flatnonzero(self.moved).tolist():
            self._move(n, found)
        return found

    def facts(self, n: int, kind: str) -> dict[str, Any]:
        """The figures of one matter of one user, JSON-able: shares and US dollars as numbers."""
        seen, book = self.seen, self.seen.book
        change, account = float(self._change[n]), self.crowd.accounts[seen.rows[n]]
        told: dict[str, Any] = {
            "kind": kind,
            "exchange": account.exchange,
            "mode": account.mode,
            "coverage": _number(self._coverage[n]),
            "target": _number(self.crowd.target[seen.rows[n]]),
            "band": _number(book.band[n]),
            "value": _number(seen.value[n]),
            "change": change if np.isfinite(change) else None,
            "at": self.now.isoformat(),
        }
        if kind in NAMES:
            told["measure"] = _number(self._measures[NAMES.index(kind), n])
        return told | self._details(n, kind)

    def contradicted(self, n: int) -> bool:
        """Whether the margin would run out by the balance that the exchange tells, and not by its liquidation price."""
        book = self.seen.book
        used = book.maintenance[n] > LITTLE_LEFT * book.equity[n] > 0
        return bool(used) and not np.isfinite(self._measures[NAMES.index("margin"), n])

    def coverage(self, n: int) -> float:
        return float(self._coverage[n])

    def _details(self, n: int, kind: str) -> dict[str, Any]:
        seen, book = self.seen, self.seen.book
        mine = slice(int(book.position_offsets[n]), int(book.position_offsets[n + 1]))
        short = np.maximum(book.notional[mine], 0.0)
        if not short.any():
            return {}
        match kind:
            case "funding":
                return {"cost": _number(-(short * book.funding[mine]).sum()), "short": _number(short.sum())}
            case "liquidation":
                worst = int(np.nanargmin(np.where(short > 0, book.runway[mine], np.nan)))
                pump = seen.market.history.pump[seen.market.base[seen.symbol[mine][worst]]]
                return {
                    "symbol": self._symbol(mine, worst),
                    "runway": _number(seen.runway[mine][worst]),
                    "pump": _number(pump),
                    "equity": _number(book.equity[n]),
                }
            case "basis":
                wide = int(np.argmax(short * np.abs(np.nan_to_num(book.basis[mine]))))
                return {"symbol": self._symbol(mine, wide), "basis": _number(book.basis[mine][wide])}
            case "correlation":
                return {
                    "correlation": _number(book.correlation[n]),
                    "before": _number(book.correlation_before[n]),
                }
            case "stale":
                return self._stale(n)
            case "orphan":
                lost = np.flatnonzero((short > 0) & ~(book.protected[mine] > 0)).tolist()
                return {"symbols": [self._symbol(mine, one) for one in lost[:4]]}
            case "margin":
                return {"equity": _number(book.equity[n]), "upkeep": _number(book.maintenance[n])}
            case "balance":
                told = book.reach[mine][np.isfinite(book.reach[mine])]
                return {"runway": _number(told.min())} if len(told) else {}
            case _:
                return {}

    def _stale(self, n: int) -> dict[str, Any]:
        """Which of its reasons weighs most."""
        book = self.seen.book
        before = float(book.value_before[int(book.holding_offsets[n])])
        sold = 1.0 - float(self.seen.value[n]) / before if before > 0 else 0.0
        shares = {"age": float(book.age[n]) / 90, "sold": sold / 0.2, "risen": float(book.rise[n]) / 0.2}
        reason = max(STALE, key=lambda name: np.nan_to_num(shares[name], nan=-1.0))
        return {
            "reason": reason,
            "days": _number(book.age[n]),
            "sold": _number(sold),
            "rise": _number(book.rise[n]),
        }

    def _symbol(self, mine: slice, place: int) -> str:
        wanted = int(self.seen.symbol[mine][place])
        return next(symbol for symbol, n in self.seen.market.symbol_row.items() if n == wanted)

    def _changed(self, n: int, kind: str, before: int, after: int) -> Matter:
        alert = self._live.get((n, kind))
        if after == 0 and alert is not None:
            hedged = bool(self.seen.hedged[n])
            facts = {**alert.facts, "coverage": _number(self._coverage[n]), "hedged": hedged}
            return Matter(replace(alert, facts=facts, updated_at=self.now), Event.OVER)
        facts = self.facts(n, kind)
        if alert is None:
            new = Alert(0, self.users[n], kind, AlertState.RAISED, facts, self.now, self.now, level=after)
            return Matter(new, Event.RAISED)
        event = Event.WORSE if after > before else Event.BETTER
        return Matter(replace(alert, facts=facts, updated_at=self.now, level=after), event)

    def _going_on(self, touched: set[tuple[int, str]]) -> Iterator[tuple[int, Matter]]:
        """Live matters whose level stays: their figures have changed, or their time has come."""
        for (n, kind), alert in self._live.items():
            if (n, kind) in touched:
                continue
            when = alert.due_at or alert.snoozed_until
            due = when is not None and when <= self.now
            if due or self._has_moved_on(n, kind, alert):
                facts = {**alert.facts, **_known(self.facts(n, kind))}
                fresh = replace(alert, facts=facts, updated_at=self.now)
                yield n, Matter(fresh, Event.DUE if due else Event.GOES_ON)

    def _has_moved_on(self, n: int, kind: str, alert: Alert) -> bool:
        if kind == "drift" and alert.facts.get("target") != _number(self.crowd.target[self.seen.rows[n]]):
            return alert.message_id is not None  # its owner wants another one now
        measure, told = float(self._measures[NAMES.index(kind), n]), alert.facts.get("measure")
        if alert.message_id is None or self.now - alert.updated_at < EDIT_EVERY or not np.isfinite(measure):
            return False
        return told is None or abs(measure - told) > NOTICEABLE * max(abs(told), 0.01)

    def _move(self, n: int, found: dict[int, list[Matter]]) -> None:
        """A move that also made coverage drift is one alert. When that one is just over, a fall has nobody else to tell
        of it; a rise is what ended it."""
        earlier = next((a for a in self.crowd.alerts.get(self.users[n], ()) if a.kind == "market_move"), None)
        drift = self._live.get((n, "drift"))
        told = [m.event for m in found.get(n, ()) if m.alert.kind == "drift"]
        tells = self._fell[n] if Event.OVER in told else not told and drift is None
        if not tells:
            return
        facts = self.facts(n, "market_move")
        if earlier is None:
            new = Alert(0, self.users[n], "market_move", AlertState.RAISED, facts, self.now, self.now)
            found[n].append(Matter(new, Event.RAISED))
        else:  # another move on the same day deserves a message of its own
            before = earlier.facts.get("change") or 0
            same_way = (facts["change"] or 0) * before > 0
            again = replace(earlier, facts={**facts, "again": same_way}, updated_at=self.now)
            found[n].append(Matter(again, Event.RAISED))


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is not known just now stays as it was told."""
    return {name: value for name, value in facts.items() if value is not None}


def _number(value: float | np.floating[Any]) -> float | None:
    """For JSON, which has no word for what is not finite."""
    return float(value) if np.isfinite(value) else None
