"""Container image, compose file and systemd unit say what the settings understand, and name what exists."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices

from bot.settings import Settings
from tests.shared import ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
UNIT = (DEPLOY / "hedgehog.service").read_text()


def understood() -> set[str]:
    """Every environment variable that the settings read."""
    names = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names |= (
            set(map(str, alias.choices)) if isinstance(alias, AliasChoices) else {f"HEDGEHOG_{name.upper()}"}
        )
    return names


def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return parsed


def test_every_setting_that_an_installation_makes_is_one_that_the_bot_reads() -> None:
    said = {
        "Dockerfile": set(re.findall(r"\b(HEDGEHOG_\w+)=", DOCKERFILE)),
        "compose.yaml": set(compose()["services"]["bot"]["environment"]),
        "hedgehog.service": set(re.findall(r"\b(HEDGEHOG_\w+|DATABASE_URL)=", UNIT)),
    }
    assert all(said.values()), "each of the three says at least one setting"
    assert {place: names - understood() for place, names in said.items() if names - understood()} == {}


def test_the_settings_of_the_image_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in re.findall(r"\b(HEDGEHOG_\w+)=(\S+)", DOCKERFILE):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", "postgresql://hedgehog:word@postgres:5432/hedgehog")
    settings = Settings()
    assert (str(settings.data), settings.listen_port) == ("/data", 8080)
    assert settings.database == "postgresql+psycopg://hedgehog:word@postgres:5432/hedgehog"


def test_all_that_the_image_copies_exists_and_reaches_the_builder() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (\S+)", DOCKERFILE, re.MULTILINE)
    assert copied
    for path in copied:
        assert (ROOT / path).exists(), f"the image copies {path}, which does not exist"
        assert path in let_in, f"the image copies {path}, but .dockerignore keeps it out"


def test_the_image_starts_a_command_that_the_bot_has() -> None:
    entry = re.search(r"^ENTRYPOINT (.*)$\n^CMD (.*)$", DOCKERFILE, re.MULTILINE)
    assert entry, "the Dockerfile ends with ENTRYPOINT and CMD"
    command: list[str] = json.loads(entry[1]) + json.loads(entry[2])
    assert command[0] == "python"
    helped = subprocess.run(
        [sys.executable, *command[1:], "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert helped.returncode == 0, helped.stderr


def test_the_image_is_asked_for_its_health_where_the_bot_answers() -> None:
    path = re.search(r"127\.0\.0\.1:(\d+)(/\w+)", DOCKERFILE)
    assert path, "the Dockerfile has a health check"
    assert f"HEDGEHOG_LISTEN_PORT={path[1]}" in DOCKERFILE
    assert f'Route("{path[2]}"' in (ROOT / "bot" / "web" / "app.py").read_text()


def test_the_linter_of_images_finds_nothing() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    found = subprocess.run([linter, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_bot_of_the_compose_file_is_built_here_and_waits_for_its_database() -> None:
    services = compose()["services"]
    build = services["bot"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    assert services["bot"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert "healthcheck" in services["postgres"]
    mounted = {volume.partition(":")[0] for service in services.values() for volume in service["volumes"]}
    assert mounted == set(compose()["volumes"])


def test_no_secret_stands_in_the_compose_file() -> None:
    for service in compose()["services"].values():
        for name, value in service["environment"].items():
            if re.search("TOKEN|PASSWORD|SECRET", name):
                assert value.startswith("${"), f"{name} must come from the environment"


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("this machine has no systemd-analyze to check the unit with")
    program = tmp_path / "hedgehog"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "hedgehog.service"
    unit.write_text(UNIT.replace("/opt/hedgehog/.venv/bin/hedgehog", str(program)))
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert checked.returncode == 0 and "hedgehog.service" not in checked.stderr, checked.stderr


def test_the_unit_starts_what_the_environment_makes() -> None:
    started = re.search(r"^ExecStart=/opt/hedgehog/(\S+) (\w+)$", UNIT, re.MULTILINE)
    assert started and started[2] == "run"
    assert started[1] == ".venv/bin/hedgehog"
    assert '"$venv/bin/hedgehog"' in (DEPLOY / "environment").read_text()
