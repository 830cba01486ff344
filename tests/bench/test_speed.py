"""The table of speeds is printed; what is asserted is that fast and slow find the same."""

import numpy as np

from hedging.checks import KINDS, Thresholds, tick
from tests.bench.loops import crowd, tick_loop
from tests.bench.speed import betas, checks, replay


def test_the_speeds_are_printed_beside_their_peers() -> None:
    for row in [*betas(60, 2000, 2), *checks(2_000, 8, 2), *replay(7, 120)]:
        print(row)
        assert row.mine > 0
        assert row.theirs > 0


def test_the_fast_tick_and_the_plain_loop_say_the_same_of_a_crowd() -> None:
    book = crowd(3_000, seed=9)
    levels = np.zeros((3_000, len(KINDS)), dtype=np.int8)
    changed, after = tick(book, levels)
    plain, plain_after = tick_loop(book, levels, Thresholds.usual())
    assert len(plain) > 1_000
    assert (after == plain_after).all()
    assert list(zip(changed.user.tolist(), changed.kind.tolist(), strict=True)) == [c[:2] for c in plain]
