"""The stand-ins on disk: who has an account there, with which positions and orders. One small file an exchange."""

import json
import os
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from bot.sandbox.exchanges.desk import Desk
from bot.sandbox.exchanges.traders import Trader
from bot.sandbox.market import MarketError

_FORMAT = 1


class ExchangeFile:
    """What a desk knows, replaced whole, so that it is never half written. Its keys open practice money alone."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / f"{name}.json"

    def read_into(self, desk: Desk) -> None:
        """Nothing the first time. Raises MarketError when it cannot be understood."""
        try:
            state = json.loads(self._file.read_text(encoding="utf-8"))
            if state["format"] != _FORMAT:
                raise ValueError("a format of another version")
            traders = [_read(Trader, trader) for trader in state["traders"]]
            desk.restore(traders, state["delisted"], _read(datetime | None, state.get("drilled")))
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError, ArithmeticError) as error:
            raise MarketError(
                f"The state in {self._file.name} cannot be read; start with --fresh to begin anew."
            ) from error

    def write(self, desk: Desk) -> None:
        """On the disk when this returns: nobody is told of an order that a restart would forget."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        traders = [_plain(trader) for trader in desk.traders.values()]
        state = {
            "format": _FORMAT,
            "traders": traders,
            "delisted": sorted(desk.delisted),
            "drilled": _plain(desk.drilled),
        }
        fresh = self._file.with_suffix(".part")
        with fresh.open("w", encoding="utf-8") as stream:
            json.dump(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._file)


def _plain(value: Any) -> Any:
    """As JSON takes it; amounts keep every digit."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _read(kind: Any, value: Any) -> Any:
    """What `_plain` was given, by its type. What an earlier version did not know is as it is by default."""
    origin = get_origin(kind)
    if value is None or kind in (str, int, bool) or origin is Literal:
        return value
    if kind is Decimal:
        return Decimal(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if origin in (Union, types.UnionType):
        return _read(next(part for part in get_args(kind) if part is not types.NoneType), value)
    if origin is list:
        return [_read(get_args(kind)[0], item) for item in value]
    if origin is not None and issubclass(origin, Mapping):
        return {key: _read(get_args(kind)[1], item) for key, item in value.items()}
    hints = get_type_hints(kind).items()
    return kind(**{name: _read(part, value[name]) for name, part in hints if name in value})
