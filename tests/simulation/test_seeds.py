"""The bot in worlds made of seeds: whatever goes wrong in them, every invariant holds in the end.

`deploy/test` runs a hundred seeds, `deploy/test faults` two thousand, and one again:
`deploy/test tests/simulation --seed 1234`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.evidence import Evidence
from tests.simulation.invariants import violations
from tests.simulation.run import simulate

USUALLY, WITH_FAULTS, SHARE = 100, 2000, 25
TAIL = 40  # lines of the log of a run that failed

pytestmark = [
    pytest.mark.filterwarnings("ignore:The garbage collector is trying to clean up"),  # what died
    pytest.mark.filterwarnings("ignore:Deprecated since version v22.2"),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" not in metafunc.fixturenames:
        return
    option = metafunc.config.getoption
    one = option("--seed")
    count = option("--seeds") or (WITH_FAULTS if option("-m") == "faults" else USUALLY)
    shares = [range(at, min(at + SHARE, count)) for at in range(0, count, SHARE)]
    if one is not None:
        shares = [range(one, one + 1)]
    metafunc.parametrize("seeds", shares, ids=[f"{share.start}-{share.stop - 1}" for share in shares])


@pytest.mark.fault(2, 3, 4, 5, 7, 11, 12, 13, 14, 15, 17, 24, 29, 30)
@pytest.mark.timeout(600)
def test_every_invariant_holds_after_every_seed(
    request: pytest.FixtureRequest, seeds: range, memory_folder: Path, sqlite_template: Path
) -> None:
    broken = [report for seed in seeds for report in _reports(seed, memory_folder, sqlite_template, request)]
    assert not broken, "\n\n".join(broken)


def _reports(seed: int, folder: Path, template: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    seen, run, log = simulate(seed, folder, template)
    if request.config.getoption("--seed") is not None:
        kept: Path = request.getfixturevalue("artefacts")
        (kept / "run.log").write_text("\n".join([str(run.story), *run.trace, log, _told(seen)]))
        print(f"\n{run.story}\nits log: {kept / 'run.log'}")
    found = violations(seen)
    if found:
        yield "\n".join(
            [
                f"seed {seed}, {run.story}:",
                *found,
                *log.splitlines()[-TAIL:],
                f"again: deploy/test tests/simulation --seed {seed}",
            ]
        )


def _told(seen: Evidence) -> str:
    lines: list[str] = []
    for one in seen.tries:
        lines.append(f"\n{one}")
        lines += [f"    {line.at} {line.state}" for line in seen.history("attempt", one.client_id)]
    return "\n".join([*lines, "", *map(str, seen.book)])


@pytest.mark.parametrize("seed", [10, 39])  # two replicas; many faults
def test_a_seed_gives_the_same_run_again(seed: int, memory_folder: Path, sqlite_template: Path) -> None:
    first, _, its_log = simulate(seed, memory_folder, sqlite_template)
    again, _, log = simulate(seed, memory_folder, sqlite_template)
    assert log == its_log
    assert replace(again, texts={}) == replace(first, texts={})
