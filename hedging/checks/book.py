"""Everybody's state as flat arrays: one row a holding, a position, a user."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput

Floats = NDArray[np.float64]
Offsets = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Book:
    """U users; the holdings of user u are rows `holding_offsets[u]` to `holding_offsets[u + 1]`, positions likewise.

    Holdings (H,), US dollars: `value` now; `beta` to the user's factor; `value_before`: what the amount held when the
    hedge was made would be worth now. Positions (P,): `notional`, US dollars, positive when short; `position_beta`;
    `runway`: rise until liquidation as a fraction, in the coin's own bad days, NaN where never; `reach`: the same rise
    by itself, to the exchange's own liquidation price, NaN where it tells none; `funding`: received by shorts per 30
    days as a fraction; `basis`: mark over index - 1; `protected`: value of the holdings that it answers; `expires`:
    days, NaN for perpetuals. Users (U,): `target`, `band`: shares; `equity`, `maintenance`: of the account; `age`: days
    since the hedge was made; `rise`: of the portfolio since then, a fraction; `correlation`, `correlation_before` of
    portfolio and hedge over the latest and the earlier `days`, `days_before`; `volatility`, `volatility_before`. NaN
    means unknown, and what is unknown changes nothing.

    Raises BadInput when lengths and offsets do not fit.
    """

    holding_offsets: Offsets
    value: Floats
    beta: Floats
    value_before: Floats
    position_offsets: Offsets
    notional: Floats
    position_beta: Floats
    runway: Floats
    reach: Floats
    funding: Floats
    basis: Floats
    protected: Floats
    expires: Floats
    target: Floats
    band: Floats
    equity: Floats
    maintenance: Floats
    age: Floats
    rise: Floats
    correlation: Floats
    correlation_before: Floats
    days: Floats
    days_before: Floats
    volatility: Floats
    volatility_before: Floats

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self)]
        split, end = names.index("position_offsets"), names.index("target")
        groups = ((names[1:split], self.holding_offsets), (names[split + 1 : end], self.position_offsets))
        for rows, offsets in groups:
            if len(offsets) != self.users + 1 or offsets[0] != 0 or bool((np.diff(offsets) < 0).any()):
                raise BadInput("offsets start at 0, ascend, and have one entry more than there are users")
            if any(getattr(self, name).shape != (offsets[-1],) for name in rows):
                raise BadInput(
                    f"{', '.join(rows)} do not have the {offsets[-1]} rows that the offsets speak of"
                )
        if any(getattr(self, name).shape != (self.users,) for name in names[end:]):
            raise BadInput(f"not every user's array has {self.users} entries")

    @property
    def users(self) -> int:
        return len(self.target)
