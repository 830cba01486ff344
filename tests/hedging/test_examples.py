"""The worked examples in the docstrings are computed, not believed."""

import doctest
import importlib
import pkgutil

import pytest

import hedging

MODULES = sorted(m.name for m in pkgutil.walk_packages(hedging.__path__, "hedging."))


@pytest.mark.parametrize("module", MODULES)
def test_every_worked_example_gives_what_it_says(module: str) -> None:
    failures, _ = doctest.testmod(importlib.import_module(module))
    assert failures == 0, f"an example in {module} is wrong"


def test_the_rooms_that_promise_examples_have_them() -> None:
    for name in ("money", "returns", "ratio.regression", "margin", "carry", "checks.hysteresis"):
        found = doctest.DocTestFinder().find(importlib.import_module(f"hedging.{name}"))
        assert any(test.examples for test in found), f"hedging.{name} shows no worked example"
