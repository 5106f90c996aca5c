import os
from pathlib import Path

import hypothesis
import pytest

# The same examples on every run, no time limit on slow machines, nothing written beside the tests.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Root folder of published data sets: REPLICATION_DATA, else `shared/data` beside the checkout."""
    named = os.environ.get("REPLICATION_DATA", "")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no published data sets in {folder}: set REPLICATION_DATA to their folder")
    return folder
