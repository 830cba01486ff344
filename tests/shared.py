"""Where the tests find what lies beside the checkout: recordings of markets and of exchanges' answers."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared_path(name: str) -> Path:
    """The file or folder `../shared/NAME`; where there is none, the test is skipped with the reason."""
    path = ROOT.parent / "shared" / name
    if not path.exists():
        pytest.skip(f"the recordings are not beside this checkout: there is no ../shared/{name}")
    return path
