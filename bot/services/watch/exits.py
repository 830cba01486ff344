"""The exit contract: when its owner wanted the hedge to end, agreed upon while they were calm."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from bot.services.watch.book import Seen


def reached(exits: Mapping[str, Any], seen: Seen, n: int) -> dict[str, Any]:
    """Which of its ends the hedge of user `n` has reached, with the figures; empty while none.

    `until`: a date (ISO); `asset` with `above` or `below`: a price of that coin in US dollars; `rise`: of the portfolio
    since the hedge was made, a fraction: the fall that it was made for is over; `budget`: US dollars a month that the
    funding may cost.
    """
    market, book = seen.market, seen.book
    until = exits.get("until")
    if until and market.time >= datetime.fromisoformat(until):
        return {"reason": "date", "until": until}
    price = market.spot.get(str(exits.get("asset", "")))
    for side in ("above", "below"):
        edge = exits.get(side)
        if price is not None and edge is not None and (price >= edge if side == "above" else price <= edge):
            return {"reason": "price", "asset": exits["asset"], "price": price, side: edge}
    rise = float(book.rise[n])
    if exits.get("rise") is not None and np.isfinite(rise) and rise >= exits["rise"]:
        return {"reason": "rise", "rise": rise}
    mine = slice(int(book.position_offsets[n]), int(book.position_offsets[n + 1]))
    cost = -float(np.nansum(np.maximum(book.notional[mine], 0.0) * book.funding[mine]))
    if exits.get("budget") is not None and cost > exits["budget"]:
        return {"reason": "budget", "cost": cost, "budget": exits["budget"]}
    return {}
