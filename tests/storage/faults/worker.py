"""Another process on the same database, driven by lines: `python -m tests.storage.faults.worker ROLE DATABASE NAME`."""

import asyncio
import sys
from decimal import Decimal

from bot.ports.errors import PortError, SymbolBusy
from bot.ports.records import AttemptState, ProposalState
from bot.ports.store import Store
from bot.storage import open_store
from hedging.rules import HedgeRule
from tests.storage.samples import ADA, an_attempt, later, owed

ROUNDS = 20
CARDS = 60


def target_of(number: int) -> Decimal:
    """The target that the card of that number sets."""
    return Decimal("0.26") + number * Decimal("0.01")


def say(word: object) -> None:
    print(word, flush=True)


def wait() -> None:
    sys.stdin.readline()


async def race(store: Store, name: str) -> None:
    """Tap every card and take every symbol; say which ones were won."""
    (account,) = await store.accounts(ADA.id)
    wait()
    for number in range(ROUNDS):
        moved = await store.move_proposal(
            f"card {number}",
            expect=ProposalState.OPEN,
            to=ProposalState.CONFIRMED,
            at=later(1),
            outbox=owed(f"{name} {number}"),
        )
        if moved is not None:
            say(f"card {number}")
        try:
            symbol, leg = f"symbol {number}", 2 * number + (name == "right")
            await store.reserve(an_attempt(f"{name}{number}", account, "card 0", leg=leg, symbol=symbol))
            say(symbol)
        except SymbolBusy:
            pass


async def read_then_write(store: Store, name: str) -> None:
    """Read an attempt, fall asleep, and send it as if nothing had happened."""
    attempt = await store.attempt("hh1")
    if attempt is None:
        raise LookupError("hh1 was never reserved")
    say("read")
    wait()
    try:
        await store.transition(attempt, AttemptState.SENDING, at=later(9), outbox=owed(name))
        say("written")
    except PortError as refused:
        say(type(refused).__name__)


async def scribble(store: Store, name: str) -> None:
    """Move an attempt on and on, and say each version once it is stored."""
    attempt = await store.attempt("hh1")
    while attempt is not None:
        lookups, message = attempt.lookups + 1, owed(f"{attempt.version}")
        attempt = await store.transition(
            attempt, AttemptState.RECONCILING, at=later(lookups), outbox=message, lookups=lookups
        )
        say(attempt.version)


async def retarget(store: Store, name: str) -> None:
    """Confirm card after card, each with a target of its own for the rule, and say each number once it is stored."""
    wait()
    for number in range(CARDS):
        await store.move_proposal(
            f"card {number}",
            expect=ProposalState.OPEN,
            to=ProposalState.CONFIRMED,
            at=later(number),
            keeps=HedgeRule(target=target_of(number)),
            sets=("target",),
        )
        say(number)


async def main(role: str, database: str, name: str) -> None:
    store = open_store(database)
    say("ready")
    roles = {"race": race, "read_then_write": read_then_write, "scribble": scribble, "retarget": retarget}
    await roles[role](store, name)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
