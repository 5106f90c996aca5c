import json
import os
from collections import Counter
from collections.abc import Callable
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


@pytest.fixture(scope="session")
def store() -> Callable[..., Path]:
    """Writer of a finished run's files: `store(folder, {"paper C1": (value, low, high, n, verdict)})`."""

    def write(folder: Path, claims: dict[str, tuple], **manifest: object) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        rows = [stored_claim(*key.split(), *found) for key, found in claims.items()]
        content = {"run": folder.name, "summary": {}, "claims": rows}
        (folder / "scoreboard.json").write_text(json.dumps(content))
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    return write


def stored_claim(paper, claim, value, low, high, n, verdict, test="accuracy difference > 0.10") -> dict:
    texts = {"statement": "A beats <b>B</b>.", "source": "Table 1", "published": "20 | 10"}
    texts |= {"reason": "Why.", "notebook": "01_first"}
    numbers = {"measured": value, "ci_low": low, "ci_high": high, "n": n}
    return {"paper": paper, "claim": claim, "test": test, "verdict": verdict} | texts | numbers


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the table of faults of this run."""
    injected, survived, lost = Counter(), Counter(), Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == "fault" and report.when == "call":
                    injected[value[0]] += value[1]
                    survived[value[0]] += value[1] if outcome == "passed" else 0
                    lost[value[0]] += value[2]
    if injected:
        terminalreporter.section("faults: injected, survived, finished work lost")
        for fault in sorted(injected):
            row = f"{fault:60} {injected[fault]:6} {survived[fault]:6} {lost[fault]:4}"
            terminalreporter.write_line(row)
