"""How nbval runs the committed notebooks: environment of the kernels, patience, nothing green by accident."""

import os

import pytest

from replication.workflow import execute

# nbval waits 5 s for each message of a kernel, which a busy machine exceeds now and then.
OUTPUT_SECONDS = 60


def pytest_configure(config: pytest.Config) -> None:
    if config.option.nbval:
        for name, value in (execute.EXPORTS | {execute.OFFLINE: "1"}).items():
            os.environ.setdefault(name, value)
        for name in execute.REMOVED:
            os.environ.pop(name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if is_cell(item):
            item.output_timeout = OUTPUT_SECONDS


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Count a cell that was not compared as failed: after a time-out nbval marks the rest as expected."""
    report = yield
    if is_cell(item) and hasattr(report, "wasxfail"):
        report.longrepr = f"not run: {report.wasxfail or 'an earlier cell took too long'}"
        report.outcome = "failed"
        del report.wasxfail
    return report


def is_cell(item: pytest.Item) -> bool:
    """Tell whether a test is a cell of a notebook."""
    return item.path.suffix == ".ipynb"
