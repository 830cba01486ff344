"""The digest: over what is sent, and for whom."""

import hashlib
from dataclasses import replace
from decimal import Decimal as D

from hedging.plan import digest
from hedging.portfolio import Holding
from tests.hedging.plan.market import plan


def test_the_digest_is_over_what_is_sent_and_for_whom() -> None:
    made = plan(Holding("SOL", D(120)))
    leg = made.legs[0]
    changed = [
        replace(leg, contracts=D("90.1")),
        replace(leg, limit_price=D("148.51")),
        replace(leg, side="buy"),
        replace(leg, reduce_only=True),
        replace(leg, leverage=3),
        replace(leg, symbol="ADA/USDT:USDT"),
    ]
    digests = {digest(replace(made, legs=(other,)), 1) for other in changed} | {
        digest(made, 1),
        digest(made, 2),
    }
    digests |= {digest(replace(made, legs=()), 1), digest(replace(made, purpose="rebalance"), 1)}
    assert len(digests) == 10 and all(len(d) == 64 for d in digests)


def test_the_digest_never_changes_its_form() -> None:
    """Cards that were shown before an update must still match after it."""
    told = '[7,"hedge","paper",[["SOL/USDT:USDT","sell","90","148.5",false,2]]]'
    assert digest(plan(Holding("SOL", D(120))), 7) == hashlib.sha256(told.encode()).hexdigest()


def test_the_same_amounts_written_differently_have_the_same_digest() -> None:
    made = plan(Holding("SOL", D(120)))
    leg = made.legs[0]
    rewritten = replace(leg, contracts=D("9E+1"), limit_price=D("148.5000"), notional=D(1))
    assert digest(made, 1) == digest(replace(made, legs=(rewritten,)), 1)
