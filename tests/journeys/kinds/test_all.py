"""No kind is without its journey."""

from bot.services.desk.kinds import KINDS
from tests.journeys.kinds.life import GOLDEN

OTHER_REASONS = {"stale_age"}  # a second way to a kind


def test_every_kind_of_alert_has_its_life_written_down() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(KINDS) | OTHER_REASONS
