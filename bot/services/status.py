"""How somebody stands: exposure, shorts, what the hedge has done so far."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bot.ports.clock import Clock
from bot.ports.records import Account, Alert, Attempt, AttemptState
from bot.ports.store import Store
from bot.services.errors import NoHoldings
from bot.services.reconciliation import Reconciliation
from bot.services.results import Results
from bot.services.situation import Situation, Situations
from hedging.portfolio import Exposure, Position
from hedging.rules import HedgeRule


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One perpetual. Money in quote units; `liquidation_distance`: fraction the mark may still move. `notional` and the
    funding are None where the contract is not listed any more. `own`: contracts of it that their owner sold by hand.
    `adl_rank`: place in the queue for auto-deleveraging, 1 (last) to 5; None: not told."""

    symbol: str
    contracts: Decimal
    side: str
    notional: Decimal | None
    entry_price: Decimal
    mark_price: Decimal
    unrealized_pnl: Decimal
    liquidation_price: Decimal | None
    liquidation_distance: Decimal | None
    leverage: int
    funding_rate: Decimal | None
    funding_interval_hours: int | None
    margin_mode: str = "cross"
    own: Decimal = Decimal(0)
    adl_rank: int | None = None


@dataclass(frozen=True, slots=True)
class StatusView:
    """Everything at one moment. The two profits count from `since`, when the hedge began."""

    user_id: int
    account: Account
    value: Decimal
    exposure: Exposure
    rule: HedgeRule
    positions: tuple[PositionLine, ...]
    equity: Decimal
    free: Decimal
    alerts: tuple[Alert, ...]
    waiting: tuple[Attempt, ...]
    unhedged_pnl: Decimal | None
    hedged_pnl: Decimal | None
    since: datetime | None
    market_time: datetime
    unpriced: tuple[str, ...] = ()  # assets of the account that nobody prices
    sound: bool = True  # whether its balance is one to go by


class Status:
    def __init__(
        self,
        store: Store,
        situations: Situations,
        reconciliation: Reconciliation,
        results: Results,
        clock: Clock,
    ) -> None:
        self._store = store
        self._reconciliation = reconciliation
        self._results = results
        self._situations = situations
        self._clock = clock

    async def view(self, user_id: int) -> StatusView:
        """Raises NoHoldings when nothing is held and nothing is short, and what a look at the account raises:
        Contradicted where two reads of its positions differ, so that no hedge is told to be gone that is there."""
        situation = await self._reconciliation.verified(await self._situations.of(user_id))
        if not situation.holdings and not situation.positions:
            raise NoHoldings("Nothing is held yet.")
        result = await self._results.of_both(situation) if situation.shorts else None
        exposed = situation.exposure()
        return StatusView(
            user_id=user_id,
            account=situation.account,
            value=exposed.value,
            exposure=exposed,
            rule=situation.rule,
            positions=tuple(_line(situation, position) for position in situation.positions),
            equity=situation.balance.equity,
            free=situation.balance.free,
            alerts=tuple(await self._store.live_alerts(user_id)),
            waiting=await self._waiting(situation.account),
            unhedged_pnl=result.unhedged if result else None,
            hedged_pnl=result.hedged if result else None,
            since=result.since if result else None,
            market_time=situation.snapshot.time,
            unpriced=situation.balance.unpriced,
            sound=not situation.shorts or situation.balance.equity > 0,
        )

    async def _waiting(self, account: Account) -> tuple[Attempt, ...]:
        """Orders of this account whose fate is being looked up."""
        unsettled = await self._store.open_attempts(before=self._clock.now() - timedelta(seconds=5))
        hanging = (AttemptState.UNKNOWN, AttemptState.RECONCILING)
        return tuple(a for a in unsettled if a.account_id == account.id and a.state in hanging)


def _line(situation: Situation, position: Position) -> PositionLine:
    snapshot, mark = situation.snapshot, position.mark_price
    contract, funding = snapshot.contracts.get(position.symbol), snapshot.funding.get(position.symbol)
    short = position.contracts < 0
    liquidation = position.liquidation_price
    return PositionLine(
        symbol=position.symbol,
        contracts=abs(position.contracts),
        side="short" if short else "long",
        notional=None
        if contract is None or not contract.in_dollars
        else abs(contract.notional(position.contracts, mark)),
        entry_price=position.entry_price,
        mark_price=mark,
        unrealized_pnl=position.unrealized_pnl,
        liquidation_price=liquidation,
        liquidation_distance=abs(liquidation / mark - 1) if liquidation and mark else None,
        leverage=position.leverage,
        funding_rate=None if funding is None else funding.rate,
        funding_interval_hours=None if funding is None else funding.interval_hours,
        margin_mode=position.margin_mode,
        adl_rank=position.adl_rank,
        own=-situation.own.get(position.symbol, Decimal(0)) if short else Decimal(0),
    )
