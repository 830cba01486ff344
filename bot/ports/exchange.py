"""Markets and trading, in the domain's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from bot.ports.records import Account, Balance, Order, OrderReport
from bot.ports.vault import Credentials
from hedging.market import Candles, Funding, Snapshot
from hedging.portfolio import Position

MarginMode = Literal["cross", "isolated"]
ToldMode = Literal["cross", "isolated", "portfolio", "unknown"]  # an unknown one is never taken for another
Forced = Literal["adl", "liquidation", "settlement"]


class MarketFeed(Protocol):
    """Public market data of one exchange, read once for everybody. Every read raises Unavailable when it fails."""

    name: str

    async def snapshot(self) -> Snapshot:
        """Every spot price, quote, funding rate and contract at one instant."""
        ...

    async def candles(self, names: Sequence[str], *, since: datetime, bar: timedelta = ...) -> Candles:
        """Closes and highs of assets (spot) or contract symbols (marks) from `since` up to now, on one grid."""
        ...

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        """The funding that was settled in (since, now], ascending; `next_time` is when each was settled."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """Whether an exchange can be asked now, and since when it is so.

    `maintenance`: it says so itself; `down`: it does not answer; `paused`: it asked this machine to wait. It is asked
    again at `next_try`. `sentence` is plain, for people; it is empty for one that is up.
    """

    state: Literal["up", "maintenance", "down", "paused"]
    since: datetime
    next_try: datetime | None = None
    sentence: str = ""


class Healths(Protocol):
    """How the exchanges are, without asking them: as the calls of everybody went."""

    def health(self, name: str, *, demo: bool = False) -> Health:
        """Of the exchange that is called so; one that was never asked is up. `demo`: of its demo."""
        ...


@dataclass(frozen=True, slots=True)
class Liquidity:
    """How much of a contract can be traded, in quote units. `depth`: within 0.1 % of the touch, on the thinner side;
    `open_interest`: None where the exchange does not tell."""

    depth: Decimal
    open_interest: Decimal | None


class Liquidities(Protocol):
    async def liquidity(self, name: str, symbol: str) -> Liquidity:
        """Of a contract on the exchange that is called so, at most a quarter of an hour old. Raises Unavailable."""
        ...


class Feeds(Protocol):
    """One feed an exchange, for everybody."""

    @property
    def home(self) -> str:
        """The exchange whose prices count where no account says otherwise."""
        ...

    def feed(self, name: str) -> MarketFeed:
        """The feed of the exchange that is called so. Raises Unavailable when there is none."""
        ...


class Exchange(Protocol):
    """Trading, on the exchange that an account names. Reads raise Unavailable (KeyRefused when the account's key is not
    let in any more); writes raise Rejected or Ambiguous, never anything else."""

    name: str

    async def positions(self, account: Account) -> Sequence[Position]:
        """Every open position; a long and a short of one symbol, held side by side, are two."""
        ...

    async def balance(self, account: Account) -> Balance: ...

    async def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        """Set the leverage of a symbol; setting what is already set succeeds."""
        ...

    async def place(self, account: Account, order: Order) -> OrderReport:
        """Send the order once. Rejected: nothing stands. Ambiguous: look it up by our id."""
        ...

    async def find_order(self, account: Account, symbol: str, client_id: str) -> OrderReport | None:
        """The order that carries our id, or None when the exchange does not know of one."""
        ...

    async def positions_in(self, account: Account, symbol: str) -> Sequence[Position]:
        """The positions in one contract, asked for by its name: a second source beside the account's list, which has
        been seen empty or short for some seconds."""
        ...

    async def read_ahead(self, account: Account, symbol: str) -> Sequence[Position]:
        """An order in the symbol comes next: the positions in it, and on the way whatever else the order will ask for.
        What cannot be read now besides the positions is asked for again, and told, when the order needs it."""
        ...

    async def set_margin_mode(self, account: Account, symbol: str, mode: MarginMode) -> None:
        """Setting what is already set succeeds. Where the mode is the whole account's, it is not changed while anything
        is held there: Rejected, "margin_mode". Portfolio margin and a mode that is not known are never changed:
        Rejected, "portfolio" or "mode_unknown"."""
        ...

    async def quiet(self, account: Account, symbol: str, since: datetime) -> bool:
        """Whether no order of ours rests on the symbol and nothing was executed there from `since` on."""
        ...

    async def fills(self, account: Account, symbol: str, since: datetime) -> "Sequence[TradeFill]":
        """Executions from `since` on, ascending; also what the exchange closed by itself."""
        ...

    async def forced_closes(self, account: Account, symbol: str, since: datetime) -> "Sequence[TradeFill]":
        """What the exchange closed by itself from `since` on, ascending."""
        ...

    async def funding_paid(
        self, account: Account, symbol: str, since: datetime, until: datetime
    ) -> "Sequence[FundingPayment]":
        """What was settled from `since` to `until` (market time, both included), ascending."""
        ...

    def names_forced_closes(self, account: Account) -> bool:
        """Whether the exchange tells what it closed by itself from what its owner closed."""
        ...

    async def listed(self, account: Account, symbol: str) -> bool:
        """Whether the contract can be traded, as of now: the listing is read anew."""
        ...

    def settles_within(self, account: Account) -> timedelta:
        """After this long an order that is still not found was never accepted (time-out + receive window + skew)."""
        ...


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a key is. None: the exchange does not tell. `expires`: when it ends, or its right to trade; None also when
    it never does. `reads_only`: it may neither trade nor withdraw anything. `europe`: it is of an account for Europe,
    which trades derivatives by rules of its own."""

    futures: bool | None
    withdraw: bool | None
    address_list: bool | None
    expires: datetime | None = None
    reads_only: bool = False
    europe: bool = False


@dataclass(frozen=True, slots=True)
class TradeFill:
    """One execution. `contracts` is positive; `fee` in settle units; `forced`: the exchange's doing, not an order's.
    `side` is None where the exchange does not tell it with its executions, and `of` (the side of the position that was
    traded) where it does not tell that, or holds no two sides. `id` is the exchange's, or made of what it tells."""

    symbol: str
    order_id: str
    side: Literal["sell", "buy"] | None
    contracts: Decimal
    price: Decimal
    fee: Decimal
    time: datetime
    forced: Forced | None = None
    id: str = ""
    of: Literal["long", "short"] | None = None


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """One funding settlement of an account. `amount`: received in `asset`; negative is paid."""

    symbol: str
    amount: Decimal
    asset: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of the maintenance margin: from `notional` (quote units) on, at most `max_leverage`."""

    notional: Decimal
    maintenance_margin_rate: Decimal
    max_leverage: int


class RealExchange(Exchange, Protocol):
    """What an exchange with real accounts tells besides. Reads raise Unavailable; writes Rejected or Ambiguous."""

    async def permissions(self, account: Account) -> Permissions: ...

    async def hedge_mode(self, account: Account, symbol: str) -> bool:
        """Whether the account holds longs and shorts of a symbol side by side. It is the user's, and never switched."""
        ...

    async def margin_mode(self, account: Account, symbol: str) -> ToldMode | None:
        """None where the exchange does not tell before a position is open."""
        ...

    async def open_orders(self, account: Account, symbol: str) -> Sequence[OrderReport]:
        """Orders that still rest, ours and others'."""
        ...

    async def tiers(self, account: Account, symbol: str) -> Sequence[Tier]:
        """The maintenance margin's steps, ascending; empty where the exchange tells none."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """An exchange that can be connected. `modes`: what its keys may be for."""

    name: str
    title: str
    modes: tuple[Literal["live", "demo"], ...]
    passphrase: bool  # its keys have a third part


@dataclass(frozen=True, slots=True)
class Trial:
    """What a key turned out to be good for. `hedge_mode`: longs and shorts side by side; None: not told. `margin`: the
    mode of the whole account, where it has one."""

    permissions: Permissions
    balance: Balance
    hedge_mode: bool | None
    positions: tuple[Position, ...]
    margin: ToldMode | None = None


class Connections(Protocol):
    """Which exchanges can be connected, and whether a key works."""

    @property
    def offers(self) -> Sequence[Offer]: ...

    @property
    def own_address(self) -> str:
        """This machine's, as its operator or an exchange's refusal told it; empty while nobody has."""
        ...

    async def clock_ahead(self, name: str) -> timedelta:
        """Reach the exchange that is called so, and tell by how much this machine's clock is ahead of its clock. Raises
        Unavailable."""
        ...

    async def permissions(self, account: Account) -> Permissions:
        """What the account's stored key may do. Raises KeyRefused, Unavailable or a VaultError."""
        ...

    async def trial(self, account: Account, credentials: Credentials) -> Trial:
        """Use the credentials for reading alone, and keep nothing of them. Raises KeyRefused or Unavailable."""
        ...

    def forget(self, account_id: int) -> None:
        """The account's key has changed or is gone: nothing made with the earlier one is used any more."""
        ...
