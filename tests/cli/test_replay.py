"""`hedgehog replay` as somebody types it."""

import gzip
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from bot.cli import app

KEYS = {
    "effectiveness",
    "es5_reduction",
    "max_drawdown_hedged",
    "max_drawdown_unhedged",
    "pnl_hedged",
    "pnl_unhedged",
    "fees",
    "funding",
    "turnover",
    "legs",
    "daily",
}


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """100 days of hours of BTC, a coin that follows it, and one of its own."""
    rng = np.random.default_rng(1)
    moves = rng.normal(0, 0.01, (2400, 3))
    moves[:, 1] = 1.3 * moves[:, 0] + 0.3 * moves[:, 1]
    prices = 100 * np.exp(np.cumsum(moves, axis=0))
    times = np.datetime64("2025-01-01T00:00:00") + np.arange(2400) * np.timedelta64(1, "h")
    lines = ["symbol,timestamp,open,high,low,close,volume"]
    for column, coin in enumerate(("BTC", "SOL", "ADA")):
        for time, price in zip(times, prices[:, column], strict=True):
            lines.append(f"{coin}/USDT,{time}Z,{price},{price},{price},{price},1")
    file = tmp_path / "prices.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def typed(history: Path, *more: str, holdings: str = "SOL=120,ADA=5") -> Result:
    return CliRunner().invoke(app, ["replay", "--history", str(history), "--holdings", holdings, *more])


def test_json_has_every_figure_and_its_days_add_up(history: Path) -> None:
    got = typed(history, "--json", "--exclude-direct", "--start", "2025-03-05", "--end", "2025-04-01")
    assert got.exit_code == 0, got.output
    content = json.loads(got.stdout)
    assert content.keys() >= KEYS
    assert [content["daily"][0]["date"], content["daily"][-1]["date"]] == ["2025-03-05", "2025-04-01"]
    unhedged, hedged = (np.array([day[key] for day in content["daily"]]) for key in ("unhedged", "hedged"))
    assert content["pnl_unhedged"] == pytest.approx(unhedged.sum())
    assert content["pnl_hedged"] == pytest.approx(hedged.sum())
    assert content["effectiveness"] == pytest.approx(1 - hedged.var() / unhedged.var())
    assert {(leg["date"], leg["instrument"]) for leg in content["legs"]} == {
        ("2025-03-05", "BTC"),
        ("2025-03-19", "BTC"),
    }
    assert content["fees"] > 0


def test_json_tells_the_verdict_the_insurance_the_runway_and_what_if(history: Path) -> None:
    content = json.loads(typed(history, "--json", "--exclude-direct", "--instruments", "BTC").stdout)
    assert content["verdict"]["word"] in ("strong", "fair", "weak", "dont")
    assert content["verdict"]["variance_removed"] == pytest.approx(content["effectiveness"])
    assert content["verdict"]["shortfall_removed"] == pytest.approx(content["es5_reduction"])
    assert content["verdict"]["se"] > 0 and content["verdict"]["shortfall_se"] > 0
    assert -1 <= content["verdict"]["stress_correlation"] <= 1
    months = len(content["daily"]) / 30
    assert content["insurance_per_month"] == pytest.approx((content["fees"] - content["funding"]) / months)
    assert [runway["instrument"] for runway in content["runway"]] == ["BTC"]
    assert len(content["runway"][0]["pumps"]) == 3
    assert [choice["asset"] for choice in content["choices"]] == ["SOL", "ADA"]
    assert content["choices"][0]["chosen"]["symbols"] == ["BTC"]
    assert content["choices"][1]["reason"] in ("weak_fit", "too_dear"), "a coin of its own"
    assert [row["move"] for row in content["what_if"]][::12] == [-0.6, 1.0]


def test_too_few_days_have_no_verdict(history: Path) -> None:
    span = ("--start", "2025-03-20", "--end", "2025-03-25")
    assert json.loads(typed(history, "--json", *span).stdout)["verdict"] is None
    assert "verdict" not in typed(history, *span).stdout


def test_the_table_says_how_sure_it_is_and_why(history: Path) -> None:
    said = typed(history, "--exclude-direct", "--instruments", "BTC").stdout
    for words in (
        "±",
        "verdict",
        "on the worst days",
        "a month",
        "survives +49%",
        "in 7 d",
        "by -60%",
        "given up",
    ):
        assert words in said, words


def test_wrapped_coins_thousands_and_dollars_are_understood_and_more_can_be_taught(
    history: Path, tmp_path: Path
) -> None:
    plain = typed(history, "--json", holdings="SOL=120,ADA=5,BTC=0.5")
    same = typed(history, "--json", holdings="SOL=120,ADA=5,WBTC=0.5,USDT=1000")
    assert same.exit_code == 0, same.output
    assert same.stdout == plain.stdout
    assert "no prices of OLDADA" in typed(history, holdings="OLDADA=50").stderr
    mine = tmp_path / "mine.csv"
    mine.write_text("name,asset,units,kind\nOLDADA,ADA,0.1,renamed\n")
    taught = typed(history, "--json", "--assets", str(mine), holdings="SOL=120,OLDADA=50,BTC=0.5")
    assert taught.stdout == plain.stdout
    mine.write_text("name,asset,units,kind\nOLDADA,ADA,-1,renamed\n")
    wrong = typed(history, "--assets", str(mine))
    assert (wrong.exit_code, wrong.stderr.count("\n")) == (2, 1)
    assert "Line 2 of the assets" in wrong.stderr
    dollars = typed(history, holdings="USDT=5")
    assert dollars.exit_code == 2
    assert "nothing to hedge" in dollars.stderr


def test_holdings_that_are_set_back_make_all_days_alike(history: Path) -> None:
    kept = json.loads(typed(history, "--json", "--exclude-direct").stdout)
    back = json.loads(typed(history, "--json", "--exclude-direct", "--reset-holdings").stdout)
    assert kept["daily"][0]["unhedged"] == pytest.approx(back["daily"][0]["unhedged"])
    assert kept["daily"][-1]["unhedged"] != pytest.approx(back["daily"][-1]["unhedged"])
    assert back["pnl_unhedged"] == pytest.approx(sum(day["unhedged"] for day in back["daily"]))


def test_a_gzipped_history_and_a_rebalance_in_weeks_are_the_same(history: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "prices.csv.gz"
    zipped.write_bytes(gzip.compress(history.read_bytes()))
    assert (
        typed(zipped, "--json", "--rebalance", "2w").stdout
        == typed(history, "--json", "--rebalance", "14d").stdout
    )


def test_the_table_is_for_people_and_the_picture_shows_both_lines(history: Path, tmp_path: Path) -> None:
    picture = tmp_path / "equity.svg"
    got = typed(history, "--picture", str(picture), "--instruments", "btc")
    assert got.exit_code == 0, got.output
    assert "variance removed" in got.stdout
    assert "unhedged" in got.stdout
    root = ElementTree.fromstring(picture.read_text())
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 2


def test_recorded_funding_counts(history: Path, tmp_path: Path) -> None:
    funding = tmp_path / "funding.csv"
    funding.write_text("symbol,timestamp,funding_rate\nBTC/USDT:USDT,2025-03-20T08:00:00Z,0.01\n")
    got = json.loads(typed(history, "--json", "--method", "manual", "--funding", str(funding)).stdout)
    assert got["funding"] > 0


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--holdings", "PEPE=1"), "The history has no prices of PEPE."),
        (("--holdings", "SOL=0"), "does not read like SOL=120"),
        (("--holdings", "SOL=-3"), "does not read like SOL=120"),
        (("--holdings", "SOL"), "does not read like SOL=120"),
        (("--holdings", ""), "There is no holding"),
        (("--holdings", "SOL=1,sol=2"), "SOL is named twice"),
        (("--instruments", "BTC,NONE"), "The history has no prices of NONE."),
        (("--start", "2026-01-01"), "There is no day to replay"),
        (("--start", "2025-03-10", "--end", "2025-03-09"), "There is no day to replay"),
        (("--start", "2025-13-01"), "is no day like 2021-05-19"),
        (("--end", "tomorrow"), "is no day like 2021-05-19"),
        (("--method", "magic"), "The method must be one of"),
        (("--rebalance", "0d"), "does not read like 14d or 2w"),
        (("--train", "x"), "does not read like 14d or 2w"),
        (("--target", "0"), "The target must be"),
        (("--max-legs", "0"), "at least one leg"),
    ],
)
def test_bad_options_get_one_line_and_exit_code_2(
    history: Path, more: tuple[str, ...], sentence: str
) -> None:
    got = typed(history, *more)
    assert got.exit_code == 2
    assert sentence in got.stderr
    assert got.stderr.strip().count("\n") == 0
    assert got.stdout == ""


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ("SOL/USDT,2025-01-01T00:00:00Z,5,5,5,5,1", "repeats a time"),
        ("SOL/USDT,2024-12-31T00:00:00Z,5,5,5,5,1", "goes back in time"),
        ("SOL/USDT,2025-01-01T01:00:00Z,5,5,5,nan,1", "not a price above zero"),
        ("SOL/USDT,2025-01-01T01:00:00Z,5,5,5,0,1", "not a price above zero"),
        ("SOL/USDT,2025-01-01T01:00:00Z,5,5,5,-5,1", "not a price above zero"),
        ("SOL/USDT,noon,5,5,5,5,1", "is no UTC time"),
        ("SOL/USDT,2025-01-01T01:00:00Z", "cells"),
    ],
)
def test_bad_histories_get_one_line_and_exit_code_2(tmp_path: Path, second: str, sentence: str) -> None:
    file = tmp_path / "bad.csv"
    header = "symbol,timestamp,open,high,low,close,volume"
    file.write_text(f"{header}\nSOL/USDT,2025-01-01T00:00:00Z,5,5,5,5,1\n{second}\n")
    got = typed(file, holdings="SOL=1")
    assert got.exit_code == 2
    assert sentence in got.stderr
    assert got.stderr.strip().count("\n") == 0


def test_files_that_cannot_be_read_get_one_line_and_exit_code_2(history: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress(history.read_bytes())[:500])
    for file in (tmp_path / "none.csv", torn, tmp_path):
        got = typed(file)
        assert got.exit_code == 2
        assert "cannot be read" in got.stderr
    bad = tmp_path / "funding.csv"
    bad.write_text("symbol,timestamp\nBTC,now\n")
    got = typed(history, "--funding", str(bad))
    assert got.exit_code == 2
    assert "Line 2 of the funding history" in got.stderr
