"""The world of the demo: one market that lives on its own clock, answers what a bot asks of an exchange's public side,
and takes shocks, skips and speeds from the driver."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from bot.sandbox.market.clock import MarketClock, parse_span, parse_speed
from bot.sandbox.market.coins import STABLECOINS, coin_of, contracts_of
from bot.sandbox.market.errors import BadCommand
from bot.sandbox.market.journal import Journal, JournalFile
from bot.sandbox.market.path import HOUR_MS, Floats, PricePath
from bot.sandbox.market.shocks import Overlay, parse_shock
from bot.sandbox.market.tape import Bars, Tape
from hedging.errors import UnknownAsset, UnknownContract
from hedging.market import Candles, Contract, Funding, Quote, Snapshot
from hedging.money import ceil_to_step, floor_to_step

EXCHANGE = "sandbox"
FUNDING_HOURS = 8
_INTEREST, _DAMPER, _CAP = 0.0001, 0.0005, 0.02  # fractions per interval
_LEASE_SECONDS = 10.0
_MAX_BARS = 50_000


class World:
    """A market on one clock. Everything it says is a function of the journal and the market time."""

    def __init__(self, path: PricePath, clock: MarketClock, journal: Journal, file: JournalFile) -> None:
        self._path, self._clock, self._journal, self._file = path, clock, journal, file
        self._overlay = Overlay(path.assets, journal.seed, path.start_ms)
        for shock in journal.shocks:
            self._overlay.add(shock)
        self._tape = Tape(path, self._overlay)
        self._contracts = contracts_of(path.assets)
        self._column = {asset: i for i, asset in enumerate(path.assets)}
        self._end_ms = path.start_ms + path.hours * HOUR_MS
        self._lease(0.0)

    @property
    def simulated(self) -> bool:
        return self._journal.source == "simulated"

    @property
    def speed(self) -> float:
        return self._clock.speed

    def now_ms(self) -> int:
        """Market time; what is on disk is ahead of it before anybody learns it."""
        now = self._clock.now_ms()
        if now > self._journal.now_ms:
            self._lease(_LEASE_SECONDS)
        return now

    def now(self) -> datetime:
        return _datetime(self.now_ms())

    def snapshot(self) -> Snapshot:
        """Every spot price, quote, funding rate and contract at this instant."""
        now = self.now_ms()
        prices = np.exp(self._tape.at(now))
        stress = self._overlay.stress(now)
        spot = {asset: _decimal(prices[i]) for asset, i in self._column.items() if np.isfinite(prices[i])}
        contracts = {symbol: c for symbol, c in self._contracts.items() if c.base in spot}
        rates, settles = self._present_rates(now)
        quotes, funding = {}, {}
        for symbol, contract in contracts.items():
            column = self._column[contract.base]
            quotes[symbol] = _quote(
                contract, float(prices[column + len(self._column)]), spot[contract.base], stress
            )
            funding[symbol] = Funding(symbol, _rate(rates[column]), FUNDING_HOURS, _datetime(settles))
        spot |= dict.fromkeys(STABLECOINS, Decimal(1))
        return Snapshot(EXCHANGE, _datetime(now), spot, quotes, funding, contracts)

    def day_change(self) -> dict[str, float]:
        """The change of each spot price over 24 hours as a fraction; 0 for a coin that is not listed so long."""
        now = self.now_ms()
        change = np.expm1(self._tape.at(now) - self._tape.at(now - 24 * HOUR_MS))
        return {asset: float(np.nan_to_num(change[i])) for asset, i in self._column.items()}

    def candles(self, names: Sequence[str], since: datetime, bar: timedelta) -> Candles:
        """Bars that open at or after `since`, the unfinished one included. `bar`: whole hours, or whole minutes that
        divide an hour. Raises UnknownAsset for a name, BadCommand for a bar or a span that is not served."""
        minutes, rest = divmod(bar, timedelta(minutes=1))
        if rest or minutes < 1 or (60 % minutes if minutes < 60 else minutes % 60):
            raise BadCommand("The bar must be whole hours, or whole minutes that divide an hour.")
        now, bar_ms = self.now_ms(), minutes * 60_000
        columns = [self._series(name) for name in names]
        first = -(-max(_milliseconds(since), self._path.start_ms) // bar_ms) * bar_ms
        if (now - first) // min(bar_ms, HOUR_MS) > _MAX_BARS:
            raise BadCommand("The span is too long for bars that short.")
        bars = self._hours(first, now) if minutes >= 60 else self._tape.minutely(first, now)
        bars = bars.every(minutes // 60 if minutes >= 60 else minutes)
        times = (first + np.arange(len(bars.close)) * bar_ms).astype("datetime64[ms]").astype("datetime64[s]")
        picked = [_pick(part, columns) for part in (bars.close, bars.high, bars.low)]
        return Candles(tuple(names), times, *picked)

    def funding_since(self, symbol: str, since: datetime) -> tuple[Funding, ...]:
        """What was settled in (since, now], ascending. Raises UnknownContract."""
        if symbol not in self._contracts:
            raise UnknownContract(f"{EXCHANGE} has no contract {symbol}")
        column, interval = self._column[self._contracts[symbol].base], FUNDING_HOURS * HOUR_MS
        oldest = self._path.start_ms + (FUNDING_HOURS - 1) * HOUR_MS
        first = max(_milliseconds(since) // interval * interval + interval, -(-oldest // interval) * interval)
        settled = range(first, self.now_ms() + 1, interval)
        if not settled:
            return ()
        hours = [(time - self._path.start_ms) // HOUR_MS for time in settled]
        premium = self._tape.premium(hours[0] - FUNDING_HOURS + 1, hours[-1])
        means = premium.reshape(len(hours), FUNDING_HOURS, -1).mean(axis=1)
        return tuple(
            Funding(symbol, _rate(self._rates(mean, time)[column]), FUNDING_HOURS, _datetime(time))
            for mean, time in zip(means, settled, strict=True)
        )

    def shock(self, kind: object, size: object = None) -> None:
        """Let a shock happen now. Raises BadCommand."""
        shock = parse_shock(kind, size, self.now_ms())
        self._overlay.add(shock)
        self._journal = replace(self._journal, shocks=(*self._journal.shocks, shock))
        self._lease(_LEASE_SECONDS)

    def drill(self) -> timedelta | None:
        """How long ago the drill of 10 October 2025 began; None where it never did."""
        since = self._overlay.since("october", self.now_ms())
        return None if since is None else timedelta(milliseconds=since)

    def skip(self, span: object) -> None:
        """Leap ahead, at most to the end of what there is. Raises BadCommand."""
        milliseconds = parse_span(span)
        if self.now_ms() >= self._end_ms:
            end = _datetime(self._end_ms)
            raise BadCommand(f"The market has reached its end on {end:%d %B %Y}; start with --fresh.")
        self._clock.skip(milliseconds)
        self._lease(_LEASE_SECONDS)
        self.wind()

    def set_speed(self, speed: object) -> None:
        """Market seconds per wall second from now on. Raises BadCommand."""
        self._clock.set_speed(parse_speed(speed))
        self._lease(_LEASE_SECONDS)

    def close(self) -> None:
        """Write down exactly where the market stands."""
        self._lease(0.0)

    def _lease(self, seconds: float) -> None:
        ahead = min(self._clock.now_ms() + int(seconds * self._clock.speed * 1000), self._end_ms)
        self._journal = replace(self._journal, now_ms=ahead, speed=self._clock.speed)
        self._file.write(self._journal)

    def wind(self) -> None:
        """Make the bars up to now, so that the next answer is quick."""
        self._tape.hourly(0, (self._clock.now_ms() - self._path.start_ms) // HOUR_MS)

    def _hours(self, first: int, now: int) -> Bars:
        """Hourly bars from the boundary `first` on, the present one as far as it has come."""
        start = self._path.start_ms
        hour = max((first - start) // HOUR_MS, 0)
        present = max((now - start) // HOUR_MS, hour)
        bars = self._tape.hourly(hour, present)
        begun = self._tape.minutely(max(first, start + present * HOUR_MS), now).every(60)
        return Bars(*(np.concatenate(pair) for pair in zip(_parts(bars), _parts(begun), strict=True)))

    def _present_rates(self, now: int) -> tuple[Floats, int]:
        """The rates as they would be settled if the premium stayed, and when they will be."""
        interval = FUNDING_HOURS * HOUR_MS
        settles = now // interval * interval + interval
        count = len(self._column)
        prices = self._tape.at(now)
        samples = [np.expm1(prices[count:] - prices[:count])[None]]
        first = max((settles - interval + HOUR_MS - self._path.start_ms) // HOUR_MS, 0)
        last = (now - self._path.start_ms) // HOUR_MS
        if last >= first:
            samples.append(self._tape.premium(first, last))
        return self._rates(np.concatenate(samples).mean(axis=0), settles), settles

    def _rates(self, premium: Floats, settles: int) -> Floats:
        """Premium plus interest, drawn toward the interest within the damper, capped; as Binance states it."""
        rates = premium + np.clip(_INTEREST - premium, -_DAMPER, _DAMPER)
        imposed = self._overlay.funding(settles)
        capped: Floats = np.clip(np.nan_to_num(rates if imposed is None else imposed), -_CAP, _CAP)
        return capped

    def _series(self, name: str) -> int | None:
        """The tape's column of a series; None for a stablecoin. Raises UnknownAsset."""
        if name in STABLECOINS:
            return None
        if name in self._column:
            return self._column[name]
        if name in self._contracts:
            return self._column[self._contracts[name].base] + len(self._column)
        raise UnknownAsset(f"there is no price history of {name}")


def _parts(bars: Bars) -> tuple[Floats, Floats, Floats]:
    return bars.close, bars.high, bars.low


def _pick(part: Floats, columns: Sequence[int | None]) -> Floats:
    picked = np.ones((len(part), len(columns)))
    for i, column in enumerate(columns):
        if column is not None:
            picked[:, i] = np.exp(part[:, column])
    return picked


def _quote(contract: Contract, mark: float, index: Decimal, stress: float) -> Quote:
    coin = coin_of(contract.base)
    half_spread = min(max(0.0001 * (4e5 / coin.depth) ** 0.5, 0.00002), 0.0005) * (1 + 6 * stress)
    return Quote(
        symbol=contract.symbol,
        bid=max(floor_to_step(_decimal(mark * (1 - half_spread)), contract.tick), contract.tick),
        ask=ceil_to_step(_decimal(mark * (1 + half_spread)), contract.tick),
        mark=_decimal(mark),
        index=index,
        depth=Decimal(round(coin.depth / (1 + 4 * stress))),
    )


def _decimal(price: float) -> Decimal:
    return Decimal(f"{price:.8g}")


def _rate(rate: float) -> Decimal:
    return Decimal(f"{rate:.8f}")


def _datetime(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _milliseconds(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
