"""Whose order: histories of rule, permission, account, pause, clock and old buttons, and no order but its owner's.

`deploy/test` tells fifty of them, `deploy/test faults` a thousand, and one again:
`deploy/test tests/simulation/histories --seed 1234`.
"""

from pathlib import Path

import pytest

from tests.simulation.histories.judge import violations
from tests.simulation.histories.story import tell

USUALLY, WITH_FAULTS, SHARE = 50, 1000, 25


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" not in metafunc.fixturenames:
        return
    option = metafunc.config.getoption
    one, count = option("--seed"), option("--seeds") or (WITH_FAULTS if option("-m") == "faults" else USUALLY)
    shares = [range(at, min(at + SHARE, count)) for at in range(0, count, SHARE)]
    if one is not None:
        shares = [range(one, one + 1)]
    metafunc.parametrize("seeds", shares, ids=[f"{share.start}-{share.stop - 1}" for share in shares])


@pytest.mark.fault(46, 57, 58, 59)
@pytest.mark.timeout(600)
def test_no_history_ends_with_an_order_that_is_not_its_owners(
    seeds: range, memory_folder: Path, sqlite_template: Path
) -> None:
    broken = []
    for seed in seeds:
        found = violations(tell(seed, memory_folder, sqlite_template))
        broken += [f"seed {seed}:", *found] if found else []
    assert not broken, "\n".join(broken)


def test_a_seed_gives_the_same_history_again(memory_folder: Path, sqlite_template: Path) -> None:
    assert tell(3, memory_folder, sqlite_template) == tell(3, memory_folder, sqlite_template)
