"""How much that is costly one person may ask for."""

import asyncio

MOST = 60  # at once: also of somebody who taps again and again
EVERY = 2.0  # seconds until one more


class Allowance:
    """For each person a bucket of `most` tokens that fills up again, one `every` so many seconds."""

    def __init__(self, *, most: int = MOST, every: float = EVERY) -> None:
        self._most, self._every = most, every
        self._full_at: dict[int, float] = {}  # when the bucket will be full; who is not here has a full one
        self._told: set[int] = set()

    def take(self, user_id: int) -> float:
        """Take a token. 0 when there was one, else the seconds until there is."""
        now = asyncio.get_running_loop().time()
        full_at = max(self._full_at.get(user_id, now), now) + self._every
        wait = full_at - now - self._most * self._every
        if wait > 1e-6:
            return wait
        if len(self._full_at) > 10_000:
            self._full_at = {who: at for who, at in self._full_at.items() if at > now}
        self._full_at[user_id] = full_at
        self._told.discard(user_id)
        return 0

    def tells(self, user_id: int) -> bool:
        """Whether this person is yet to be told that it is too much; once each time."""
        first = user_id not in self._told
        self._told.add(user_id)
        return first
