"""Named failures of the finance. Each says in one sentence what is wrong and what would mend it."""


class HedgingError(Exception):
    """Root of every failure that the finance names."""


class BadInput(HedgingError, ValueError):
    """A value that cannot be meant: not finite, negative where it cannot be, of the wrong shape, out of order."""


class NotEnoughHistory(HedgingError):
    """Too few aligned returns to estimate anything honestly."""


class UnknownAsset(HedgingError, LookupError):
    """No price or history is known for this asset."""


class UnknownContract(HedgingError, LookupError):
    """No such contract on this exchange."""


class NothingToHedge(HedgingError):
    """There is no exposure that a short could offset."""


class OrderRejected(HedgingError):
    """An order that was refused for good: nothing of it stands. `code` is the exchange's raw code or a paper one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
