"""The README tells the truth about what can be checked by a machine."""

import re

from bot.chat.commands import COMMANDS
from bot.settings import Settings
from tests import shared

README = (shared.ROOT / "README.md").read_text()


def test_the_readme_lists_exactly_the_commands_of_the_menu() -> None:
    listed = re.findall(r"^\| `/(\w+)` \|", README, flags=re.MULTILINE)
    assert listed == [command.name for command in COMMANDS if not command.hidden]


def test_every_setting_that_the_readme_names_exists() -> None:
    known = {f"HEDGEHOG_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"HEDGEHOG_[A-Z_]+", README)) <= known


def test_every_file_that_the_readme_links_to_exists() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("https://")]
    missing = [link for link in links if not (shared.ROOT / link).exists()]
    assert missing == []
