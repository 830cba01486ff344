"""What ccxt does not unify, as data: one instance an exchange, in `bot.exchange.dialects`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from bot.exchange.dialects.balances.figures import Prices
from bot.ports.exchange import Forced, Permissions, ToldMode
from bot.ports.records import Balance

Json = Mapping[str, Any]
Client = Any  # a ccxt client


@dataclass(frozen=True, slots=True)
class MarketRow:
    """What an exchange tells of one contract in bulk, as it tells it; None where it does not. Sizes and open interest
    in contracts, turnover of a day in quote units, times in milliseconds."""

    symbol: str
    bid: object
    ask: object
    bid_size: object
    ask_size: object
    mark: object
    index: object
    rate: object
    next_funding: int | None
    interval_hours: int | None
    time: int | None
    turnover: object = None
    open_interest: object = None


async def rows_by_ccxt(client: Client) -> Sequence[MarketRow]:
    """Two bulk calls: best quotes, and funding rates with marks."""
    books, rates = await client.fetch_bids_asks(None, {"type": "swap"}), await client.fetch_funding_rates()
    return [row(books[symbol], rate) for symbol, rate in rates.items() if symbol in books]


def row(book: Json, rate: Json) -> MarketRow:
    """A row of ccxt's best quote and funding rate. Where ccxt tells a next rate and time, those are to come; elsewhere
    it calls them the present ones."""
    forecast = rate.get("nextFundingRate")
    interval = str(rate.get("interval") or "")
    return MarketRow(
        symbol=str(rate["symbol"]),
        bid=book.get("bid"),
        ask=book.get("ask"),
        bid_size=book.get("bidVolume"),
        ask_size=book.get("askVolume"),
        mark=rate.get("markPrice"),
        index=rate.get("indexPrice"),
        rate=rate.get("fundingRate") if forecast is None else forecast,
        next_funding=rate.get("nextFundingTimestamp") or rate.get("fundingTimestamp"),
        interval_hours=int(interval[:-1]) if interval.endswith("h") else None,
        time=rate.get("timestamp") or book.get("timestamp"),
    )


async def spot_by_ccxt(client: Client) -> Json:
    """One bulk call: best quotes of every spot market, by ccxt symbol."""
    books: Json = await client.fetch_bids_asks(None, {"type": "spot"})
    return books


async def no_intervals(client: Client) -> Mapping[str, int]:
    """The funding interval comes with the rates, or is eight hours."""
    return {}


async def hedged_by_ccxt(client: Client, symbol: str) -> bool:
    """Position mode where ccxt reads it."""
    told = (await client.fetch_position_mode(symbol)).get("hedged")
    if not isinstance(told, bool):
        raise ValueError("the position mode is missing")
    return told


MODES: Mapping[object, ToldMode] = {"cross": "cross", "isolated": "isolated", "portfolio": "portfolio"}


async def margin_mode_by_ccxt(client: Client, symbol: str) -> ToldMode | None:
    """Margin mode where ccxt passes on what is told."""
    return MODES.get((await client.fetch_margin_mode(symbol)).get("marginMode"), "unknown")


async def no_mode_of_account(client: Client) -> ToldMode | None:
    """Each contract has its own margin mode."""
    return None


async def nothing_more(client: Client, symbol: str) -> Json:
    """No further parameters."""
    return {}


PAGE = 100
_OPEN_STATUSES = frozenset({408, 409, 418, 429})  # a proxy in front may have said so
FUNDING_SPAN = 4 * 24 * 3_600_000  # milliseconds


async def positions_by_ccxt(client: Client) -> Sequence[Json]:
    """All positions of the account in one call."""
    rows: Sequence[Json] = await client.fetch_positions(None, {})
    return rows


async def holds_anything(client: Client) -> bool:
    """Whether any position is open."""
    return any(row.get("contracts") for row in await positions_by_ccxt(client))


async def one_call(client: Client, symbol: str) -> Sequence[Json]:
    """One call without further parameters."""
    return ({},)


def same_side(hedged: bool, reduce_only: bool, side: str) -> str:
    """The order's side as it is."""
    return side


async def fills_by_ccxt(client: Client, symbol: str, since: int) -> Sequence[Json]:
    """Executions where ccxt reads them."""
    rows: Sequence[Json] = await client.fetch_my_trades(symbol, since, None, {})
    return rows


async def funding_by_spans(client: Client, symbol: str, since: int, until: int) -> Sequence[Json]:
    """Funding settlements where ccxt reads them: of four days at a time, in which also hourly ones fit into a page of a
    hundred. Exchanges tell a week at most (Bybit), or the oldest page first (Binance)."""
    rows: list[Json] = []
    for start in range(since, until + 1, FUNDING_SPAN):
        end = min(start + FUNDING_SPAN - 1, until)
        rows += await client.fetch_funding_history(symbol, start, PAGE, {"until": end, "limit": PAGE})
    return rows


def position_side(raw: Json) -> Literal["long", "short"] | None:
    """The side of the position that an execution or order was about, where one is named."""
    sides: Mapping[str, Literal["long", "short"]] = {"LONG": "long", "SHORT": "short"}
    return sides.get(str(raw.get("positionSide")).upper())


def told_something(answer: Any) -> bool:
    """A list, which may be empty, or an object that is not. Of less than that ccxt makes an empty account."""
    return isinstance(answer, list) or (isinstance(answer, Mapping) and len(answer) > 0)


async def positions_by_symbol(client: Client, symbol: str) -> Sequence[Json]:
    """The positions in one contract, asked for by its name: another question than that for the account's list."""
    rows: Sequence[Json] = await client.fetch_positions([symbol], {"symbol": client.market_id(symbol)})
    return rows


def side_kept(hedged: bool, reduce_only: bool, side: str) -> Json:
    """Parameters as ccxt unifies them: with `hedged` it picks the position's side and drops reduce-only. What is not
    meant is not sent: in hedge mode some exchanges refuse reduce-only even when it says no."""
    return {**({"hedged": True} if hedged else {}), **({"reduceOnly": True} if reduce_only else {})}


@dataclass(frozen=True, slots=True)
class Dialect:
    """One exchange as data and a few small functions.

    `error`: where an answer keeps its raw code; None when it reports no error. `rejections`: raw code -> our word for
    it (margin, reduce_only, lot, tick, min_notional, leverage, unknown_symbol, price, key, position_mode, refused); an
    order answered so was refused for good. A code that is not listed proves nothing, so that what repeats an id, a
    server's fault or an overload is left out. `open_codes`: those of which it is known that an order may stand
    nevertheless, besides faults and limits. `find`: the ccxt order that carries our id, or None.
    """

    name: str  # ccxt's id of it
    title: str  # as people write it
    error: Callable[[Any], str | None]
    rejections: Mapping[str, str]
    find: Callable[[Client, str, str], Awaitable[Json | None]]
    permissions: Callable[[Client], Awaitable[Permissions]]
    balance: Callable[[Client, Prices], Awaitable[Balance]]
    settles: frozenset[str]  # the coins in which linear contracts are traded
    whole: Callable[[Any], bool] = told_something  # whether an answer to a read has what every one has
    not_found: frozenset[str] = frozenset()  # answers to a look-up that say "no such order"
    already_set: frozenset[str] = frozenset()  # codes that say "it is so already"
    open_codes: frozenset[str] = frozenset()
    clock_skew: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()  # the key is gone, or not allowed from here
    maintenance: frozenset[str] = frozenset()  # codes that speak of the exchange, not of one contract
    busy: frozenset[str] = frozenset()  # codes of a server that fails, whatever the HTTP status
    too_many: Mapping[str, Literal["key", "address"]] = field(
        default_factory=dict
    )  # codes, and whom they mean
    bans: Mapping[int, float] = field(
        default_factory=lambda: {429: 10.0, 418: 120.0}
    )  # HTTP status -> seconds
    weights: Mapping[str, tuple[float, timedelta]] = (
        field(  # by host, of ccxt's costs; about half of what is allowed
            default_factory=lambda: {"": (100.0, timedelta(seconds=10))}
        )
    )
    calls_per: tuple[int, timedelta] = (10, timedelta(seconds=1))  # per key
    used_header: str = ""  # tells how much weight the address has used in this minute
    used_limits: Mapping[str, int] = field(default_factory=dict)  # of that weight, by host
    sub_types: Sequence[Literal["linear", "inverse"]] = ("linear",)
    options: Json = field(default_factory=dict)  # of the ccxt client
    has: Json = field(default_factory=dict)
    passphrase: bool = False
    demo: Literal["demo", "sandbox", ""] = ""
    amount_in_base: bool = False  # amounts on the wire are base coins, whatever contractSize says
    fills_in_answer: bool = False  # the answer to a new order tells its fill
    unique_ids: bool = True  # an id that was used is refused, also after a fill
    order_type: str | int = "limit"
    time_in_force: Json = field(default_factory=lambda: {"timeInForce": "IOC"})
    wire_side: Callable[[bool, bool, str], str] = same_side  # hedged, reduce-only, side -> what ccxt is told
    order_params: Callable[[bool, bool, str], Json] = side_kept  # hedged, reduce-only, side
    extra_params: Callable[[Client, str], Awaitable[Json]] = nothing_more  # what an order needs besides
    hedge_mode: Callable[[Client, str], Awaitable[bool]] = hedged_by_ccxt
    margin_mode: Callable[[Client, str], Awaitable[ToldMode | None]] = margin_mode_by_ccxt
    mode_of_account: Callable[[Client], Awaitable[ToldMode | None]] = no_mode_of_account
    holds_anything: Callable[[Client], Awaitable[bool]] = (
        holds_anything  # of whatever kind, in whatever settle coin
    )
    leverage_calls: Callable[[Client, str], Awaitable[Sequence[Json]]] = one_call
    margin_mode_params: Callable[[Client, str], Awaitable[Json]] = nothing_more
    positions: Callable[[Client], Awaitable[Sequence[Json]]] = positions_by_ccxt
    positions_in: Callable[[Client, str], Awaitable[Sequence[Json]]] = positions_by_symbol
    order_fee: Callable[[Json], object] = lambda raw: None  # paid, settle units, from a raw order
    funding_sign: int = 1  # of ccxt's amount, to make received positive
    min_notional: Callable[[Json], Decimal | None] = lambda market: None  # where ccxt does not read it
    max_amount: Callable[[Json], Decimal | None] = lambda market: None  # of a limit order, likewise
    numbers: tuple[str, str] | None = None  # what the wire calls amount and price, where ccxt makes floats
    as_numbers: bool = False  # the wire wants JSON numbers, of which a float keeps seventeen digits
    maintenance_rate: Callable[[Json], Decimal | None] = lambda market: None
    max_leverage: Callable[[Json], int | None] = lambda market: None
    fills: Callable[[Client, str, int], Awaitable[Sequence[Json]]] = (
        fills_by_ccxt  # symbol, since (milliseconds)
    )
    funding: Callable[[Client, str, int, int], Awaitable[Sequence[Json]]] = (
        funding_by_spans  # symbol, since and until (milliseconds)
    )
    forced: Callable[[Json], Forced | None] = lambda raw: None  # from a raw execution or order
    forced_closes: Callable[[Client, str, int], Awaitable[Sequence[Json]]] | None = (
        None  # None: among the fills
    )
    names_forced_closes: bool = True
    adl_rank: Callable[[Json], int | None] = lambda raw: None  # of a raw position, 1 (last in the queue) to 5
    position_side: Callable[[Json], Literal["long", "short"] | None] = position_side  # from a raw execution
    positions_tell_mode: bool = False  # ccxt's `hedged` of a position is the account's position mode
    symbol_tells_mode: bool = False  # and in all rows of one contract's positions, also when nothing is held
    margin_mode_of_account: bool = False  # and not of one symbol
    closes_at: Callable[[Json], int | None] = lambda market: None  # announced delisting, milliseconds
    rows: Callable[[Client], Awaitable[Sequence[MarketRow]]] = rows_by_ccxt
    spot: Callable[[Client], Awaitable[Json]] = spot_by_ccxt
    intervals: Callable[[Client], Awaitable[Mapping[str, int]]] = no_intervals  # hours, read with the markets
    mark_candles: Json = field(default_factory=lambda: {"price": "mark"})
    index_candles: Json | None = None  # where a coin's own candles cannot be asked for by time
    most_candles: int = 1000  # a page
    newest_candles: int = (
        0  # so many of a contract's latest are told in one cheap call, which cannot be dated
    )
    orders_per: tuple[int, timedelta] = (10, timedelta(seconds=1))  # per key
    settles_within: timedelta = timedelta(seconds=30)  # time to leave + time-out + receive window + skew

    def leaves_open(self, code: str, status: int) -> bool:
        """Whether an order that was answered with this code may stand, as far as is known: a code that nobody knows
        counts as a refusal, once the look-ups have found nothing."""
        open_ = self.open_codes | self.not_found | self.busy | self.maintenance | self.already_set
        return status in _OPEN_STATUSES or code in open_ or code in self.too_many
