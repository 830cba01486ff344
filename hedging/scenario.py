"""What if: profit and loss with and without the hedge, and the upside that the insurance gives up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput

Floats = NDArray[np.float64]

MOVES = np.array([-0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0])


@dataclass(frozen=True, slots=True)
class Outcomes:
    """(M,) by move of the market. Money in the unit of the values. `given_up`: what the hedge costs of a gain, 0 in a
    fall. `liquidated`: the short's loss reached its collateral; the loss is then that collateral."""

    moves: Floats
    unhedged: Floats
    hedged: Floats
    given_up: Floats
    liquidated: NDArray[np.bool_]


def what_if(
    values: Floats,
    betas: Floats,
    notionals: Floats,
    short_betas: Floats,
    *,
    collateral: float = float("inf"),
    maintenance_rate: float = 0.0,
    moves: Floats = MOVES,
) -> Outcomes:
    """Profit and loss of (H,) holdings and (K,) shorts when the market moves by each of (M,) `moves` at once.

    A coin of beta b moves b times as far as the market, and never loses more than everything. Shorts of notional N gain
    -N x move; together they are taken away when `collateral` is down to the maintenance margin. Betas are what moved
    the coins in history; in a crash they tend to come together, so the middle of the table is the likelier.

    >>> half = np.array([-0.5, 0.5])
    >>> got = what_if(np.array([1000.0]), np.array([1.5]), np.array([750.0]), np.array([1.5]), moves=half)
    >>> got.unhedged.tolist(), got.hedged.tolist(), got.given_up.tolist()
    ([-750.0, 750.0], [-187.5, 187.5], [0.0, 562.5])

    Raises BadInput for shapes that differ, negative values or notionals, or moves below -100 %.
    """
    if (
        values.shape != betas.shape
        or notionals.shape != short_betas.shape
        or values.ndim != 1
        or notionals.ndim != 1
    ):
        raise BadInput("every holding and every short needs one beta")
    if bool((values < 0).any()) or bool((notionals < 0).any()) or bool((moves < -1).any()):
        raise BadInput("values and notionals cannot be negative, and nothing falls by more than 100 %")
    unhedged = np.maximum(np.multiply.outer(moves, betas), -1.0) @ values
    rises = np.maximum(np.multiply.outer(moves, short_betas), -1.0)
    short = -(rises @ notionals)
    upkeep = maintenance_rate * ((1.0 + rises) @ notionals)
    liquidated = (notionals.sum() > 0) & (collateral + short <= upkeep)
    short = np.where(liquidated, -collateral, short)
    hedged = unhedged + short
    return Outcomes(moves, unhedged, hedged, np.where(unhedged > 0, unhedged - hedged, 0.0), liquidated)
