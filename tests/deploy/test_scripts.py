"""The set-up scripts: clean shell, clear refusals, and nothing of the caller's own bot in a demo or a test."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import ROOT

SCRIPTS = ("deploy/demo", "deploy/test", "deploy/environment", "deploy/lock", "deploy/isolation", ".ci/run")
TOOLS = Path(sys.executable).parent


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with nothing but these variables and the system's programs."""
    surroundings = {"PATH": os.defpath, "HOME": "/nowhere", **environment}
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)


def test_the_shell_linter_finds_nothing_in_the_scripts() -> None:
    linter = TOOLS / "shellcheck"
    if platform.machine() != "x86_64":
        pytest.skip("there is no wheel of shellcheck for this processor")
    found = subprocess.run([linter, "-x", *SCRIPTS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("script", [name for name in SCRIPTS if name != "deploy/isolation"])
def test_a_script_can_be_started_as_it_is(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK), f"{script} is not executable"


@pytest.mark.parametrize(
    "stale",
    [
        "DATABASE_URL=postgresql://real",
        "HEDGEHOG_TOKEN=1:real",
        "DBOS_SYSTEM_DATABASE_URL=x",
        "PGHOST=real",
        "PYTHONDONTWRITEBYTECODE=1",
        "PYTHONPATH=/elsewhere",
        "PYTEST_ADDOPTS=-x",
        "TELEGRAM_BOT_TOKEN=1:real",
    ],
)
def test_what_the_caller_has_set_for_a_real_bot_stays_out(stale: str) -> None:
    name, _, value = stale.partition("=")
    seen = run("bash", "-euc", f". {ROOT}/deploy/isolation; env", **{name: value})
    assert seen.returncode == 0, seen.stderr
    assert f"{name}=" not in seen.stdout


def test_loopback_is_never_asked_for_through_a_proxy_and_the_callers_exceptions_stay() -> None:
    seen = run("bash", "-euc", f". {ROOT}/deploy/isolation; env", NO_PROXY="intranet")
    assert "NO_PROXY=127.0.0.1,localhost,::1,intranet" in seen.stdout.splitlines()


def test_too_old_a_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "checkout" / "deploy")
    old = tmp_path / "bin"
    old.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (old / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
        (old / name).chmod(0o755)
    refused = run(tmp_path / "checkout" / "deploy" / "demo", PATH=f"{old}:{os.defpath}")
    assert refused.returncode != 0
    assert refused.stderr.splitlines() == [
        "hedgehog: Python 3.11 or newer is needed; this machine has Python 3.9.2."
    ]


def test_the_environment_refuses_a_purpose_that_it_does_not_know() -> None:
    refused = run(ROOT / "deploy" / "environment", "production")
    assert refused.returncode == 2
    assert "deploy/environment run" in refused.stderr


def test_a_second_start_finds_the_environment_ready_and_says_nothing() -> None:
    if not (ROOT / ".venv" / ".made-for-test").exists():
        pytest.skip("this environment was not made by deploy/test")
    again = run(ROOT / "deploy" / "environment", "run")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
