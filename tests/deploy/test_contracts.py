"""The doors between the rooms: nothing reaches through a wall, and the lint would see it if it did."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import ROOT

LINT = Path(sys.executable).parent / "lint-imports"


def lint(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT, "--no-logo", "--no-cache"], cwd=project, capture_output=True, text=True, check=False
    )


def test_imports_run_one_way_and_through_the_doors() -> None:
    checked = lint(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("place", "line", "complaint"),
    [
        ("hedging/money.py", "import random", "hedging.money -> random"),
        ("hedging/margin.py", "import hedging.plan", "hedging.margin -> hedging.plan"),
        ("hedging/errors.py", "import bot.settings", "hedging.errors -> bot.settings"),
        ("bot/services/errors.py", "import telegram", "bot.services.errors -> telegram"),
        ("bot/services/errors.py", "import sqlalchemy", "bot.services.errors -> sqlalchemy"),
        ("bot/ports/clock.py", "import bot.services", "bot.ports.clock -> bot.services"),
        ("bot/utils.py", "", "bot.utils"),
    ],
)
def test_a_wall_with_a_hole_is_found(tmp_path: Path, place: str, line: str, complaint: str) -> None:
    for part in ("bot", "hedging"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / place).open("a") as file:
        file.write(f"\n{line}\n")
    checked = lint(tmp_path)
    assert checked.returncode != 0
    assert complaint in checked.stdout, checked.stdout
