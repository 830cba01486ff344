"""`hedgehog master-key` and `hedgehog rotate-key`."""

import asyncio
from pathlib import Path

import typer

from bot.bootstrap import NotConfigured
from bot.ports.vault import VaultError
from bot.sandbox.faults import Fault
from bot.settings import Settings
from bot.storage import migrate
from bot.storage.vault import FILE_SETTING, KeyFile, Rotated, open_rotation, rotate


class KeysLeft(VaultError):
    """Some data keys could not be unwrapped."""


def make_master_key(file: Path | None) -> None:
    """A new one in a new file. Raises NotConfigured, or BadMasterKey when the file is there already."""
    path = file or Settings().master_key_file
    if path is None:
        raise NotConfigured(
            "Say where to write it: hedgehog master-key FILE. Choose a place outside the data folder."
        )
    KeyFile(path).make()
    typer.echo(
        f"A new master key is in {path}, readable by its owner alone. Set {FILE_SETTING}={path.absolute()}.\n"
        "Keep a copy apart from the database and its backups: without it every exchange has to be connected again."
    )


def rotate_master_key() -> None:
    """Another master key in place of the one in use, also while the bot runs. Begun again, it goes on."""
    typer.echo(_told(asyncio.run(_rotate(Settings()))))


async def _rotate(settings: Settings) -> Rotated:
    fault = Fault(settings.kill_at, settings.data / "fault-points.txt")
    key, file = settings.master_key.get_secret_value(), settings.master_key_file
    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, settings.database)
    async with open_rotation(settings.database, key=key, key_file=file) as rotation:
        return await rotate(fault.around("rotation", rotation))


def _told(rotated: Rotated) -> str:
    if rotated.unreadable:
        raise KeysLeft(
            f"The master key {rotated.fingerprint} is in use, but {rotated.unreadable} users' keys could not be read "
            "with the old one, which is kept. Those users have to connect their exchanges again; then rotate once more."
        )
    gone = (
        "The old one is out of the file, so renew the copy that you keep of it. A backup of the database from before "
        "now needs the old one."
        if rotated.old_dropped
        else "Nothing needs the old one any more: take it out."
    )
    return f"The master key {rotated.fingerprint} is in use. Data keys under it since now: {rotated.wrapped}. {gone}"
