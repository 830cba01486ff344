"""What an account at a stand-in has of each asset, and what of it backs which contracts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.sandbox.exchanges.traders import Trader
from hedging.money import ZERO
from hedging.paper import PaperAccount, unrealized
from hedging.paper.account import maintenance, set_aside

Prices = Mapping[str, Decimal]  # by asset
DOLLARS = ("USDT", "USDC")  # what linear contracts settle in


@dataclass(frozen=True, slots=True)
class WalletState:
    """Amounts of one asset. `wallet`: with the collateral of isolated positions, without unrealised `profit`; `bound`:
    initial margin of all positions that settle in it; `free` for new ones; `upkeep`: their maintenance margin."""

    asset: str
    wallet: Decimal
    profit: Decimal
    bound: Decimal
    free: Decimal
    upkeep: Decimal

    @property
    def equity(self) -> Decimal:
        return self.wallet + self.profit


@dataclass(frozen=True, slots=True)
class Totals:
    """Of a whole account, in US dollars."""

    wallet: Decimal
    profit: Decimal
    bound: Decimal
    upkeep: Decimal

    @property
    def equity(self) -> Decimal:
        return self.wallet + self.profit

    @property
    def free(self) -> Decimal:
        return self.equity - self.bound


def wallets(account: PaperAccount) -> list[WalletState]:
    """One an asset."""
    found = []
    for asset, cash in account.cash.items():
        mine = [one for one in account.positions.values() if one.contract.settle == asset]
        cross = [one for one in mine if one.margin_mode == "cross"]
        found.append(
            WalletState(
                asset=asset,
                wallet=cash + sum((one.margin for one in mine), ZERO),
                profit=sum(map(unrealized, mine), ZERO),
                bound=sum(map(set_aside, mine), ZERO),
                free=cash + sum((unrealized(one) - set_aside(one) for one in cross), ZERO),
                upkeep=sum(map(maintenance, mine), ZERO),
            )
        )
    return found


def worth(trader: Trader, asset: str, spot: Prices) -> Decimal:
    """US dollars a unit: what was said of it, the market's price, or a dollar, as of credits."""
    return trader.worth.get(asset, spot.get(asset, Decimal(1)))


def totals(trader: Trader, spot: Prices, *, idle: bool = False) -> Totals:
    """Over all assets that are collateral; with `idle`, also over those whose collateral is switched off."""
    counted = [
        (one, worth(trader, one.asset, spot))
        for one in wallets(trader.account)
        if idle or one.asset not in trader.idle
    ]
    return Totals(
        wallet=sum((one.wallet * price for one, price in counted), ZERO),
        profit=sum((one.profit * price for one, price in counted), ZERO),
        bound=sum((one.bound * price for one, price in counted), ZERO),
        upkeep=sum((one.upkeep * price for one, price in counted), ZERO),
    )


def lending(trader: Trader, spot: Prices) -> Prices:
    """By settle coin of dollar contracts: how much of it the account's other collateral stands for. Nothing in
    single-asset mode, where each coin backs its own contracts."""
    if not trader.multi_assets:
        return {}
    cash = trader.account.cash
    counted = {a: amount * worth(trader, a, spot) for a, amount in cash.items() if a not in trader.idle}
    return {coin: sum(counted.values(), ZERO) - counted.get(coin, ZERO) for coin in DOLLARS}


def with_cash(account: PaperAccount, more: Prices, sign: int = 1) -> PaperAccount:
    """The account with `more` of each asset, or with so much less."""
    if not more:
        return account
    cash = dict(account.cash)
    for asset, amount in more.items():
        cash[asset] = cash.get(asset, ZERO) + sign * amount
    return replace(account, cash=cash)
