"""Which faults are shown by which tests.

A test says so with `@pytest.mark.fault(11, 12)`, or in its name (`test_fault_9_…`, `test_fault_1_to_4_…`). The numbers
are those of the catalogue of faults that the project keeps beside the design.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.shared import ROOT

# Each of these has at least one test. Left out are those of Telegram's own faults (35 to 37), of the
# master key's rotation, of odd input and of backups, which have tests of their own beside what they are about.
SHOWN = frozenset({*range(1, 35), 38, 39, 40, 42, 44, *range(46, 64), 65, 66, 67})
_IN_NAME = re.compile(r"test_fault_(\d+)(?:_to_(\d+))?_")


def _numbers(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[int]:
    if named := _IN_NAME.match(test.name):
        yield from range(int(named[1]), int(named[2] or named[1]) + 1)
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
            for number in decorator.args:
                yield ast.literal_eval(number)


@pytest.fixture(scope="module")
def shown_by() -> dict[int, list[str]]:
    """Number -> the tests that show it."""
    found: dict[int, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for number in _numbers(node):
                    found[number].append(f"{file.relative_to(ROOT)}::{node.name}")
    return found


def test_every_fault_that_must_be_shown_is_shown(shown_by: dict[int, list[str]]) -> None:
    assert sorted(SHOWN - shown_by.keys()) == []


def test_no_test_names_a_fault_that_there_is_not(shown_by: dict[int, list[str]]) -> None:
    assert sorted(number for number in shown_by if not 1 <= number <= 68) == []
