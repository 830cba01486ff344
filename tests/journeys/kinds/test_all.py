"""No kind is without its journey."""

from bot.services.desk.kinds import KINDS
from tests.journeys.kinds.life import GOLDEN

OTHER_REASONS = {"stale_age"}  # a second way to a kind
# A key's life takes weeks, and a journey a day at a time: it is told in tests/services/accounts/test_key_looks.py.
BY_THE_DAY = {"key_expiring", "key_rights"}


def test_every_kind_of_alert_has_its_life_written_down() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(KINDS) - BY_THE_DAY | OTHER_REASONS
