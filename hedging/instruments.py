"""Which contract hedges a coin: one on the coin itself, quoted in dollars, where the account's money is. What is short
already goes before any other: a hedge never moves because a price is missing for a moment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from hedging.assets import contract_base, resolve, underlying
from hedging.market import Contract, Snapshot
from hedging.money import ZERO
from hedging.portfolio import Position

Pause = Literal["no_quote", "apart"]

NOWHERE: Mapping[str, Decimal] = MappingProxyType({})
SETTLES = ("USDT", "USDC", "USD")  # the first is preferred; other dollars come last
UNSEEN = Decimal("Infinity")  # the depth of a book that is not told just now


@dataclass(frozen=True, slots=True)
class Pick:
    """The contract that hedges a coin, None where none does. `paused`: why nothing may be traded in it now.
    `another`: that a contract of the coin's name is on another thing."""

    contract: Contract | None
    paused: Pause | None = None
    another: bool = False


class Instruments:
    """The contracts of one market for one account. `shorts`: what it is short. `free_in`: US dollars that are free for
    contracts that settle in a coin; empty: one pool serves all of them."""

    def __init__(
        self, snapshot: Snapshot, shorts: Sequence[Position] = (), free_in: Mapping[str, Decimal] = NOWHERE
    ) -> None:
        self._snapshot, self._free_in = snapshot, free_in
        self._shorts = {position.symbol: position for position in shorts if position.contracts < 0}
        self._by_coin: defaultdict[str, list[Contract]] = defaultdict(list)
        for contract in snapshot.contracts.values():
            if contract.in_dollars:
                self._by_coin[underlying(contract.base, snapshot.aliases)].append(contract)

    def coin(self, asset: str) -> str:
        """What the contracts that answer `asset` are on: ETH for stETH, POL for MATIC."""
        return resolve(asset, self._snapshot.aliases).asset

    def shorts_on(self, coin: str) -> list[Contract]:
        """What is short on a coin, inverse contracts too, the largest first; what is on another thing is left out."""
        found = [one for one in self._by_coin[coin] if one.symbol in self._shorts]
        same = [one for one in found if self._snapshot.fit(one) != "another"]
        return sorted(same, key=lambda one: -self.notional(one))

    def notional(self, contract: Contract) -> Decimal:
        """US dollars short in it, at the mark or, while it has no quote, at the last one that is known."""
        held = self._shorts.get(contract.symbol)
        return ZERO if held is None else -contract.notional(held.contracts, self._mark(contract))

    def paused(self, contract: Contract) -> Pause | None:
        """Why nothing may be traded in it just now."""
        fit = self._snapshot.fit(contract)
        return None if fit == "same" else "no_quote" if fit == "unknown" else "apart"

    def pick(self, asset: str, margin: Decimal = ZERO) -> Pick:
        """For `asset`, or else for what it stands for; `margin`: US dollars that its short will need. First what is
        short on it already; then what settles where the margin is free (or else most is), then in USDT before USDC,
        then the deepest book. While that one has no quote, or a price too far from the coin's, it is paused."""
        coin = self.coin(asset)
        linear = [one for one in self._by_coin[coin] if one.linear and one.closes_at is None]
        fits = {one.symbol: self._snapshot.fit(one) for one in linear}
        another = any(fits[one.symbol] == "another" and self._nearness(one, asset) < 2 for one in linear)
        held = sorted(
            (one for one in self.shorts_on(coin) if one in linear), key=lambda one: self._nearness(one, asset)
        )
        priced = [one for one in linear if self._snapshot.worth(one) is not None]
        ruled_out = ("another", "apart")  # of its name; the latter may be so only for a moment
        open_to = [one for one in priced if fits[one.symbol] not in ruled_out]
        open_to = open_to or [one for one in priced if fits[one.symbol] != "another"]
        if held:
            best = held[0]
        elif open_to:
            best = min(open_to, key=lambda one: self._rank(one, asset, margin))
        else:
            return Pick(None, None, another)
        return Pick(best, self.paused(best), another)

    def _nearness(self, contract: Contract, asset: str) -> int:
        """0: on the asset itself, by the thousand too; 1: on what it stands for; 2: on another claim on that."""
        base = contract_base(contract.base)[0]
        return 0 if base == asset else 1 if base == self.coin(asset) else 2

    def _rank(self, contract: Contract, asset: str, margin: Decimal) -> tuple[object, ...]:
        """The lower the better."""
        free = self._free_in.get(contract.settle, ZERO) if self._free_in else margin
        place = SETTLES.index(contract.settle) if contract.settle in SETTLES else len(SETTLES)
        quote = self._snapshot.quotes.get(contract.symbol)
        depth = UNSEEN if quote is None else quote.depth
        missing = max(margin - free, ZERO)
        poor = (missing > 0, -free if missing else ZERO)
        return (*poor, self._nearness(contract, asset), place, -depth, contract.symbol)

    def _mark(self, contract: Contract) -> Decimal:
        quote, held = self._snapshot.quotes.get(contract.symbol), self._shorts.get(contract.symbol)
        return quote.mark if quote is not None else held.mark_price if held is not None else ZERO
