"""The notebooks of the papers in one process per architecture, with a tiny model of it and tiny samples.

Each architecture takes every third notebook, another third than the one before, so that each notebook meets
two or three of them; `make soak` runs all on all. A kernel of its own for each would cost more than what they
compute. The code cells are run as they are, the cell of parameters overridden as papermill does it; the
profile is smoke, with still smaller sizes.
Figures are laid out and drawn, at a low resolution, and not stored: `tests/reporting` looks at the files.
"""

import dataclasses
import json
import os
from pathlib import Path

import IPython.display
import pytest

from replication import papers
from replication.evaluation.claims import NOT_TESTABLE, VERDICTS
from replication.reporting.report import NOT_MEASURED
from replication.workflow import discovery, parameters

SIZES = {
    "cot_decoding": {"n_questions": 3, "n_small": 2, "k": 3, "samples": 2, "seeds": 1, "max_new_tokens": 8},
    "top_nsigma": {"n_questions": 3, "n_small": 2, "n_votes": 2, "samples": 3, "few": 2, "n_texts": 3,
                   "n_places": 20, "max_new_tokens": 3},
    "min_p": {"n_questions": 3, "n_grid": 2, "n_small": 2, "samples": 2, "traces": 1,
              "max_new_tokens": 2},
    "eta_sampling": {"n_texts": 3, "n_wide": 2, "n_questions": 3, "prompt_tokens": 12,
                     "max_new_tokens": 4},
    "rho1": {"steps": 2, "short_steps": 2, "strong_steps": 2, "tool_steps": 1, "n_blocks": 16, "n_clean": 8,
             "n_validation": 2, "n_questions": 4, "n_watch": 2, "n_checkpoints": 2},
    "dpo_rpo": {"n_sampled": 6, "n_samples": 4, "n_watched": 2, "n_questions": 3, "n_iterated": 4,
                "pairs_a_question": 2, "n_voted": 2, "n_votes": 2, "max_new_tokens": 4},
    "tdpo": {"n_sampled": 6, "n_samples": 4, "n_watched": 2, "n_questions": 3, "n_own": 2,
             "max_new_tokens": 4},
    "cdpo": {"n_sampled": 6, "n_samples": 4, "n_watched": 2, "n_questions": 3, "n_trajectories": 2,
             "n_rollouts": 2, "max_new_tokens": 4},
}  # fmt: skip


# Not the testbed's own, which shows the shipped models whatever the model.
NOTEBOOKS = [notebook for notebook in discovery.notebooks() if notebook.paper in SIZES]


EVERY = 1 if int(os.environ.get("REPLICATION_FUZZ", "1")) > 1 else 3
PLACES = {path.stem: i for i, path in enumerate(sorted(Path(__file__).parent.glob("test_*.py")))}


def taken(place):
    """Return the notebooks of the architecture at a place of the list."""
    return NOTEBOOKS[place % EVERY :: EVERY]


def pytest_generate_tests(metafunc):
    if "notebook" in metafunc.fixturenames:
        own = taken(PLACES[metafunc.module.__name__.rpartition(".")[2]])
        metafunc.parametrize("notebook", own, ids=lambda notebook: notebook.label)


@pytest.fixture(autouse=True)
def tiny_sizes(monkeypatch):
    """Make the smoke profile of every paper still smaller."""
    load = papers.load

    def tiny(name, folder=None):
        card = load(name, folder)
        if name not in SIZES:
            return card
        smoke = dict(card.profiles["smoke"]) | SIZES[name]
        return dataclasses.replace(card, profiles={**card.profiles, "smoke": smoke})

    monkeypatch.setattr(papers, "load", tiny)


@pytest.fixture(autouse=True)
def unflushed(monkeypatch):
    """Leave the flushing of thousands of small files to the system: none outlives the test."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def shown(monkeypatch):
    """What the cells display, as text; figures are drawn and closed."""
    from matplotlib import pyplot as plt

    from replication.reporting import style

    items = []

    def display(*found, raw=False, **options):
        items.extend(json.dumps(one, default=str) if raw else str(getattr(one, "data", one)) for one in found)

    def draw(figure, folder, name):
        figure.set_dpi(40)
        with style.any_script():
            figure.canvas.draw()

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(style, "save", draw)
    yield items
    plt.close("all")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Root of the results, shared by the notebooks of an architecture: what one computes, others find."""
    return tmp_path_factory.mktemp("results")


@pytest.fixture
def execute(results, shown, monkeypatch):
    """Function that runs a notebook on a model and returns the claims of its paper as stored."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def run(notebook, model, **changes):
        given = {"profile": "smoke", "model": str(model), "device": "cpu", "results_dir": str(results)}
        names = {"__name__": "__main__", "display": IPython.display.display}
        for number, cell in enumerate(parameters.read(notebook.path)["cells"]):
            if cell["cell_type"] != "code":
                continue
            exec(compile(cell["source"], f"{notebook.label}[{number}]", "exec"), names)
            if parameters.TAG in cell["metadata"].get("tags", ()):
                names |= given | changes
        return json.loads((names["run"].paper_dir / "claims.json").read_text(encoding="utf-8"))

    return run


def claims_of(notebook):
    """Ids of the claims that a notebook has to judge, in order."""
    return [one.id for one in papers.load(notebook.paper).claims if one.notebook == notebook.topic]


@pytest.fixture
def claims(notebook):
    """The notebook's claims, see `claims_of`."""
    return claims_of(notebook)


@pytest.fixture
def judge(execute, shown):
    """Function that runs a notebook on a model, checks what it stores, and returns verdicts by claim."""

    def run(notebook, model, **changes):
        stored = [one for one in execute(notebook, model, **changes) if one["notebook"] == notebook.topic]
        assert [one["claim"] for one in stored] == claims_of(notebook)
        assert {one["verdict"] for one in stored} <= set(VERDICTS)
        for one in stored:
            assert one["reason"]
            assert NOT_MEASURED not in one["reason"], one["claim"]
            assert any(f"| {one['claim']} |" in text for text in shown), "no table of verdicts"
        return {one["claim"]: one["verdict"] for one in stored}

    return run


@pytest.fixture
def untestable():
    """The verdict of what a model cannot show."""
    return NOT_TESTABLE
