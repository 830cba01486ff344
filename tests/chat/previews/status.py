"""How somebody stands."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.chat.views import status
from bot.chat.views.message import Message
from bot.ports.records import Alert, AlertState, Attempt, AttemptState
from bot.services.status import PositionLine, StatusView
from hedging.portfolio import Exposure
from tests.chat.previews.people import LIVE, MEXC, NOON, PAPER, RULE, D


def standing(**more: Any) -> StatusView:
    usual: dict[str, Any] = {
        "user_id": 11,
        "account": PAPER,
        "value": D("21595"),
        "exposure": Exposure(D("21595"), D("30378"), D("15150")),
        "rule": RULE,
        "positions": (
            PositionLine(
                "SOL/USDT:USDT",
                D("60"),
                "short",
                D("8286"),
                D("142.2"),
                D("138.1"),
                D("246"),
                D("212.4"),
                D("0.538"),
                2,
                D("0.0001"),
                8,
            ),
            PositionLine(
                "BTC/USDT:USDT",
                D("0.035"),
                "short",
                D("2189"),
                D("63251"),
                D("62543"),
                D("-24.8"),
                None,
                None,
                2,
                D("-0.00002"),
                4,
            ),
        ),
        "equity": D("100221.2"),
        "free": D("94983"),
        "alerts": (),
        "waiting": (),
        "unhedged_pnl": D("-1210.3"),
        "hedged_pnl": D("-602"),
        "since": datetime(2026, 2, 27, 9, 30, tzinfo=UTC),
        "market_time": NOON,
    }
    return StatusView(**(usual | more))


LOST = Attempt(
    client_id="hhaaaa",
    proposal_id="abcdefghijklmnop",
    leg=0,
    number=0,
    account_id=1,
    symbol="SOL/USDT:USDT",
    side="sell",
    contracts=D(60),
    limit_price=D("140.8"),
    reduce_only=False,
    leverage=2,
    position_before=D(0),
    state=AttemptState.UNKNOWN,
    created_at=NOON,
    updated_at=NOON,
)
ALERT = Alert(7, 11, "drift", AlertState.SNOOZED, {}, NOON, NOON)
SCREENS: dict[str, Message] = {
    "status": status.status(standing()),
    "status_own": status.status(
        standing(
            positions=(
                replace(standing().positions[0], own=D(5), margin_mode="isolated"),
                replace(
                    standing().positions[1], notional=None, funding_rate=None, funding_interval_hours=None
                ),
            )
        )
    ),
    "status_open": status.status(
        standing(
            positions=(),
            exposure=Exposure(D("21595"), D("30378"), D(0)),
            unhedged_pnl=None,
            hedged_pnl=None,
            since=None,
        )
    ),
    "status_drifted": status.status(
        standing(exposure=Exposure(D("21595"), D("30378"), D("9000")), alerts=(ALERT,), waiting=(LOST,))
    ),
    "status_no_balance": status.status(
        standing(account=LIVE, equity=D(0), free=D(0), sound=False, unpriced=("BNFCR",))
    ),
    "status_adl": status.status(
        standing(account=LIVE, positions=tuple(replace(line, adl_rank=3) for line in standing().positions))
    ),
    "status_adl_untold": status.status(standing(account=MEXC)),
    "status_many": status.status(
        standing(
            positions=tuple(replace(standing().positions[0], symbol=f"COIN{n}/USDT:USDT") for n in range(30))
        )
    ),
}
