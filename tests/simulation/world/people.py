"""People in the simulation: they write, tap once, twice and at the same time, tap old cards, and trade by hand."""

import asyncio
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.chat.recording import message, tap
from tests.simulation.evidence import Permitted, Tapped

if TYPE_CHECKING:
    from tests.simulation.run import Run

D = Decimal
COMMANDS = ("/hedge", "/hedge", "/hedge", "/unhedge", "/unhedge", "/status", "/portfolio")
COINS = ("SOL", "ADA", "ETH", "BTC", "ATOM")
_AMOUNTS = {"SOL": 120, "ADA": 40_000, "ETH": 8, "BTC": 0.4, "ATOM": 2_500}
PAUSES = (0.0, 0.3, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 10.0, 20.0)
ENOUGH = 2  # taps
PATIENCE = (5.0, 10.0, 60.0)  # seconds
LONG_PAUSES = (20.0, 45.0, 130.0, 320.0)  # a card lives 300 s at most


@dataclass
class Person:
    """One user with a phone. `leaves_it`: to the bot, after a few taps of their own."""

    run: "Run"
    id: int
    chance: random.Random
    taps: list[Tapped] = field(default_factory=list)
    permitted: list[Permitted] = field(default_factory=list)
    leaves_it: bool = False
    writing: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"User {self.id}"

    async def live(self) -> None:
        """Until the weather is over; then nothing new is begun."""
        for coin in self.chance.sample(COINS, self.chance.randint(1, 2)):
            await self.write(f"/add {coin} {_AMOUNTS[coin] * self.chance.uniform(0.5, 1.5):.2f}")
        if self.chance.random() < (0.9 if self.run.story.trusting else 0.3):
            await self._permit()
        while not self.run.weather.over:
            await self.act()
            long = self.chance.random() < 0.03
            pause = self.chance.choice(LONG_PAUSES if long else PAUSES)
            await asyncio.sleep(pause * self.chance.uniform(0.2, 1.05))

    async def act(self) -> None:
        buttons = self._buttons()
        leaves_it = self.leaves_it and len(self.taps) >= ENOUGH
        eager = 0.05 if leaves_it else 0.85
        if any(data.startswith(("ok:", "rb:")) for _, data in buttons) and self.chance.random() < eager:
            await self._tap_somehow(*self._wanted(buttons))
        elif buttons and self.chance.random() < 0.15:
            await self._tap_somehow(*self.chance.choice(buttons))
        elif self.chance.random() < (0.6 if leaves_it else 0.15):
            coin = self.chance.choice(COINS)
            verb, amount = self.chance.choice((("add", 0.4), ("remove", 0.2), ("remove", 0.7)))
            await self.write(f"/{verb} {coin} {_AMOUNTS[coin] * amount:.2f}")
        else:
            await self.write(self.chance.choice(COMMANDS))

    async def _permit(self) -> None:
        """Something without a tap, within caps."""
        self.leaves_it = self.run.story.trusting
        cap, acts = self.chance.choice((1_500, 50_000)), self.chance.choice(("reduce", "both"))
        await self.run.replicas.deliver(
            message(self.run.next_update(), self.id, f"/permission order {cap} day {2 * cap} 3x")
        )
        given = Permitted(self.id, self.run.clock.now(), acts, D(cap), D(max(2 * cap, 5_000)), 3)
        self.permitted.append(given)
        await self._send(tap(self.run.next_update(), self.id, 1, f"pm:give:{acts}:nothing"))

    async def write(self, words: str) -> None:
        """Sent, and waited for: the next thing is done when the answer is there, or somewhat earlier."""
        await self._send(
            message(self.run.next_update(), self.id, words, message_id=self.run.telegram.next_id())
        )

    def _buttons(self) -> list[tuple[int, str]]:
        """(message, data) of what stands in the chat, the latest last."""
        standing = self.run.telegram.standing.get(self.id, {})
        return [(number, data) for number, datas in standing.items() for data in datas]

    def _wanted(self, buttons: list[tuple[int, str]]) -> tuple[int, str]:
        """Mostly the button that sends orders, mostly of the latest card."""
        if self.chance.random() < 0.1:  # a card as it looked before it was edited
            old = [
                (said.message, data)
                for said in self.run.telegram.said
                if said.chat == self.id
                for data in said.data
            ]
            return self.chance.choice(old)
        sending = [one for one in buttons if one[1].startswith(("ok:", "rb:"))]
        if sending and self.chance.random() < 0.8:
            return sending[-1] if self.chance.random() < 0.8 else self.chance.choice(sending)
        return self.chance.choice(buttons)

    async def _tap_somehow(self, number: int, data: str) -> None:
        """Once, twice, or several times at once; rarely somebody else's button, rarely from another chat."""
        who, chat = self.id, self.id
        if self.chance.random() < self.run.story.strangers:
            others = [other for other in self.run.people if other is not self]
            if others:
                who = self.chance.choice(others).id
                chat = self.chance.choice((who, self.id))
        times = self.chance.choice((1, 1, 1, 2, 3))
        at_once = self.chance.random() < 0.5
        for _ in range(times):
            update = tap(self.run.next_update(), who, number, data, chat=chat)
            self.taps.append(Tapped(update["update_id"], who, chat, data, self.run.clock.now()))
            if at_once:
                self.writing.append(asyncio.get_running_loop().create_task(self._send(update)))
            else:
                await self._send(update)

    async def _send(self, update: dict[str, Any]) -> None:
        """Somebody who hears nothing for a while tries something else; the update is still on its way."""
        sent = asyncio.get_running_loop().create_task(self.run.replicas.deliver(update))
        self.writing.append(sent)
        await asyncio.wait([sent], timeout=self.chance.choice(PATIENCE))
