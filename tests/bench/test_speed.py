"""The table of speeds is printed; what is asserted is that fast and slow find the same."""

import numpy as np

from hedging.checks import KINDS, Thresholds, tick
from tests.bench.loops import columns, crowd, tick_loop
from tests.bench.speed import betas, checks, replay


def test_the_speeds_are_printed_beside_their_peers() -> None:
    for what, mine, peer, theirs in [*betas(60, 2000, 6), *checks(2_000, 8, 200), *replay(7, 120)]:
        print(f"{what:<52}{mine * 1e3:>9.2f} ms  {peer:<32}{theirs / mine:>8.1f}x")
        assert mine > 0
        assert theirs > 0


def test_the_fast_tick_and_the_plain_loop_say_the_same_of_a_crowd() -> None:
    book = crowd(3_000, seed=9)
    changed, _ = tick(book, np.zeros((3_000, len(KINDS)), dtype=np.int8))
    plain = tick_loop(columns(book), [[0] * len(KINDS)] * 3_000, Thresholds.usual())
    assert len(plain) > 1_000
    assert list(zip(changed.user.tolist(), changed.kind.tolist(), strict=True)) == [
        (u, k) for u, k, _, _ in plain
    ]
