"""How somebody stands."""

from decimal import Decimal

from bot.chat.texts import screens as t
from bot.chat.texts.alerts import KINDS as ALERT_KINDS
from bot.chat.views.accounts.badge import badge_of, title
from bot.chat.views.message import Button, Message, Rows, bold, folded, html
from bot.chat.views.numbers import amount, base_of, percent, price, signed_usd, usd
from bot.chat.views.proposal import units
from bot.ports.records import AlertState, AttemptState
from bot.services.status import PositionLine, StatusView

_POSITIONS_SHOWN = 4
_FUNDING_HOURS = 8


def status(view: StatusView) -> Message:
    """Coverage first, then money, shorts, and what is waiting."""
    positions = [line for position in view.positions[:_POSITIONS_SHOWN] for line in _position(position)]
    rest = [_brief(position) for position in view.positions[_POSITIONS_SHOWN:]]
    blocks = [
        [bold(_headline(view)), badge_of(view.account)],
        [
            t.STATUS_VALUE.format(value=usd(view.value)),
            *_account(view),
            *_profits(view),
        ],
        [*positions, *([folded(rest)] if (rest := [*rest, *_untold(view)]) else [])],
        _waiting(view),
    ]
    return Message("\n\n".join("\n".join(block) for block in blocks if block), _buttons(view))


def _drifted(view: StatusView) -> bool:
    return abs(view.exposure.coverage - view.rule.target) > view.rule.band


def _headline(view: StatusView) -> str:
    if not view.positions:
        return t.STATUS_OPEN.format(value=usd(view.value))
    template = t.STATUS_DRIFTED if _drifted(view) else t.STATUS_HEDGED
    return template.format(coverage=percent(view.exposure.coverage), target=percent(view.rule.target))


def _account(view: StatusView) -> list[str]:
    lines = [t.STATUS_ACCOUNT.format(equity=usd(view.equity), free=usd(view.free))]
    if not view.sound:
        lines = [t.STATUS_NO_BALANCE.format(exchange=title(view.account.exchange))]
    if view.unpriced:
        lines.append(t.STATUS_UNPRICED.format(assets=html(", ".join(view.unpriced))))
    return lines


def _profits(view: StatusView) -> list[str]:
    if view.unhedged_pnl is None or view.hedged_pnl is None or view.since is None:
        return []
    return [
        t.STATUS_SINCE.format(date=f"{view.since.day} {view.since:%b %Y}"),
        t.STATUS_WITHOUT.format(pnl=signed_usd(view.unhedged_pnl)),
        t.STATUS_WITH.format(pnl=signed_usd(view.hedged_pnl)),
    ]


def _position(line: PositionLine) -> list[str]:
    named = t.SHORT_LINE.format(
        side=t.SIDE[line.side],
        amount=units(line.contracts, line.notional, line.mark_price),
        asset=html(base_of(line.symbol)),
        notional=_notional(line),
    )
    moved = t.SHORT_PNL.format(
        entry=price(line.entry_price), mark=price(line.mark_price), pnl=signed_usd(line.unrealized_pnl)
    )
    lines = [f"• {bold(named)}", f"  {moved}"]
    if line.liquidation_price is not None and line.liquidation_distance is not None:
        away = t.SHORT_LIQUIDATION.format(
            price=price(line.liquidation_price), distance=percent(line.liquidation_distance)
        )
        lines.append(f"  {away}")
    if line.adl_rank is not None:
        lines.append(f"  {t.SHORT_ADL.format(rank=line.adl_rank)}")
    if line.margin_mode == "isolated":
        lines.append(f"  {t.SHORT_ISOLATED}")
    if line.own:
        lines.append(f"  {t.SHORT_OWN.format(amount=amount(line.own), asset=html(base_of(line.symbol)))}")
    if line.funding_rate is None or line.funding_interval_hours is None:
        return lines
    rate = line.funding_rate * _FUNDING_HOURS / line.funding_interval_hours
    received = rate if line.side == "short" else -rate
    if rate:
        template = t.SHORT_FUNDING_RECEIVES if received > 0 else t.SHORT_FUNDING_PAYS
        lines.append(f"  {template.format(rate=_rate(abs(rate)))}")
    return lines


def _untold(view: StatusView) -> list[str]:
    """Practice has no such queue."""
    shorts = [line for line in view.positions if line.side == "short"]
    if view.account.mode == "paper" or not shorts or all(line.adl_rank is not None for line in shorts):
        return []
    return [t.ADL_UNTOLD.format(exchange=title(view.account.exchange))]


def _brief(line: PositionLine) -> str:
    return t.SHORT_BRIEFLY.format(
        side=t.SIDE[line.side],
        amount=units(line.contracts, line.notional, line.mark_price),
        asset=html(base_of(line.symbol)),
        notional=_notional(line),
        pnl=signed_usd(line.unrealized_pnl),
    )


def _notional(line: PositionLine) -> str:
    return t.NOT_LISTED if line.notional is None else usd(line.notional)


def _rate(share: Decimal) -> str:
    """Funding is small: three places of a percent."""
    text = f"{share * 100:.4f}".rstrip("0").rstrip(".")
    return f"{text}%"


def _waiting(view: StatusView) -> list[str]:
    lines = []
    for attempt in view.waiting:
        template = t.STATUS_MANUAL if attempt.state is AttemptState.MANUAL else t.STATUS_WAITING
        lines.append(template.format(asset=html(base_of(attempt.symbol))))
    named = []
    for alert in view.alerts:
        kind = ALERT_KINDS.get(alert.kind, html(alert.kind))
        snoozed = alert.state is AlertState.SNOOZED
        named.append(t.SNOOZED_ALERT.format(alert=kind) if snoozed else kind)
    return [*lines, t.STATUS_ALERTS.format(alerts=", ".join(named))] if named else lines


def _buttons(view: StatusView) -> Rows:
    refresh = Button(t.REFRESH, "st:refresh")
    if not view.positions:
        return ((Button(t.HEDGE, "go:hedge", style="primary"), refresh),)
    close = Button(t.CLOSE, "st:close", style="danger")
    if _drifted(view):
        return ((Button(t.BACK_TO_TARGET, "go:hedge", style="primary"),), (refresh, close))
    return ((refresh, close),)
