"""The command line: one file a command, each imported when it is called."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Hedge altcoins from Telegram.",
)


class PracticeExchange(StrEnum):
    """The exchanges that the sandbox can stand in for."""

    BINANCE = "binance"
    BYBIT = "bybit"
    BINGX = "bingx"
    MEXC = "mexc"
    WEEX = "weex"


@app.command()
def run() -> None:
    """Serve the bot: Telegram, the watch and whatever was left unfinished. Settings come from the environment."""
    from bot.cli.failures import or_say
    from bot.cli.run import serve

    or_say(serve)


@app.command()
def demo(
    headless: Annotated[bool, typer.Option(help="Open no browser.")] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Where the page is served.")] = None,
    fresh: Annotated[
        bool, typer.Option(help="Forget all chats, holdings and hedges of earlier demos.")
    ] = False,
    history: Annotated[
        Path | None, typer.Option(help="Replay prices from this CSV, plain or gzipped.")
    ] = None,
    start: Annotated[datetime | None, typer.Option(help="When a fresh market begins (UTC).")] = None,
    speed: Annotated[float | None, typer.Option(min=0, help="Market seconds for each second.")] = None,
    seed: Annotated[int | None, typer.Option(help="Which simulated market, for a fresh one.")] = None,
    exchange: Annotated[
        PracticeExchange | None, typer.Option(help="Trade over this exchange's wire instead of on paper.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Where the demo keeps its state.")] = Path(".demo"),
    database: Annotated[
        str, typer.Option(help="PostgreSQL address; SQLite in the data folder without it.")
    ] = "",
) -> None:
    """Try everything on this machine with no account anywhere: a phone page, a market, the real bot."""
    from bot.cli.demo import EXPECTED, DemoOptions, run_demo
    from bot.cli.failures import or_say

    begin = start.replace(tzinfo=UTC) if start else None
    name = exchange.value if exchange else ""
    options = DemoOptions(headless, port, fresh, history, begin, speed, seed, name, data, database)
    or_say(lambda: run_demo(options), *EXPECTED)


@app.command()
def replay(
    history: Annotated[Path, typer.Option(help="Prices: a tidy CSV, plain or gzipped.")],
    holdings: Annotated[str, typer.Option(help='What is held: "SOL=120,ADA=5000".')],
    target: Annotated[float, typer.Option(help="Share of the exposure to offset.")] = 0.75,
    method: Annotated[str, typer.Option(help="auto, direct, cross, beta or manual.")] = "auto",
    instruments: Annotated[str, typer.Option(help='What can be shorted: "BTC,ETH"; all without it.')] = "",
    max_legs: Annotated[int, typer.Option(help="At most so many shorts.")] = 3,
    start: Annotated[str | None, typer.Option(help="First day, like 2021-01-01.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day.")] = None,
    rebalance: Annotated[str, typer.Option(help="How often ratios are fitted anew: 14d, 2w.")] = "14d",
    train: Annotated[str, typer.Option(help="On how much history they are fitted.")] = "60d",
    exclude_direct: Annotated[bool, typer.Option(help="Held coins cannot be shorted.")] = False,
    reset_holdings: Annotated[
        bool, typer.Option(help="Set each coin back to its first worth at every fit.")
    ] = False,
    beta: Annotated[float, typer.Option(help="The factor of the method manual.")] = 1.0,
    factor: Annotated[str, typer.Option(help="What beta and manual short.")] = "BTC",
    leverage: Annotated[float, typer.Option(help="Notional over collateral.")] = 2.0,
    band: Annotated[float, typer.Option(help="Coverage may stray so far before it is resized.")] = 0.10,
    fee: Annotated[float, typer.Option(help="Taker fee, as a fraction.")] = 0.0005,
    slippage: Annotated[float, typer.Option(help="Slippage, as a fraction.")] = 0.0002,
    funding: Annotated[Path | None, typer.Option(help="Funding history: a tidy CSV.")] = None,
    funding_rate: Annotated[float, typer.Option(help="Without it: what shorts receive per 8 h.")] = 0.0,
    assets: Annotated[
        Path | None,
        typer.Option(help="More wrapped, staked and renamed coins: CSV of name, asset, units, kind."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Write both equities to this SVG file.")] = None,
) -> None:
    """Show what a hedge would have done over a price history."""
    from bot.cli.replay import ReplayOptions
    from bot.cli.replay import replay as carried_out
    from hedging.errors import HedgingError

    options = ReplayOptions(
        history=history,
        holdings=holdings,
        target=target,
        method=method,
        instruments=instruments,
        max_legs=max_legs,
        start=start,
        end=end,
        rebalance=rebalance,
        train=train,
        exclude_direct=exclude_direct,
        reset_holdings=reset_holdings,
        beta=beta,
        factor=factor,
        leverage=leverage,
        band=band,
        fee=fee,
        slippage=slippage,
        funding=funding,
        funding_rate=funding_rate,
        assets=assets,
        as_json=as_json,
        picture=picture,
    )
    try:
        typer.echo(carried_out(options))
    except HedgingError as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(2) from failure


@app.command()
def migrate() -> None:
    """Bring the database to the newest shape. `run` does that too."""
    from bot.cli.failures import or_say
    from bot.cli.run import migrate_database

    or_say(migrate_database)


@app.command()
def doctor() -> None:
    """Check token, database, clock, exchanges and keys, and say in one line each what to do."""
    from bot.cli.doctor import doctor as carried_out
    from bot.cli.failures import or_say

    or_say(carried_out)


@app.command("master-key")
def master_key(
    file: Annotated[
        Path | None, typer.Argument(help="A new file; what HEDGEHOG_MASTER_KEY_FILE names without it.")
    ] = None,
) -> None:
    """Make the key that exchange keys are sealed under, in a new file that only its owner can read."""
    from bot.cli.failures import or_say
    from bot.cli.keys import make_master_key

    or_say(lambda: make_master_key(file))


@app.command("rotate-key")
def rotate_key() -> None:
    """Put a new master key in place of the one in use. The bot may run meanwhile; interrupted, do it again."""
    from bot.cli.failures import or_say
    from bot.cli.keys import rotate_master_key

    or_say(rotate_master_key)


def main() -> None:
    """The entry point."""
    app()
