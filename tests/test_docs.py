"""The picture of the README is made from a run's own numbers."""

import importlib.util

import matplotlib.image as mpimg
import pandas as pd
import pytest

from replication.settings import ROOT

SCRIPT = ROOT / "docs" / "make_results.py"
SERIES = {"accuracy": [1.0, 0.5], "low": [0.9, 0.4], "high": [1.0, 0.6]}
BARS = {"value": [0.2, 0.8], "low": [0.1, 0.7], "high": [0.3, 0.9]}
MADE = {
    "cot_decoding/figure_1": {
        "branch": [0, 1],
        "answer": [16, 14],
        "delta": [0.5, 1.0],
        "has_cot": [False, True],
    },
    "cot_decoding/figure_3": {"group": ["stories"] * 2, "bar": ["greedy", "CoT-decoding"], **BARS},
    "cot_decoding/figure_5": {"series": ["testbed"] * 2, "k": [1, 2], **SERIES},
    "top_nsigma/table_2": {"series": ["top-nσ 1"] * 2, "relative": [0.5, 1.5], **SERIES},
    "min_p/quality_and_diversity": {"series": ["min-p 0.1"] * 2, "distinct": [0.3, 0.6], **SERIES},
    "top_nsigma/kept_sizes": {"series": ["top-k 20"] * 2, "temperature": [1.0, 3.0], **SERIES},
    "rho1/figure_1": {"panel": ["this run"] * 2, "series": ["CLM"] * 2, "read": [0, 1000], **BARS},
    "cdpo/figure_2_moves": {"panel": ["this run"] * 2, "series": ["token banned"] * 2, "k": [1, 2], **BARS},
    "cdpo/figure_4": {
        "panel": ["chosen", "rejected"],
        "series": ["DPO (base)"] * 2,
        "step": [0, 0],
        "value": [-6.0, -7.0],
        "low": [-6.1, -7.1],
        "high": [-5.9, -6.9],
    },
}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_results", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nine_panels_are_drawn_from_the_numbers_of_a_run(script, tmp_path):
    assert [name for _, name in script.PANELS] == list(MADE)
    for name, columns in MADE.items():
        paper, figure = name.split("/")
        (tmp_path / paper / "figures").mkdir(parents=True, exist_ok=True)
        pd.DataFrame(columns).to_csv(tmp_path / paper / "figures" / f"{figure}.csv", index=False)
    script.draw(tmp_path, tmp_path / "results.png")
    assert mpimg.imread(tmp_path / "results.png").shape[:2] == (1640, 1800)


def test_a_missing_run_is_told(script, tmp_path):
    with pytest.raises(SystemExit, match=r"figure_1\.csv is missing: run `make reproduce` first"):
        script.draw(tmp_path, tmp_path / "results.png")
    assert not list(tmp_path.iterdir())
