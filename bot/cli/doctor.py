"""`hedgehog doctor`: what keeps this installation from working."""

import asyncio

import typer

from bot.bootstrap import checkup
from bot.services.checkup import Finding
from bot.settings import Settings


def doctor() -> None:
    """Print a line for each thing that was looked at. Exit code 1 when something is not well."""
    findings = asyncio.run(_look(Settings()))
    for finding in findings:
        typer.echo(f"{'✓' if finding.well else '✗'} {finding.what}: {finding.said}")
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


async def _look(settings: Settings) -> list[Finding]:
    async with checkup(settings) as patient:
        return await patient.findings()
