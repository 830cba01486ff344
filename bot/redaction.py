"""Masking secrets in whatever is logged or printed as an uncaught failure: the known ones, and what looks like one.

It works on the records themselves, so that no handler, also of a library and also one added later, sees a secret.
"""

import html
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote

MASK = "[hidden]"
SHORTEST = 4  # anything shorter would mask half of every sentence

_LOOKS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"\b\d{6,}:[\w-]{30,}"), MASK),  # a bot token
    (
        re.compile(r"(/bot)\d+(:|%3A)[^/\s'\"]+", re.IGNORECASE),
        rf"\1{MASK}",
    ),  # also a short one, in an address
    (re.compile(r"(\w://[^/\s:@]*:)[^/\s@]+(?=@)"), rf"\1{MASK}"),  # a password in an address
    # key=…, "apiKey": "…", 'X-BAPI-SIGN': '…'
    (
        re.compile(
            r"([\w-]*(?:api[-_]?key|access[-_]?key|listen[-_]?key|secret|passphrase|password|signature|sign|token)"
            r"(?:=|[\"']\s*:\s*[\"']))[^\s\"'&,;)}]+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    # Keys, secrets, digests: long, with letters and digits, and no word.
    (re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32,}={0,2}"), MASK),
)


class Redaction:
    """A set of known secrets, and what hides them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}  # by their first characters

    def hide(self, *secrets: str | None) -> None:
        """From now on these are known: as they are, and as an address, JSON or Python would spell them."""
        for secret in secrets:
            lines = (secret or "").splitlines()
            for text in {secret or "", *(line for line in lines if len(line) >= 20)}:
                for spelt in (
                    text,
                    quote(text, safe="", errors="replace"),
                    json.dumps(text)[1:-1],
                    repr(text)[1:-1],
                    html.escape(text),
                ):
                    alike = self._known.get(spelt[:SHORTEST], ())
                    if len(spelt) >= SHORTEST and spelt not in alike:
                        self._known[spelt[:SHORTEST]] = (*alike, spelt)

    def mask(self, text: str) -> str:
        """`text` without any of them, and without what looks like a secret."""
        text = self._mask_known(text)
        for pattern, instead in _LOOKS:
            text = pattern.sub(instead, text)
        return text

    def _mask_known(self, text: str) -> str:
        parts, begun, at = [], 0, 0
        while at <= len(text) - SHORTEST:
            here = [one for one in self._known.get(text[at : at + SHORTEST], ()) if text.startswith(one, at)]
            if here:
                parts += [text[begun:at], MASK]
                at += max(map(len, here))
                begun = at
            else:
                at += 1
        return "".join([*parts, text[begun:]])

    def install(self) -> None:
        """Mask every record of every logger of this process, and the traces of failures that nobody caught."""
        redaction = self

        class MaskedRecord(_MaskedRecord):
            _redaction = redaction

        logging.setLogRecordFactory(MaskedRecord)

        def uncaught(
            kind: type[BaseException], failure: BaseException | None, trace: TracebackType | None
        ) -> None:
            sys.stderr.write(self.mask("".join(traceback.format_exception(kind, failure, trace))))

        def uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
            if args.exc_type is not SystemExit:
                uncaught(args.exc_type, args.exc_value, args.exc_traceback)

        def unraisable(args: "sys.UnraisableHookArgs") -> None:
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

        sys.excepthook = uncaught
        threading.excepthook = uncaught_in_thread
        sys.unraisablehook = unraisable


class _MaskedRecord(logging.LogRecord):
    """A record that never held a secret: its message, arguments, traces and stacks are masked as they are set."""

    _redaction: Redaction

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mask_message()

    def _mask_message(self) -> None:
        mask = self._redaction.mask
        try:
            said = self.getMessage()
        except Exception:  # noqa: BLE001 - whatever an argument's own text raises; logging would print them all
            self.msg, self.args = mask(f"{self.msg!r} with arguments that do not fit"), ()
            return
        if mask(said) == said:
            return
        # A formatter may look at the arguments one by one: they stay apart when that hides enough.
        whole, self.msg = mask(said), mask(str(self.msg))
        if isinstance(self.args, Mapping):
            self.args = {name: self._masked(value) for name, value in self.args.items()}
        else:
            self.args = tuple(self._masked(value) for value in self.args or ())
        try:
            enough = mask(self.getMessage()) == self.getMessage()
        except (TypeError, ValueError, KeyError):
            enough = False
        if not enough:
            self.msg, self.args = whole, ()

    def _masked(self, value: object) -> object:
        texts = {str(value), repr(value)}
        return (
            value
            if all(self._redaction.mask(text) == text for text in texts)
            else self._redaction.mask(str(value))
        )

    @property
    def exc_text(self) -> str | None:
        return self._exc_text

    @exc_text.setter
    def exc_text(self, text: str | None) -> None:
        self._exc_text = text and self._redaction.mask(text)

    @property
    def stack_info(self) -> str | None:
        return self._stack_info

    @stack_info.setter
    def stack_info(self, text: str | None) -> None:
        self._stack_info = text and self._redaction.mask(text)


_process = Redaction()
hide, mask, install = _process.hide, _process.mask, _process.install
