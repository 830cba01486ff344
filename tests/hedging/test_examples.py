"""The worked examples in the docstrings are computed, not believed."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import hedging

MODULES = sorted(m.name for m in pkgutil.walk_packages(hedging.__path__, "hedging."))


@pytest.mark.parametrize("module", MODULES)
def test_every_worked_example_gives_what_it_says(module: str) -> None:
    failures, _ = doctest.testmod(importlib.import_module(module))
    assert failures == 0, f"an example in {module} is wrong"


ROOMS = ("assets", "carry", "margin", "market", "money", "returns", "scenario")
ROOMS_OF_ROOMS = ("checks", "ratio")
WITHOUT = {"measures", "to_float"}  # what they give is written out where they are described


def test_every_public_function_shows_a_worked_example() -> None:
    public = []
    for name in (*ROOMS, *ROOMS_OF_ROOMS):
        module = importlib.import_module(f"hedging.{name}")
        names = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
        public += [(n, getattr(module, n)) for n in names]
    functions = {n: f for n, f in public if inspect.isfunction(f) and f.__module__.startswith("hedging")}
    assert len(functions) > 40
    assert {n for n, f in functions.items() if ">>>" not in (f.__doc__ or "")} == WITHOUT
