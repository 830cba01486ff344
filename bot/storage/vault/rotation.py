"""Another master key in place of the one in use, one data key at a time. It may be interrupted anywhere and begun
again: at every moment the file of master keys holds all that any row needs."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import func, select, update

from bot.ports.vault import BadMasterKey, Tampered, WrongMasterKey
from bot.storage.database import Database
from bot.storage.tables import data_keys, master_keys
from bot.storage.vault.master_key import VALUE_SETTING, KeyFile, MasterKeys
from bot.storage.vault.sealing import MasterKey, new_master_key, unwrap, wrap


@dataclass(frozen=True, slots=True)
class Rotated:
    """How it ended: the new key's fingerprint, the data keys it wraps now, and those that could not be unwrapped."""

    fingerprint: str
    wrapped: int
    unreadable: int
    old_dropped: bool  # the old key is out of its file; never while anything still needs it


class Steps(Protocol):
    """The rotation's steps in their order. Each may be done twice, and each leaves every row readable."""

    async def prepare(self) -> tuple[MasterKey, ...]:
        """Both keys in their place, the new one first. A rotation that was begun goes on with the key it made."""
        ...

    async def announce(self, keys: tuple[MasterKey, ...]) -> None:
        """From here on nothing is wrapped under the old one. Raises WrongMasterKey."""
        ...

    async def left(self) -> list[tuple[int, int]]:
        """User and version of each data key that another than the announced key wraps."""
        ...

    async def rewrap(self, user_id: int, version: int, keys: tuple[MasterKey, ...]) -> bool:
        """One data key under the new master key; False when it could not be unwrapped: it is left alone."""
        ...

    async def drop_old(self, keys: tuple[MasterKey, ...]) -> bool:
        """The old key out of its file, when nothing needs it and it can be; whether that was done."""
        ...


async def rotate(steps: Steps) -> Rotated:
    """All of it. Raises NoMasterKey, BadMasterKey, WrongMasterKey or Unavailable; then it can be begun again."""
    keys = await steps.prepare()
    await steps.announce(keys)
    done = [await steps.rewrap(user_id, version, keys) for user_id, version in await steps.left()]
    return Rotated(keys[0].fingerprint, sum(done), done.count(False), await steps.drop_old(keys))


class Rotation:
    """The steps over a database and the place of its master keys."""

    def __init__(self, database: Database, source: MasterKeys) -> None:
        self._database = database
        self._source = source

    async def prepare(self) -> tuple[MasterKey, ...]:
        keys = self._source.read()
        current = await self._announced()
        if current is not None and current not in {key.fingerprint for key in keys}:
            raise WrongMasterKey(
                f"The credentials are sealed under the master key {current}, which is not among those that were given."
            )
        if len(keys) > 1:
            return keys  # a rotation goes on, or somebody put the new key there
        if not isinstance(self._source, KeyFile):
            raise BadMasterKey(
                f"{VALUE_SETTING} holds one key. Put a new one in front of it, with a space between them, start the "
                "bot with that everywhere, and rotate then."
            )
        keys = (new_master_key(), *keys)
        self._source.replace(keys)
        return keys

    async def announce(self, keys: tuple[MasterKey, ...]) -> None:
        new, known = keys[0].fingerprint, [key.fingerprint for key in keys]
        async with self._database.write() as connection:
            insert = self._database.insert(master_keys).values(id=1, fingerprint=new)
            await connection.execute(insert.on_conflict_do_nothing())
            move = update(master_keys).where(master_keys.c.fingerprint.in_(known)).values(fingerprint=new)
            if not (await connection.execute(move)).rowcount:
                raise WrongMasterKey("Another rotation began elsewhere. Take over its file of master keys.")

    async def left(self) -> list[tuple[int, int]]:
        wanted = select(data_keys.c.user_id, data_keys.c.version).where(
            data_keys.c.wrapped_by != select(master_keys.c.fingerprint).scalar_subquery()
        )
        async with self._database.read() as connection:
            rows = await connection.execute(wanted.order_by(data_keys.c.user_id, data_keys.c.version))
            return [(row.user_id, row.version) for row in rows]

    async def rewrap(self, user_id: int, version: int, keys: tuple[MasterKey, ...]) -> bool:
        new, known = keys[0], {key.fingerprint: key for key in keys}
        its = (data_keys.c.user_id == user_id) & (data_keys.c.version == version)
        async with self._database.write() as connection:
            row = (await connection.execute(select(data_keys).where(its).with_for_update())).one_or_none()
            if row is None or row.wrapped_by == new.fingerprint:
                return True  # forgotten meanwhile, or done by another
            try:
                data = unwrap(row.wrapped, user_id, version, row.made_under, known[row.wrapped_by])
            except (Tampered, KeyError):
                return False
            values = {"wrapped_by": new.fingerprint, "wrapped": wrap(data, new)}
            await connection.execute(update(data_keys).where(its).values(values))
        return True

    async def drop_old(self, keys: tuple[MasterKey, ...]) -> bool:
        async with self._database.read() as connection:
            others = select(func.count()).where(data_keys.c.wrapped_by != keys[0].fingerprint)
            needed = (await connection.execute(others)).scalar_one()
        if needed or not isinstance(self._source, KeyFile):
            return False
        self._source.replace(keys[:1])
        return True

    async def _announced(self) -> str | None:
        async with self._database.read() as connection:
            return (await connection.execute(select(master_keys.c.fingerprint))).scalar_one_or_none()
