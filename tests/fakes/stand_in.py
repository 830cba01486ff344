"""A loopback exchange in a test's hands: told to misbehave, and asked what really arrived there."""

from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.fakes.phone import Driver, Json

DUST = Decimal("1e-15")  # what decimals that were floats on a wire may differ by


@dataclass(frozen=True)
class StandIn:
    """The stand-in of the exchange `name` in the sandbox."""

    driver: Driver
    name: str

    async def misbehave(self, kind: str, **details: Any) -> None:
        """As `bot.sandbox.exchanges.faults.Fault`: `misbehave("hang", on="order", after=True, seconds=2)`."""
        await self.driver.post(f"/exchanges/{self.name}/faults", {"kind": kind, **details})

    async def behave(self) -> None:
        """No fault waits any more, and orders are filled whole again."""
        await self.driver.post(f"/exchanges/{self.name}/faults", {"clear": True})
        await self.event(share=None)

    async def event(self, **what: Any) -> None:
        """As `bot.sandbox.exchanges.control`: `event(delist="SOL/USDT:USDT")`."""
        await self.driver.post(f"/exchanges/{self.name}/events", what)

    async def state(self) -> Json:
        found: Json = (await self.driver.get("/exchanges"))[self.name]
        return found

    async def calls(self, operation: str) -> int:
        """Requests of a kind so far."""
        return int((await self.state())["calls"].get(operation, 0))

    async def account_of(self, ids: Set[str]) -> Json:
        """The account where an order with one of these ids of ours arrived; an empty one when there is none."""
        accounts: list[Json] = (await self.state())["accounts"]
        found = [a for a in accounts if ids & {order["client_id"] for order in a["orders"]}]
        assert len(found) <= 1, f"orders of one person arrived in {len(found)} accounts"
        return found[0] if found else {"orders": [], "positions": []}

    async def strangers(self, known: Set[str]) -> list[str]:
        """Ids of orders, in whatever account, of which the ledger knows nothing."""
        accounts: list[Json] = (await self.state())["accounts"]
        return [o["client_id"] for a in accounts for o in a["orders"] if o["client_id"] not in known]


def positions_in(account: Json) -> dict[str, Decimal]:
    """Symbol -> signed contracts."""
    return {held["symbol"]: Decimal(held["contracts"]) for held in account["positions"]}


def filled_in(account: Json) -> dict[str, Decimal]:
    """Our id -> contracts that were filled under it."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for order in account["orders"]:
        total[order["client_id"]] += Decimal(order["filled"])
    return dict(total)
