"""`hedgehog replay`: a rule over a price history, with no bot: a table, JSON, a picture."""

import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.cli.replay_report import as_json, as_table
from hedging.assets import KNOWN, held_as, table
from hedging.errors import BadInput
from hedging.replay import METHODS, FundingHistory, Result, Rule, outlook, parse, run

SPAN = {"d": 1, "w": 7}


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """The command's options as they were typed."""

    history: Path
    holdings: str
    target: float
    method: str
    instruments: str
    max_legs: int
    start: str | None
    end: str | None
    rebalance: str
    train: str
    exclude_direct: bool
    reset_holdings: bool
    beta: float
    factor: str
    leverage: float
    band: float
    fee: float
    slippage: float
    funding: Path | None
    funding_rate: float
    assets: Path | None
    as_json: bool
    picture: Path | None


def replay(options: ReplayOptions) -> str:
    """What is to be printed. Raises HedgingError with one sentence for what cannot be read or replayed."""
    method = next((m for m in METHODS if m == options.method), None)
    if method is None:
        raise BadInput(f"The method must be one of {', '.join(METHODS)}, not {options.method}.")
    holdings = parse_holdings(options.holdings)
    known = table(lines_of(options.assets)) if options.assets else KNOWN
    rule = Rule(
        target=options.target,
        method=method,
        instruments=tuple(name.strip().upper() for name in options.instruments.split(",") if name.strip()),
        max_legs=options.max_legs,
        beta=options.beta,
        factor=options.factor.upper(),
        exclude_direct=options.exclude_direct,
        reset_holdings=options.reset_holdings,
        train_days=parse_span(options.train, "train"),
        rebalance_days=parse_span(options.rebalance, "rebalance"),
        band=options.band,
        leverage=options.leverage,
        taker_fee=options.fee,
        slippage=options.slippage,
        funding_rate=options.funding_rate,
    )
    start, end = parse_day(options.start, "start"), parse_day(options.end, "end")
    funding = read_funding(options.funding) if options.funding else {}
    candles = parse(lines_of(options.history))
    held = held_as(holdings, {name.partition("/")[0] for name in candles.names}, known)
    if not held:
        raise BadInput("There is nothing to hedge: all that is held stands for dollars.")
    result = run(candles, held, rule, start=start, end=end, funding=funding)
    ahead = outlook(candles, held, rule, result)
    if options.picture is not None:
        try:
            options.picture.write_text(drawn(result), encoding="utf-8")
        except OSError as error:
            raise BadInput(
                f"The picture cannot be written to {options.picture}: {error.strerror}."
            ) from error
    return as_json(result, ahead) if options.as_json else as_table(result, rule, ahead)


def parse_holdings(text: str) -> dict[str, float]:
    """ "SOL=120,ADA=5000" as asset -> amount. Raises BadInput."""
    holdings: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"([A-Za-z0-9]{1,15})\s*=\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)", part)
        if match is None or not 0 < float(match[2]) < float("inf"):
            raise BadInput(f"The holding {part!r} does not read like SOL=120.")
        if match[1].upper() in holdings:
            raise BadInput(f"{match[1].upper()} is named twice among the holdings.")
        holdings[match[1].upper()] = float(match[2])
    if not holdings:
        raise BadInput("There is no holding: say what is held, like SOL=120,ADA=5000.")
    return holdings


def parse_span(text: str, what: str) -> int:
    """ "14d" or "2w" as days. Raises BadInput."""
    match = re.fullmatch(r"([1-9][0-9]{0,3})([dw])", text.strip().lower())
    if match is None:
        raise BadInput(f"The {what} span {text!r} does not read like 14d or 2w.")
    return int(match[1]) * SPAN[match[2]]


def parse_day(text: str | None, what: str) -> np.datetime64 | None:
    """An ISO day. Raises BadInput."""
    if text is None:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()):
            raise ValueError(text)
        return np.datetime64(text.strip(), "s")
    except ValueError:
        raise BadInput(f"The {what} {text!r} is no day like 2021-05-19.") from None


def lines_of(file: Path) -> Iterator[str]:
    """The lines of a file, plain or gzipped. Raises BadInput when it cannot be read."""
    try:
        with file.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with (
            gzip.open(file, "rt", encoding="utf-8-sig") if zipped else file.open(encoding="utf-8-sig") as text
        ):
            yield from text
    except (OSError, EOFError, UnicodeDecodeError) as error:
        reason = (
            error.strerror
            if isinstance(error, OSError) and error.strerror
            else "it is neither text nor whole gzip"
        )
        raise BadInput(f"The file {file.name} cannot be read: {reason.lower()}.") from error


def read_funding(file: Path) -> dict[str, FundingHistory]:
    """Tidy CSV with symbol, timestamp, funding_rate as asset -> history. Raises BadInput."""
    rows: dict[str, list[tuple[np.datetime64, float]]] = {}
    for number, row in enumerate(csv.DictReader(lines_of(file)), start=2):
        try:
            rate, time = float(row["funding_rate"]), np.datetime64(row["timestamp"].removesuffix("Z"), "s")
            symbol = row["symbol"].partition("/")[0]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadInput(
                f"Line {number} of the funding history is not symbol, timestamp, funding_rate."
            ) from None
        if not abs(rate) < 1:
            raise BadInput(f"Line {number} of the funding history: {rate} is no funding rate.")
        rows.setdefault(symbol, []).append((time, rate))
    return {
        asset: FundingHistory(np.array([time for time, _ in found]), np.array([rate for _, rate in found]))
        for asset, found in rows.items()
    }


def drawn(result: Result, width: int = 960, height: int = 420) -> str:
    """Both equities (profit since the start) as a picture in SVG, which every browser shows."""
    lines = {
        "unhedged": np.cumsum([0.0, *(unhedged for _, unhedged, _ in result.daily)]),
        "hedged": np.cumsum([0.0, *(hedged for _, _, hedged in result.daily)]),
    }
    low, high = (float(edge([edge(line) for line in lines.values()])) for edge in (np.min, np.max))
    span = high - low or 1.0
    colours: Mapping[str, str] = {"unhedged": "#c2410c", "hedged": "#0f766e"}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for value in np.linspace(low, high, 5):
        y = 20 + (height - 60) * (high - value) / span
        parts.append(f'<line x1="80" x2="{width - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="74" y="{y + 4:.1f}" text-anchor="end" fill="#6b7280">{value:,.0f}</text>')
    for row, (name, line) in enumerate(lines.items()):
        x = 80 + (width - 100) * np.arange(len(line)) / (len(line) - 1)
        points = " ".join(
            f"{a:.1f},{b:.1f}" for a, b in zip(x, 20 + (height - 60) * (high - line) / span, strict=True)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colours[name]}" stroke-width="1.6"/>')
        parts.append(f'<text x="{90 + 90 * row}" y="{height - 10}" fill="{colours[name]}">{name}</text>')
    first, last = result.daily[0][0], result.daily[-1][0]
    parts.append(
        f'<text x="{width - 20}" y="{height - 10}" text-anchor="end" fill="#6b7280">{first} to {last}</text>'
    )
    return "\n".join([*parts, "</svg>", ""])
