"""The kinds of matters: how much each presses, and what can be done about it with one tap."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.ports.records import Alert, Severity

Remedy = Literal["rebalance", "delever", "close", "retarget", "none"]

INFO, AMBER, RED = Severity.INFO, Severity.AMBER, Severity.RED


@dataclass(frozen=True, slots=True)
class Kind:
    """`raised`, `worse`: how much it presses at first, and from level `worse_from` on. `keeps`: its owner may say that
    the hedge stays as it is for a week. `changes_rule`: what its remedy aims at is the rule's from the tap on."""

    name: str
    raised: Severity
    worse: Severity
    remedy: Remedy = "none"
    keeps: bool = False
    changes_rule: bool = False
    worse_from: int = 2


ADL = "adl"
FAR = 2  # so far back in the queue for auto-deleveraging (1 to 5) a short is out of danger again

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("drift", AMBER, AMBER, "rebalance"),
        Kind("funding", INFO, AMBER, "close", keeps=True, changes_rule=True),
        Kind("liquidation", AMBER, RED, "delever"),
        Kind("basis", INFO, AMBER),
        Kind("correlation", AMBER, AMBER, "rebalance"),
        Kind("volatility", INFO, AMBER, "retarget", changes_rule=True),
        Kind("stale", INFO, AMBER, "close", keeps=True),
        Kind("orphan", INFO, AMBER, "rebalance"),
        Kind("margin", AMBER, RED, "delever"),
        Kind("market_move", AMBER, AMBER, "rebalance"),
        Kind("exit", AMBER, AMBER, "close", keeps=True),
        Kind("forced_close", RED, RED, "rebalance"),
        Kind("exchange_down", AMBER, RED),
        Kind("key_failing", RED, RED),
        Kind("key_expiring", AMBER, RED, worse_from=3),
        Kind("key_rights", AMBER, RED),
        Kind("adl", AMBER, AMBER, "delever"),
        Kind("order_waiting", AMBER, RED),
        Kind("balance", AMBER, AMBER),
    )
}

# What the finance's checks call the same matters.
FROM_CHECKS: Mapping[str, str] = {
    "coverage": "drift",
    "funding": "funding",
    "liquidation": "liquidation",
    "basis": "basis",
    "correlation": "correlation",
    "volatility": "volatility",
    "stale": "stale",
    "orphan": "orphan",
    "margin": "margin",
}


def severity(kind: str, level: int) -> Severity:
    """How much a matter presses at that level."""
    known = KINDS[kind]
    return known.worse if level >= known.worse_from else known.raised


def severity_of(alert: Alert) -> Severity:
    return severity(alert.kind, alert.level)
