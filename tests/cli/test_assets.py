"""HEDGEHOG_ASSETS: the operator's own coins are read before anything else is touched; the real command in a process."""

from pathlib import Path

import pytest

from tests.cli.test_keys import NOBODY, hedgehog

HEADER = "name,asset,units,kind"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (f"{HEADER}\nMYETH,ETH,,staked\nMYBTC,BTC,-1,wrapped\n".encode(), "Line 3 of the assets"),
        (b"MYETH,ETH,,staked\n", f"must name their columns: {HEADER}"),
        (f"{HEADER}\nMYETH,\xff\n".encode("latin-1"), "cannot be read"),
        (f"{HEADER}\n{'x' * 200_000}\n".encode(), "no CSV"),
        (None, "cannot be read: No such file"),
    ],
    ids=["a bad row", "no columns", "no text", "no table", "no file"],
)
def test_a_file_that_cannot_be_used_is_one_line_and_nothing_starts(
    tmp_path: Path, written: bytes | None, said: str
) -> None:
    mine, data = tmp_path / "coins.csv", tmp_path / "data"
    if written is not None:
        mine.write_bytes(written)
    done = hedgehog(
        data, "run", HEDGEHOG_TOKEN="1:sandbox", HEDGEHOG_TELEGRAM_URL=NOBODY, HEDGEHOG_ASSETS=str(mine)
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("HEDGEHOG_ASSETS: ") and said in done.stderr
    assert not data.exists()
