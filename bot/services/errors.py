"""Named failures of the use cases. Each is one sentence to its user."""


class ServiceError(Exception):
    """Root of every failure that a use case names."""


class NoHoldings(ServiceError):
    """Nothing is held, so there is nothing to show or hedge."""


class UnknownAssets(ServiceError):
    """No price is known for these names; nothing was changed."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"No price is known for {', '.join(names)}.")
        self.names = names


class NotYours(ServiceError):
    """The record belongs to somebody else, or was shown in another chat."""


class CannotConnect(ServiceError):
    """An exchange or key that cannot be connected; nothing of it was kept."""


class CannotSwitch(ServiceError):
    """The rule stays with the account that it is about."""


class ProposalGone(ServiceError):
    """No such record any more, or it does not match what was shown."""
