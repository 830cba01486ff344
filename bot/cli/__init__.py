"""The command line: one file a command, each imported when it is called."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Hedge altcoins from Telegram.",
)


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
    start: Annotated[datetime | None, typer.Option(help="Where in the history to begin (UTC).")] = None,
    speed: Annotated[float | None, typer.Option(min=0, help="Market seconds for each second.")] = None,
    seed: Annotated[int | None, typer.Option(help="Which simulated market.")] = None,
    data: Annotated[Path, typer.Option(help="Where the demo keeps its state.")] = Path(".demo"),
    database: Annotated[
        str, typer.Option(help="PostgreSQL address; SQLite in the data folder without it.")
    ] = "",
) -> None:
    """Try everything on this machine with no account anywhere: a phone page, a market, the real bot."""
    from bot.cli.demo import EXPECTED, DemoOptions, run_demo
    from bot.cli.failures import or_say

    begin = start.replace(tzinfo=UTC) if start else None
    options = DemoOptions(headless, port, fresh, history, begin, speed, seed, data, database)
    or_say(lambda: run_demo(options), *EXPECTED)


@app.command()
def migrate() -> None:
    """Bring the database to the newest shape. `run` does that too."""
    from bot.cli.failures import or_say
    from bot.cli.run import migrate_database

    or_say(migrate_database)


def main() -> None:
    """The entry point."""
    app()
