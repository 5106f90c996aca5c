"""The lock, the conda file, the Makefile and what is installed say the same."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires, version

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from replication.settings import ROOT

LOCK = (ROOT / "env" / "requirements-cpu.lock").read_text().splitlines()
PINS = [Requirement(line) for line in LOCK]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# PyTorch's CUDA build brings these; they are no part of the lock for CPUs.
CUDA = ("nvidia-", "cuda-", "triton")


def pinned(requirement):
    return str(requirement.specifier).removeprefix("==")


def wanted():
    """Every requirement of the project, its extras included."""
    extras = PROJECT["optional-dependencies"].values()
    return [
        Requirement(text) for text in (*PROJECT["dependencies"], *(text for some in extras for text in some))
    ]


def closure():
    """Names of everything that the project's requirements bring, as installed."""
    seen, todo = set(), [(one.name, frozenset(one.extras)) for one in wanted()]
    while todo:
        name, extras = todo.pop()
        if (canonicalize_name(name), extras) in seen or canonicalize_name(name).startswith(CUDA):
            continue
        seen.add((canonicalize_name(name), extras))
        for text in requires(name) or ():
            one = Requirement(text)
            choices = [default_environment() | {"extra": extra} for extra in ("", *extras)]
            if one.marker is None or any(map(one.marker.evaluate, choices)):
                todo.append((one.name, frozenset(one.extras)))
    return {name for name, _ in seen}


def test_the_lock_holds_exact_pins_and_nothing_else_torch_first():
    assert PINS[0].name == "torch"
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) and pin.url is None for pin in PINS)
    assert not [line for line in LOCK if "://" in line or "/" in line or line.startswith("-")]
    names = [canonicalize_name(pin.name) for pin in PINS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.name)
def test_what_is_installed_is_what_the_lock_says(pin):
    if pin.marker and not pin.marker.evaluate():
        pytest.skip(f"not for Python {sys.version_info[0]}.{sys.version_info[1]}")
    try:
        installed = version(pin.name)
    except PackageNotFoundError:
        pytest.fail(f"{pin.name} is not installed: run `make setup`")
    assert Version(installed).public == pinned(pin)


def test_the_lock_holds_everything_the_project_needs():
    locked = {canonicalize_name(pin.name) for pin in PINS}
    assert closure() - locked == set()


def test_the_ranges_of_the_project_admit_the_pins():
    locked = {canonicalize_name(pin.name): pinned(pin) for pin in PINS}
    assert not [str(one) for one in wanted() if locked[canonicalize_name(one.name)] not in one.specifier]


def test_the_python_that_runs_is_a_supported_one():
    assert sys.version_info[:2] in ((3, 11), (3, 12))
    assert PROJECT["requires-python"] == ">=3.11,<3.13"


def test_conda_takes_python_and_pip_itself_and_the_rest_from_the_lock():
    import yaml

    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert conda == ["python=3.11", "pip"]
    assert pip == {"pip": ["-r env/requirements-cpu.lock", "-e ."]}


def test_the_makefile_installs_torch_from_the_lock_before_the_rest():
    text = (ROOT / "Makefile").read_text()
    assert "grep '^torch==' $(LOCK)" in text
    assert text.index("'$(TORCH)'") < text.index("-r $(LOCK)")


@pytest.mark.parametrize("name", ["MPLBACKEND", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"])
def test_make_passes_no_variable_on_that_spoils_or_slows_a_run(name):
    command = ["make", "-f", str(ROOT / "Makefile"), "--eval", "probe: ; @env", "probe"]
    environment = os.environ | {name: "1", "KEPT": "1"}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "KEPT=1" in done.stdout.splitlines()
    assert not [line for line in done.stdout.splitlines() if line.startswith(f"{name}=")]


def test_package_data_is_named():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for package, patterns in data.items():
        folder = ROOT.joinpath(*package.split("."))
        assert all(list(folder.glob(pattern)) for pattern in patterns if "checkpoints" not in pattern), (
            package
        )


def test_the_image_is_set_up_by_the_makefile_and_leaves_results_out():
    image = (ROOT / "env" / "Dockerfile").read_text()
    assert "FROM python:3.11" in image
    assert "make setup" in image
    assert {".venv", "results", ".git"} <= set((ROOT / ".dockerignore").read_text().split())
