"""The default hedge against what a holder could do with a spreadsheet, out of sample, on recorded history."""

import gzip
from collections.abc import Callable
from pathlib import Path

from hedging.replay import parse
from tests.bench.protection import MAJORS, compared, draw

SIMPLER = (
    "1.0 x BTC",
    "1.5 x BTC, the rule of thumb",
    "least squares on BTC",
    "least squares on ETH",
    "three legs by forward selection",
)


def test_three_legs_protect_better_than_any_simple_rule_and_nearly_as_well_as_all(
    shared_path: Callable[[str], Path],
) -> None:
    with gzip.open(shared_path("market/spot_1h_2020_2021.csv.gz"), "rt") as file:
        candles = parse(file)
    table = compared(candles, draw(candles.names, 12, seed=7), MAJORS)
    for title, (variance, shortfall) in table.items():
        print(f"{title:<36}{variance:>10.3f}{shortfall:>11.3f}")
    default = table["hedging: at most 3 legs (default)"]
    for title in SIMPLER:
        assert default[0] > table[title][0], f"{title} removed more variance"
        assert default[1] > table[title][1], f"{title} removed more shortfall"
    every = table["hedging: all majors"]
    assert default[0] > 0.9 * every[0], "three legs lose more than a tenth of what all of them reach"
