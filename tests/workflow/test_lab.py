"""`make lab` opens JupyterLab on the notebooks, with the kernel that they ask for."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from replication.workflow import discovery, parameters

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed: pip install -e '.[lab]'")
TOKEN = "for-this-test-only"
PATIENCE = 120.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The server that the Makefile starts, without a browser; its address."""
    folder = tmp_path_factory.mktemp("lab")
    # Nothing of a make that runs these tests: it hands its own variables down.
    bare = {"PATH": os.environ["PATH"]}
    root = discovery.FOLDER.parent
    recipe = subprocess.run(["make", "-n", "lab"], cwd=root, capture_output=True, text=True, env=bare)
    *_, command = recipe.stdout.strip().splitlines()
    assert command.split()[1:] == ["-m", "jupyterlab", "notebooks"]
    options = ["--no-browser", "--allow-root", "--port=0", f"--IdentityProvider.token={TOKEN}"]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
    }
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *command.split()[1:], *options],
            cwd=root, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield address(folder, server)
    finally:
        server.terminate()
        server.wait(30)


def address(folder: Path, server: subprocess.Popen) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert server.poll() is None, (folder / "log").read_text()
        for file in (folder / "runtime").glob("jpserver-*.json"):
            return json.loads(file.read_text())["url"]
        time.sleep(0.2)
    pytest.fail(f"no server after {PATIENCE:g} s: {(folder / 'log').read_text()}")


def ask(url: str):
    request = urllib.request.Request(url, headers={"Authorization": f"token {TOKEN}"})
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.load(reply)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def test_it_shows_the_notebooks_in_their_folders(lab):
    folders = {entry["name"] for entry in ask(f"{lab}api/contents")["content"]}
    assert {notebook.path.parent.name for notebook in discovery.notebooks()} <= folders


def test_it_has_the_kernel_of_every_notebook(lab):
    kernels = ask(f"{lab}api/kernelspecs")["kernelspecs"]
    wanted = {parameters.read(one.path)["metadata"]["kernelspec"]["name"] for one in discovery.notebooks()}
    assert wanted == {"python3"} <= set(kernels)
    assert kernels["python3"]["spec"]["argv"][1:3] == ["-m", "ipykernel_launcher"]
