"""Rotations in processes of their own, which may be told to die: `python -m tests.storage.vault.rotator DATABASE FILE`.

Each line is a plan of bot.sandbox.faults: a fresh process does what `hedgehog rotate-key` does, with a point inside
each transaction as well. It is answered by the process's id, and by how it ended.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.sandbox.faults import Fault
from bot.storage.database import Database
from bot.storage.vault import KeyFile, Rotation, rotate


class Mined(Database):
    """A point before each commit, when everything was written and nothing is sure yet."""

    fault: Fault

    @asynccontextmanager
    async def _transaction(self, engine: object) -> AsyncIterator[AsyncConnection]:
        async with super()._transaction(engine) as connection:  # type: ignore[arg-type]
            yield connection
            self.fault.point("before the commit")


class MinedFile(KeyFile):
    """A point before and after the file is replaced."""

    fault: Fault

    def replace(self, keys: object) -> None:
        self.fault.point("before the file")
        super().replace(keys)  # type: ignore[arg-type]
        self.fault.point("after the file")


async def main(address: str, path: str, plan: str) -> None:
    fault = Fault(plan, Path(path).with_name("points.txt"))
    database, file = Mined(address), MinedFile(Path(path))
    database.fault = file.fault = fault
    with file.alone():
        await rotate(fault.around("rotation", Rotation(database, file)))
    await database.close()


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()  # nothing runs here but this loop: the child starts as if it were new, only sooner
        if child == 0:
            asyncio.run(main(sys.argv[1], sys.argv[2], line.strip()))
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
