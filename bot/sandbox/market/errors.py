"""Named failures of the demo's market; each message is one sentence for the person who caused it."""


class MarketError(Exception):
    """Root of the demo market's failures."""


class BadHistory(MarketError):
    """A history file that cannot be replayed."""


class BadCommand(MarketError):
    """A command to the market that makes no sense."""


class OtherMarket(MarketError):
    """The data folder holds the state of a different market."""
