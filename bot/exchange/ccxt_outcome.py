"""What came of a call: read from the wire, by allow-lists. Nothing that an exchange or ccxt says passes into an error's
text but a raw code, and beside it this machine's own address from the refusal of a key: answers may repeat secrets and
addresses carry signatures. What ccxt does to the decimal context (it sets how halves are rounded) ends with the
call."""

import contextlib
import ipaddress
import re
from collections.abc import Awaitable, Callable
from decimal import localcontext
from typing import TypeVar

from bot.exchange.ccxt_wire import Call, calls_noted
from bot.exchange.dialects.dialect import Dialect
from bot.ports.errors import Ambiguous, KeyRefused, PortError, Rejected, Unavailable
from hedging.errors import HedgingError

T = TypeVar("T")
Work = Callable[[], Awaitable[T]]

_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}")
_CODE = re.compile(r"-?\d{1,9}|[A-Za-z][A-Za-z_.]{0,39}")


class NotFound(Exception):
    """The exchange says that it knows of no such order."""


class AlreadySet(Exception):
    """The exchange says that it is so already: nothing had to be changed."""


class Malformed(ValueError):
    """An answer without what it must have: an id, finite amounts, a known state."""


async def read(dialect: Dialect, what: str, work: Work[T], resync: Work[None]) -> T:
    """The result of a read. Raises Unavailable, or NotFound. A skewed clock is set once."""
    again = True
    while True:
        with calls_noted() as calls, localcontext():
            failure: Exception | None = None
            try:
                result = await work()
            except PortError:
                raise
            except Exception as raised:  # noqa: BLE001 - ccxt raises anything; what counts is on the wire
                failure = raised
        if failure is None:
            if all(dialect.whole(call.json()) for call in calls):
                return result
            failure = Malformed("an answer without content")  # of which ccxt makes "there is nothing"
        code = _code(dialect, calls[-1] if calls else None)
        if code in dialect.revoked:
            raise KeyRefused(f"{dialect.title} does not let this key in ({code}).", _address(calls[-1]))
        unavailable = Unavailable(f"{dialect.title} did not tell {what} ({_kind(failure, code)}).")
        if code in dialect.not_found:
            raise NotFound(what)
        if code not in dialect.clock_skew or not again:
            raise unavailable
        try:
            await resync()
        except Exception:  # noqa: BLE001 - as above
            raise unavailable from None
        again = False


async def write(dialect: Dialect, what: str, work: Work[T], resync: Work[None]) -> T:
    """The result of a write, sent once; once more only after a refusal for the clock, which is a definite one.

    Raises Rejected when nothing of it stands: it was never sent, or was refused with an allow-listed code; AlreadySet
    when there was nothing to change; Ambiguous otherwise, whatever the exception says.
    """
    again = True
    while True:
        with calls_noted() as calls, localcontext():
            failure: Exception | None = None
            try:
                result = await work()
            except Unavailable as raised:
                failure = raised  # kept from being sent; another call of the same write may have been before
            except PortError:
                raise
            except Exception as raised:  # noqa: BLE001 - as above
                failure = raised
        sent = next((call for call in reversed(calls) if call.sent and call.method != "GET"), None)
        code = _code(dialect, sent)
        if failure is None and code is None:
            return result
        kind = _kind(failure, code)  # a refusal may come without an exception
        if sent is None and isinstance(failure, Unavailable):
            raise Rejected(f"Nothing was sent: {failure}", "unavailable")
        if sent is None:
            blocked = bool(calls) and not calls[-1].sent
            if blocked and calls[-1].too_late:
                raise Rejected(f"{dialect.title}: {what} could not leave in time.", "stalled")
            raise Rejected(
                f"{dialect.title}: {what} was not sent ({kind}).", "unavailable" if blocked else "refused"
            )
        unclear = f"{dialect.title} did not say what came of {what} ({kind})."
        if code is None or sent.status is None or sent.status >= 500:
            raise Ambiguous(unclear, _shown(code))
        if code in dialect.already_set:
            raise AlreadySet(what)
        if code in dialect.rejections:
            raise Rejected(
                f"{dialect.title} refused {what} ({code}).", dialect.rejections[code], _shown(code)
            )
        if code not in dialect.clock_skew:
            raise Ambiguous(unclear, _shown(code), refused=not dialect.leaves_open(code, sent.status))
        if not again:
            raise Rejected(f"{dialect.title} refused {what} for this machine's clock.", "clock")
        await _set_clock(dialect, what, resync)
        again = False


async def _set_clock(dialect: Dialect, what: str, resync: Work[None]) -> None:
    try:
        await resync()
    except Exception as failure:  # noqa: BLE001 - as above
        sentence = f"{dialect.title} refused {what} for this machine's clock, and did not tell the time"
        raise Rejected(f"{sentence} ({_kind(failure, None)}).", "clock") from None


def _address(call: Call) -> str:
    """This machine's, where a refusal tells it and it is one. Nothing else of the sentence is taken."""
    told = call.json()
    sentence = next((str(told[name]) for name in ("msg", "retMsg", "message") if told.get(name)), "")
    for found in _ADDRESS.findall(sentence):
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(found))
    return ""


def _code(dialect: Dialect, call: Call | None) -> str | None:
    """The raw code of an answer that was read to its end; None where it has none of the known shape."""
    if call is None or call.status is None:
        return None
    try:
        return dialect.error(call.json())
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _shown(code: str | None) -> str:
    """The code, if it looks like one."""
    return code if code is not None and _CODE.fullmatch(code) else ""


def _kind(failure: Exception | None, code: str | None) -> str:
    if _shown(code):
        return str(code)
    if failure is None:
        return "an error without a code"
    return str(failure) if isinstance(failure, Malformed | HedgingError) else type(failure).__name__
