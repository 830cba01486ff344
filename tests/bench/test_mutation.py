"""The table of the mutation run: what was not run is told, and counts neither as noticed nor as alive."""

import json
from pathlib import Path

from tests.bench.mutation import counted, table


def test_the_table_counts_by_module_by_group_and_in_all(tmp_path: Path) -> None:
    ended: dict[str, list[int | None]] = {
        "hedging/margin.py": [1, 1, 0, None],
        "hedging/ratio/basket.py": [1, 33],
        "hedging/ratio/__init__.py": [],
    }
    for module, codes in ended.items():
        meta = tmp_path / "mutants" / f"{module}.meta"
        meta.parent.mkdir(parents=True, exist_ok=True)
        meta.write_text(json.dumps({"exit_code_by_key": {str(i): code for i, code in enumerate(codes)}}))
    lines = {line.split()[0]: line.split()[1:] for line in table(counted(tmp_path))[1:]}
    assert lines["hedging/margin.py"] == ["4", "1", "1", "33.3%"]
    assert lines["hedging/ratio"] == ["2", "0", "1", "50.0%"], "what no test reaches is alive"
    assert lines["hedging/checks"] == ["0", "0", "0", "-"]
    assert lines["all"] == ["6", "1", "2", "40.0%"]
    assert "hedging/ratio/__init__.py" not in lines
