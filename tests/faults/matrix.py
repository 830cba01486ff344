"""The crash matrix as a table for people."""

from collections.abc import Mapping, Sequence
from typing import Any

CELL = "crash matrix"  # the property under which a test reports its cell


def table(properties: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line a cell and one for all; none without cells."""
    cells = sorted(tuple(found[CELL]) for found in properties if CELL in found)
    if not cells:
        return []
    columns = ("kills", "not_reached", "duplicates", "lost", "manual", "late")
    lines = [_line("exchange", "timing", "database", *(column.replace("_", " ") for column in columns))]
    lines += [_line(*cell[:3], *(cell[3][column] for column in columns)) for cell in cells]
    lines.append(_line("all", "", "", *(sum(cell[3][column] for cell in cells) for column in columns)))
    return lines


def _line(exchange: str, timing: str, database: str, *figures: object) -> str:
    return f"{exchange:9} {timing:44} {database:10} " + " ".join(f"{figure!s:>11}" for figure in figures)
