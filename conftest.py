"""How nbval runs the committed notebooks: environment of the kernels, patience, nothing green by accident."""

import json
import os
from collections import Counter

import pytest

from replication import papers
from replication.evaluation.claims import Estimate, within_reach
from replication.settings import results_root, run_name
from replication.workflow import engine, execute, kernels
from replication.workflow.progress import expected_seconds

# nbval waits 5 s for each message of a kernel, which a busy machine exceeds now and then.
OUTPUT_SECONDS = 60
# What an interval's end may move on another kind of processor: at least this, and this share of its width.
SLACK, SLACK_SHARE = 0.03, 0.15
VERDICTS = "report.verdict_words()"


def pytest_configure(config: pytest.Config) -> None:
    if not config.option.nbval:
        return
    # Also what Snakemake sets, so that kernels of runs that tests start can be forked from the same process.
    for name, value in (execute.EXPORTS | {execute.OFFLINE: "1"} | engine.job_variables()).items():
        os.environ.setdefault(name, value)
    for name in execute.REMOVED:
        os.environ.pop(name, None)
    # One process imports for the kernels of all workers; they find it in their environment.
    preloader = kernels.Preloader()
    os.environ[kernels.VARIABLE] = preloader.address
    preloader.start(os.environ)
    config.add_cleanup(preloader.close)
    kernels.register()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if is_cell(item):
            item.output_timeout = OUTPUT_SECONDS
    # The longest notebooks first, then the files with most of the slow tests, then the others, so that no
    # worker is left alone with a long one at the end.
    labels = {f"{item.path.parent.name}/{item.path.stem}" for item in items if is_cell(item)}
    seconds = expected_seconds(sorted(labels), "cpu", {})
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    place = {path: number for number, path in enumerate(dict.fromkeys(item.path for item in items))}

    def order(item: pytest.Item) -> tuple[float, int, int]:
        label = f"{item.path.parent.name}/{item.path.stem}"
        return -seconds.get(label, 0.0), -slow[item.path], place[item.path]

    items.sort(key=order)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Count a cell that was not compared as failed: after a time-out nbval marks the rest as expected."""
    report = yield
    if is_cell(item) and hasattr(report, "wasxfail"):
        report.longrepr = f"not run: {report.wasxfail or 'an earlier cell took too long'}"
        report.outcome = "failed"
        del report.wasxfail
    if is_cell(item) and report.failed and call.when == "call" and verdicts_agree(item):
        report.outcome, report.longrepr = "passed", None
    return report


def verdicts_agree(item: pytest.Item) -> bool:
    """Tell whether a cell of verdicts differs only in verdicts that stand close to their thresholds."""
    if item.cell.source.strip() != VERDICTS or not item.cell.outputs:
        return False
    paper = papers.load(item.path.parent.name.partition("_")[2])
    found = results_root() / run_name("cpu", "testbed") / paper.key / "claims.json"
    if not found.is_file():
        return False
    now = {entry["claim"]: entry for entry in json.loads(found.read_text())}
    stored = [line.split(maxsplit=1) for line in "".join(item.cell.outputs[0]["text"]).splitlines()]
    own = {claim.id for claim in paper.claims if claim.notebook == item.path.stem}
    return {claim for claim, _ in stored} == own and all(
        agrees(verdict, now[claim], paper.claim(claim).test) for claim, verdict in stored
    )


def agrees(verdict: str, now: dict, test: dict) -> bool:
    """Tell whether a stored verdict is the one measured now, or within reach of it."""
    if verdict == now["verdict"] or now["measured"] is None:
        return verdict == now["verdict"]
    estimate = Estimate(now["measured"], now["ci_low"], now["ci_high"], now["n"])
    slack = max(SLACK, SLACK_SHARE * (estimate.high - estimate.low))
    return now["verdict"] != "not testable" and verdict in within_reach(test, estimate, slack)


def is_cell(item: pytest.Item) -> bool:
    """Tell whether a test is a cell of a notebook."""
    return item.path.suffix == ".ipynb"
