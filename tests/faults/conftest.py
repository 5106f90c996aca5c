"""A small project that is run for real, and a count of what was done to it."""

import os
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from filelock import FileLock
from toy_run import RUN, Project, content


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Project:
    return Project(tmp_path_factory.mktemp("suite"))


@pytest.fixture(scope="session")
def undisturbed(project, tmp_path_factory) -> SimpleNamespace:
    """The run that nothing happened to, made once for all workers of the test runner."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared
    results, seconds = shared / "undisturbed", shared / "undisturbed-seconds"
    with FileLock(shared / "undisturbed.lock"):
        if not seconds.exists():
            seconds.write_text(str(project.run(results).seconds))
    run_dir = results / RUN
    return SimpleNamespace(
        results=results, run_dir=run_dir, seconds=float(seconds.read_text()), content=content(run_dir)
    )


@pytest.fixture
def injected(record_property) -> Callable[..., None]:
    """Note that a fault was injected; it counts as survived when the test passes."""

    def note(fault: str, times: int = 1, lost: int = 0) -> None:
        record_property("fault", (fault, times, lost))

    return note
