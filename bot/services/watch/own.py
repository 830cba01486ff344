"""Matters that no array knows: an exchange that is away, a key that is refused, orders nobody has settled, shorts that
somebody else has closed, and ways out that were agreed upon."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.ports.exchange import Health, Healths
from bot.ports.records import Account, AccountState, Alert, AlertState, Attempt, KeyLook
from bot.ports.watching import Crowd
from bot.services.desk.policy import Event, Matter
from bot.services.watch.exits import reached
from bot.services.watch.findings import MOVE_LASTS, Findings
from bot.services.watch.keys import KEY_KINDS, LAST_STAGE, key_matters
from bot.services.watch.looks import Closed

AWAY_AFTER = timedelta(minutes=5)  # wall time without a look before its owner hears of it
DOWN_AFTER = timedelta(minutes=1)  # where it is known that the exchange answers nobody
AWAY_LONG = timedelta(hours=1)
WAITING_LONG = timedelta(minutes=5)  # before the look-ups give up
DOUBTED_AFTER = 2  # looks
CLOSED_LASTS = timedelta(hours=24)

_WAITS: Mapping[str, timedelta] = {"maintenance": timedelta(0), "down": DOWN_AFTER}

OWN_KINDS = frozenset(
    (
        "exchange_down",
        "key_failing",
        "order_waiting",
        "forced_close",
        "exit",
        "market_move",
        "balance",
        *KEY_KINDS,
    )
)


@dataclass(frozen=True, slots=True)
class Outside:
    """What is known besides the columns. `waiting`: unsettled attempts; `away`: exchanges whose market cannot be read,
    since when (wall time); `healths`: how the exchanges are, as everybody's calls went; `unseen`: who had an order
    since their account was last seen, by user id; `given_up`: orders that nobody could tell of, by our id;
    `keys`: what was last told of each account's key."""

    now: datetime  # wall time
    market_time: datetime  # of whoever's exchange cannot tell it
    closed: Sequence[Closed]
    waiting: Sequence[Attempt]
    away: Mapping[str, datetime]
    healths: Healths
    unseen: Collection[int] = ()
    given_up: Collection[str] = ()
    keys: Sequence[tuple[Account, KeyLook | None]] = ()

    def health(self, account: Account) -> Health:
        return self.healths.health(account.exchange, demo=account.mode == "demo")


class OwnMatters:
    """Everybody's matters of these kinds, as changes against the alerts that are live."""

    def __init__(self, crowd: Crowd, outside: Outside, found: Mapping[int, tuple[Findings, int]]) -> None:
        """`found`: by user id, where the checks saw them."""
        self._crowd, self._outside, self._found = crowd, outside, found
        self._row = {user: n for n, user in enumerate(crowd.users)}

    def matters(self) -> Iterator[tuple[int, Matter]]:
        """By user id."""
        wanted: dict[tuple[int, str, str], tuple[int, dict[str, Any]]] = {}
        for user, kind, subject, level, facts in self._present():
            wanted[user, kind, subject] = (level, facts)
        for user, alerts in self._crowd.alerts.items():
            for alert in alerts:
                if alert.kind in OWN_KINDS:
                    now = wanted.pop((user, alert.kind, alert.subject), None)
                    matter = self._known(user, alert, now)
                    if matter is not None:
                        yield user, matter
        for (user, kind, subject), (level, facts) in wanted.items():
            at = self.time(user)
            new = Alert(0, user, kind, AlertState.RAISED, facts, at, at, subject=subject, level=level)
            yield user, Matter(new, Event.RAISED)

    def _known(self, user: int, alert: Alert, now: tuple[int, dict[str, Any]] | None) -> Matter | None:
        at = self.time(user)
        if now is None and self._lasts(user, alert, at):
            now = (alert.level, dict(alert.facts))
        if now is None:
            return Matter(replace(alert, updated_at=at, facts=self._with(user, alert.facts)), Event.OVER)
        level, facts = now
        if alert.kind == "key_expiring" and facts.get("expires") == alert.facts.get("expires"):
            level = max(level, alert.level)  # a clock that steps back takes no stage back
        if level != alert.level:
            event = Event.WORSE if level > alert.level else Event.BETTER
            if alert.kind == "key_expiring" and event is Event.WORSE and level < LAST_STAGE:
                event = Event.RAISED  # each stage is told by a message of its own
            return Matter(replace(alert, level=level, facts=facts, updated_at=at), event)
        explained = facts.get("state") and facts["state"] != alert.facts.get("state")
        another_end = alert.kind == "exit" and facts.get("reason") != alert.facts.get("reason")
        if explained or another_end:
            return Matter(replace(alert, facts=facts, updated_at=at), Event.GOES_ON)
        when = alert.due_at or alert.snoozed_until
        return Matter(alert, Event.DUE) if when is not None and when <= at else None

    def _lasts(self, user: int, alert: Alert, at: datetime) -> bool:
        """Matters that happened at an instant: they last for a while, or until they were mended."""
        if alert.kind == "market_move":
            return at - alert.updated_at <= MOVE_LASTS
        if alert.kind == "key_expiring":  # the same end lies further ahead: the clock has stepped back
            ends = {str(account.id): look.expires for account, look in self._outside.keys if look is not None}
            end = ends.get(alert.subject)
            return end is not None and end.isoformat() == alert.facts.get("expires")
        if alert.kind != "forced_close" or at - alert.raised_at > CLOSED_LASTS or user not in self._found:
            return alert.kind == "forced_close" and user not in self._found
        findings, n = self._found[user]
        target, band = self._crowd.target[self._row[user]], self._crowd.band[self._row[user]]
        return bool(findings.seen.hedged[n]) and abs(findings.coverage(n) - target) > band

    def _present(self) -> Iterator[tuple[int, str, str, int, dict[str, Any]]]:
        """(user, kind, subject, level, facts) of all that is the matter now."""
        yield from self._away()
        for account, kind, level, told in key_matters(self._outside.keys, self._outside.now):
            if account.user_id in self._row:
                yield account.user_id, kind, str(account.id), level, self._facts(account.user_id, kind, told)
        yield from self._doubted()
        owners = {
            account.id: user for user, account in zip(self._crowd.users, self._crowd.accounts, strict=True)
        }
        for attempt in self._outside.waiting:
            if attempt.account_id in owners:
                long = self._outside.now - attempt.created_at > WAITING_LONG
                told = {"symbol": attempt.symbol, "side": attempt.side, "contracts": str(attempt.contracts)}
                told["order"] = attempt.client_id
                user = owners[attempt.account_id]
                yield (
                    user,
                    "order_waiting",
                    attempt.symbol,
                    2 if long else 1,
                    self._facts(user, "order_waiting", told),
                )
        for one in self._outside.closed:
            if one["user"] in self._row:
                told = {name: one[name] for name in ("symbol", "before", "after")}
                if Decimal(one["after"]):
                    continue  # smaller, and still there: its drift says what that means
                yield (
                    one["user"],
                    "forced_close",
                    one["symbol"],
                    1,
                    self._facts(one["user"], "forced_close", told),
                )
        for user, exits in self._crowd.exits.items():
            if user in self._found:
                findings, n = self._found[user]
                told = reached(exits, findings.seen, n) if findings.seen.hedged[n] else {}
                if told:
                    yield user, "exit", "", 1, self._facts(user, "exit", told)

    def _away(self) -> Iterator[tuple[int, str, str, int, dict[str, Any]]]:
        now = self._outside.now
        for user, account in zip(self._crowd.users, self._crowd.accounts, strict=True):
            look = self._crowd.looks.get(user)
            since = look.failing_since if look is not None else None
            street = self._outside.away.get(account.exchange)
            if (since is None and street is None) or account.state is AccountState.DISCONNECTED:
                continue
            if look is None or not (look.positions or user in self._outside.unseen):
                continue  # there is nothing that could go wrong unseen
            kind = "key_failing" if self._refused(account, look.failure) else "exchange_down"
            began = min(t for t in (since, street) if t is not None)
            told = {"exchange": account.exchange}
            # That a key is refused is told at once by whoever noticed; here it is told again to who has a hedge there.
            wait = AWAY_LONG
            if kind == "exchange_down":
                health = self._outside.health(account)
                wait = _WAITS.get(health.state, AWAY_AFTER)
                if health.state in _WAITS:
                    began = min(began, health.since)
                    told["state"] = health.state
                if self._is_live(user, kind):
                    wait = timedelta(0)  # it is over when the account is seen again, not before
            if now - began < wait:
                continue
            told["since"] = began.isoformat()
            level = 2 if kind == "exchange_down" and now - began >= AWAY_LONG else 1
            yield user, kind, account.exchange, level, self._facts(user, kind, told)

    def _doubted(self) -> Iterator[tuple[int, str, str, int, dict[str, Any]]]:
        """Balances that are not gone by, once it is more than one look that tells them so."""
        for user, look in self._crowd.looks.items():
            contradicted = False
            if user in self._found:
                findings, n = self._found[user]
                contradicted = findings.contradicted(n)
            if user not in self._row or look.failure:
                continue
            if look.doubts >= DOUBTED_AFTER or contradicted:
                account = self._crowd.accounts[self._row[user]]
                told = {"exchange": account.exchange, "reason": look.doubt or "contradicted"}
                facts = {**self._facts(user, "balance", told), "equity": float(look.equity)}
                yield user, "balance", account.exchange, 1, facts

    def _is_live(self, user: int, kind: str) -> bool:
        return any(alert.kind == kind for alert in self._crowd.alerts.get(user, ()))

    @staticmethod
    def _refused(account: Account, failure: str) -> bool:
        return failure == "key" or account.state is AccountState.SUSPENDED

    def _facts(self, user: int, kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
        if user in self._found:
            findings, n = self._found[user]
            return {**findings.facts(n, kind), **told}
        row = self._row[user]
        return {"kind": kind, "target": self._crowd.target[row], "band": self._crowd.band[row], **told}

    def _with(self, user: int, facts: Mapping[str, Any]) -> dict[str, Any]:
        if facts.get("order") in self._outside.given_up:
            facts = {**facts, "given_up": True}
        if user not in self._found:
            return dict(facts)
        findings, n = self._found[user]
        return {**facts, "coverage": findings.coverage(n), "hedged": bool(findings.seen.hedged[n])}

    def time(self, user: int) -> datetime:
        """Market time where the user trades; as good as it is known while that market is away."""
        return self._found[user][0].now if user in self._found else self._outside.market_time
