"""Named failures of the outside world."""

from typing import Literal


class PortError(Exception):
    """Root of every named failure of a port."""


class Rejected(PortError):
    """The exchange refused for good: nothing stands. `code` is our word for why, `raw` the exchange's code."""

    def __init__(self, message: str, code: str = "", raw: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.raw = raw


class Ambiguous(PortError):
    """Nobody can tell yet whether the order stands: look it up by our id, never send it again. `raw`: the code that the
    exchange answered with; `refused`: it is one of an error that leaves nothing open, as far as anybody knows."""

    def __init__(self, message: str, raw: str = "", *, refused: bool = False) -> None:
        super().__init__(message)
        self.raw = raw
        self.refused = refused


class Unavailable(PortError):
    """A read that failed: the exchange or feed cannot be reached, or answered nonsense. Try later."""


class Contradicted(Unavailable):
    """Two reads of an account contradict each other, or what is gone from it has left no trace: nothing is decided upon
    it."""


class NotWritable(Unavailable):
    """Our own database cannot be written or read now: it is locked, full or away. Nothing was changed."""


class KeyRefused(Unavailable):
    """The exchange does not let the account's key in: it was deleted, has expired, or is not allowed from here.
    `address`: this machine's, where the refusal told it."""

    def __init__(self, message: str = "", address: str = "") -> None:
        super().__init__(message)
        self.address = address


class KeyUnusable(Unavailable):
    """The account's key cannot be used on our side: none is kept (`missing`), the master key is not there or another
    one (`locked`), or what is kept was altered or belongs to somebody else (`damaged`)."""

    def __init__(self, message: str, why: Literal["missing", "locked", "damaged"]) -> None:
        super().__init__(message)
        self.why = why


class StaleVersion(PortError):
    """The row has moved on since it was read: somebody else acted first."""


class InvalidRecord(PortError):
    """A record that cannot be stored or read: it names what does not exist, or holds a value of the wrong kind or size.
    Trying again changes nothing."""


class SymbolBusy(PortError):
    """Another attempt on this account and symbol is open or unknown."""


class ChatGone(PortError):
    """The user blocked the bot or deleted the chat: stop sending."""


class DeliveryDelayed(PortError):
    """Telegram asks to wait `seconds` before the next message."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Telegram asks to wait {seconds:g} s")
        self.seconds = seconds


class MessageGone(PortError):
    """The message to edit does not exist any more: send a new one."""
