"""Named failures of the use cases. Each is one sentence to its user."""

from collections.abc import Sequence


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
    """An exchange or key that cannot be connected; nothing of it was kept, and what was connected stays so.

    read_only: there is no master key to keep it under. unknown, no_mode: no such exchange, or not in that mode.
    no_passphrase: its keys have a third part. refused: the exchange does not let it in. away: the exchange cannot be
    asked. withdraw: it can take money out. no_futures: it cannot trade perpetuals. reads_only: it can do nothing but
    read. for_live, for_demo: it is a key for the other money. elsewhere: its address list leaves this machine out,
    whose `address` the exchange told. europe: it opens an account for Europe, without perpetuals. portfolio,
    mode_unknown: the account is in portfolio margin, or in a margin mode that is not known. other_account: it does not
    see the hedge that is open. orders: an order on the account is not settled.
    """

    def __init__(self, why: str, exchange: str = "", address: str = "") -> None:
        super().__init__(f"{exchange or 'nothing'} cannot be connected: {why}")
        self.why, self.exchange, self.address = why, exchange, address


class CannotSwitch(ServiceError):
    """The rule stays with the account that it is about, which is on `exchange`.

    shorts: a hedge is open there. orders: an order there is not settled. away: nobody can tell whether one is open.
    gone, suspended: the account that was wanted has no key, or none that is let in.
    """

    def __init__(self, why: str, exchange: str = "") -> None:
        super().__init__(f"the account in use stays: {why}")
        self.why, self.exchange = why, exchange


class CannotDisconnect(ServiceError):
    """The key stays. paper: there is none. orders: an order there is not settled."""

    def __init__(self, why: str, exchange: str = "") -> None:
        super().__init__(f"{exchange} stays connected: {why}")
        self.why, self.exchange = why, exchange


class NoSuchShort(ServiceError):
    """No short is open in that coin; those that are, by name."""

    def __init__(self, asset: str, open_in: Sequence[str]) -> None:
        super().__init__(f"No {asset} short is open.")
        self.asset, self.open_in = asset, open_in


class AlertOver(ServiceError):
    """The matter that the alert told of is over: nothing was sent."""

    def __init__(self, alert_id: int) -> None:
        super().__init__("This alert is over.")
        self.alert_id = alert_id


class ProposalGone(ServiceError):
    """No such record any more, or it does not match what was shown."""
