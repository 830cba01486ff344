"""From named failures to one line and an exit code."""

from collections.abc import Callable

import typer
from pydantic import ValidationError

from bot.bootstrap import NotConfigured
from bot.ports.errors import PortError
from hedging.errors import HedgingError

BAD_INPUT = 2  # what the caller can mend


def or_say(work: Callable[[], None], *also: type[Exception]) -> None:
    """Run a command. A failure that has a name becomes one line on standard error and exit code 2, never a trace."""
    expected: tuple[type[Exception], ...] = (NotConfigured, PortError, HedgingError, *also)
    try:
        work()
    except ValidationError as failure:
        first = failure.errors()[0]
        where = ".".join(str(part) for part in first["loc"]).upper()
        typer.echo(f"The setting {where} does not fit: {first['msg']}.", err=True)
    except expected as failure:
        typer.echo(str(failure), err=True)
    else:
        return
    raise typer.Exit(BAD_INPUT)
