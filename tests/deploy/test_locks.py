"""The locks: complete, hashed, of one mind, and without addresses."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.shared import ROOT

LOCKS = ROOT / "deploy" / "locks"
RUN, TEST, INSTALLER = LOCKS / "run.txt", LOCKS / "test.txt", LOCKS / "installer.txt"


def entries(lock: Path) -> Iterator[tuple[Requirement, list[str]]]:
    """Each locked requirement with its hashes."""
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        requirement, *hashes = entry.split(" --hash=")
        yield Requirement(requirement), hashes


def pins(lock: Path) -> dict[str, set[str]]:
    """The locked versions by name; one that differs between Pythons has several."""
    found: dict[str, set[str]] = {}
    for requirement, _ in entries(lock):
        found.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))
    return found


@pytest.mark.parametrize("lock", [RUN, TEST, INSTALLER], ids=lambda lock: lock.name)
def test_every_locked_package_has_an_exact_version_and_a_hash(lock: Path) -> None:
    loose = [
        str(requirement)
        for requirement, hashes in entries(lock)
        if not re.fullmatch(r"==[^*]+", str(requirement.specifier))
        or not hashes
        or not all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", digest) for digest in hashes)
    ]
    assert loose == []


@pytest.mark.parametrize("lock", [RUN, TEST, INSTALLER], ids=lambda lock: lock.name)
def test_a_lock_names_no_address(lock: Path) -> None:
    assert not re.search(r"://|@ |--(index|find|extra|trusted)", lock.read_text())


def test_what_is_tested_is_what_runs() -> None:
    tested = pins(TEST)
    assert {name: versions for name, versions in pins(RUN).items() if tested.get(name) != versions} == {}


def test_the_locks_follow_from_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {RUN: project["project"]["dependencies"]}
    wanted[TEST] = wanted[RUN] + project["dependency-groups"]["dev"]
    for lock, requirements in wanted.items():
        locked = pins(lock)
        for requirement in map(Requirement, requirements):
            versions = locked.get(canonicalize_name(requirement.name), set())
            assert versions, f"{requirement.name} is not in {lock.name}: run deploy/lock"
            for version in versions:
                assert requirement.specifier.contains(version.removeprefix("==")), (
                    f"{requirement} in {lock.name}"
                )


def test_no_file_names_a_package_registry_or_a_place_on_somebodys_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a checkout of git, so nobody knows which files are the project's")
    forbidden = "|".join(
        (
            "p[y]pi\\.org",
            "p[y]thonhosted",
            "r[e]gistry\\.npmjs",
            "d[e]b\\.debian",
            "/r[o]ot/",
            "/h[o]me/[a-z]",
        )
    )
    found = subprocess.run(
        ["git", "grep", "-nIE", forbidden], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.stdout == "", found.stdout
