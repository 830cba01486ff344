"""Which altered lines of the finance does no test notice?

    python -m tests.bench.mutation [--into FOLDER] [NAME ...]

Copies the project into a folder (default: a new one under the system's temporary files), has mutmut alter the modules
that pyproject names one place at a time, runs the tests that reach each place, and prints how many alterations stayed
alive, module by module. With names (`hedging.margin*`) only those. A folder that was used before keeps what it found
about functions that did not change. About a quarter of an hour on one core.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.shared import ROOT

BAR = 0.15
GROUPS = ("hedging/ratio", "hedging/plan", "hedging/margin", "hedging/checks")
ALIVE, NOT_RUN = 0, None  # mutmut's exit codes: the tests passed; nobody has looked yet
NO_TESTS = 33


def copied(into: Path) -> Path:
    """The finance and its tests, and beside them the recordings, as they lie beside the checkout."""
    tree = into / "tree"
    for old in (
        tree / "hedging",
        tree / "tests",
        tree / "mutants" / "tests",
    ):  # what was removed since is not run
        shutil.rmtree(old, ignore_errors=True)
    for folder in ("hedging", "tests/hedging", "tests/bench"):
        shutil.copytree(ROOT / folder, tree / folder, dirs_exist_ok=True)
    for file in ("pyproject.toml", "README.md", "tests/conftest.py", "tests/postgres.py", "tests/shared.py"):
        shutil.copy2(ROOT / file, tree / file)
    shared = ROOT.parent / "shared"
    for beside in (into / "shared", tree / "shared"):  # of the copy, and of mutmut's own copy inside it
        if shared.exists() and not beside.exists():
            beside.symlink_to(shared)
    return tree


def counted(tree: Path) -> dict[str, Counter[int | None]]:
    """By module, how many alterations ended with which of mutmut's exit codes."""
    found = {}
    for file in sorted((tree / "mutants").rglob("*.meta")):
        codes = Counter(json.loads(file.read_text())["exit_code_by_key"].values())
        if codes:
            found[str(file.relative_to(tree / "mutants").with_suffix(""))] = codes
    return found


def table(found: dict[str, Counter[int | None]]) -> list[str]:
    groups = {group: sum((c for m, c in found.items() if m.startswith(group)), Counter()) for group in GROUPS}
    rows = [*found.items(), *groups.items(), ("all", sum(found.values(), Counter[int | None]()))]
    lines = [f"{'module':<36}{'altered':>9}{'not run':>9}{'alive':>7}{'share':>8}"]
    for name, codes in rows:
        run = codes.total() - codes[NOT_RUN]
        alive = codes[ALIVE] + codes[NO_TESTS]
        share = f"{alive / run:.1%}" if run else "-"
        lines.append(f"{name:<36}{codes.total():>9}{codes[NOT_RUN]:>9}{alive:>7}{share:>8}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--into", type=Path)
    parser.add_argument("names", nargs="*")
    chosen = parser.parse_args()
    into = chosen.into or Path(tempfile.mkdtemp(prefix="mutation-"))
    tree = copied(into.absolute())
    print(f"Altering a copy in {tree}", flush=True)
    program = Path(sys.executable).with_name("mutmut")
    done = subprocess.run(
        [program, "run", "--max-children", "1", *chosen.names],
        cwd=tree,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    found = counted(tree)
    print("\n".join(["", *table(found)]))
    everything = sum(found.values(), Counter[int | None]())
    run = everything.total() - everything[NOT_RUN]
    alive = everything[ALIVE] + everything[NO_TESTS]
    raise SystemExit(done.returncode or int(not run or alive / run > BAR))


if __name__ == "__main__":
    main()
