"""What a seed decides before anything happens."""

import random
from dataclasses import dataclass

from bot.sandbox.exchanges import VENUES

KEY = "canary-key-of-"
SECRETS = (KEY + "{}", "canary-secret-of-{}", "canary-words-of-{}")  # of a user's key, by their id


@dataclass(frozen=True)
class Story:
    """The stage of one run."""

    exchange: str
    users: int
    replicas: int
    one_engine: bool  # replicas share the durable engine's tables, as on PostgreSQL
    hedged: bool  # accounts hold longs and shorts side by side
    minutes: float  # until the weather is over
    deaths: int
    stalls: int
    pace: int  # background jobs come so many times less often than in earnest
    events: int  # what the world does of itself
    card_seconds: int  # that a card may be confirmed
    strangers: float  # the share of taps that somebody else makes
    trusting: bool  # people leave much to the bot

    @classmethod
    def of(cls, chance: random.Random) -> "Story":
        replicas = chance.choice((1, 1, 2))
        return cls(
            exchange=chance.choice(list(VENUES)),
            users=chance.choice((1, 1, 2, 3)),
            replicas=replicas,
            one_engine=chance.random() < 0.5,
            hedged=chance.random() < 0.2,
            minutes=chance.choice((0.7, 1.0, 1.0, 1.5, 1.5, 2.0, 2.0, 3.0, 3.0, 8.0)),
            deaths=chance.choice((0, 1, 2, 4)),
            stalls=chance.choice((0, 1, 2)) if replicas > 1 else 0,
            pace=chance.choice((2, 5, 10)),
            events=chance.choice((0, 1, 3, 6)),
            card_seconds=chance.choice((15, 60, 300)),
            strangers=chance.choice((0.02, 0.02, 0.3)),
            trusting=chance.random() < 0.3,
        )


def own(chance: random.Random) -> random.Random:
    """A source of chance for one part, so that what others draw does not touch it."""
    return random.Random(chance.getrandbits(64))
