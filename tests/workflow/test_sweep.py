"""A sweep: what it refuses, how its runs are called, and the whole way with an interruption."""

import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from replication.settings import InputError
from replication.workflow import checks, sweep
from replication.workflow.checks import Request


@pytest.fixture
def request_of(tmp_path, judged, model):
    """Maker of requests for one toy notebook."""
    folder = str(judged(tmp_path).parents[1])
    return lambda **given: Request(
        model=str(model), results_dir=str(tmp_path / "results"), notebooks_dir=folder, **given
    )


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["share=0.5, 1"], {"share": ["0.5", "1"]}),
        (["task=stories:kind=plain,level=3;stories"], {"task": ["stories:kind=plain,level=3", "stories"]}),
        (["levels=[1,2];[3]", "seed=1"], {"levels": ["[1,2]", "[3]"], "seed": ["1"]}),
    ],
)
def test_parse(texts, found):
    assert sweep.parse(texts) == found


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["share"], "Cannot read the sweep 'share'"),
        (["share=1,,2"], "Cannot read the sweep"),
        (["share=1", "share=2"], "names something twice"),
        (["share=1,1"], "names something twice"),
    ],
)
def test_parse_refuses(texts, sentence):
    with pytest.raises(InputError, match=sentence):
        sweep.parse(texts)


def test_points_are_runs_of_their_own(request_of):
    found = sweep.points(request_of(), {"share": ["0.5", "1"], "seed": ["0", "3"]})
    assert [point.values for point in found][:2] == [{"share": 0.5, "seed": 0}, {"share": 0.5, "seed": 3}]
    names = [path.name for point in found for path in checks.resolve(point.request)]
    assert names == [
        "cpu-toy-model-share-0.5",
        "cpu-toy-model-seed3-share-0.5",
        "cpu-toy-model-share-1.0",
        "cpu-toy-model-seed3-share-1.0",
    ]
    assert checks.values(found[3].request)["share"] == 1.0


def test_values_that_no_file_name_can_hold_are_told_apart():
    names = {sweep.variant({"levels": value}) for value in ([1, 2], [1, 3], "x" * 60, "x" * 61)}
    assert len(names) == 4
    assert all(len(name) < 60 and "/" not in name for name in names)
    assert sweep.variant({"style": ""}) == "style-e3b0c4"


@pytest.mark.parametrize(
    ("swept", "sentence"),
    [
        ({"heat": ["1"]}, "No notebook has the parameter 'heat': beside .* levels, quick, share"),
        ({"share": ["1"], "k": ["1"]}, "No notebook has the parameters 'k', 'share' together"),
        ({"share": ["much"]}, "share='much' needs to be float"),
        ({"seed": ["0", "-1"]}, "The seed needs to be >= 0"),
        ({"results_dir": ["x"]}, "results_dir cannot be swept"),
        ({"seed": list(map(str, range(1001)))}, "has 1001 points: 1000 at most"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(request_of, tmp_path, swept, sentence):
    with pytest.raises(InputError, match=sentence):
        sweep.sweep(request_of(), swept)
    assert not list(tmp_path.glob("results/*/*/notebooks"))


@pytest.fixture(scope="module")
def story(tmp_path_factory, judged, model):
    """The sweep gets to its first point; the whole of it then runs the second alone."""
    folder = tmp_path_factory.mktemp("sweep")
    path = judged(folder)
    command = [sys.executable, "-m", "replication", "run", path, "-p", "model", model]
    command += ["-p", "results_dir", folder / "results", "--sweep"]

    def call(texts):
        return subprocess.run([*map(str, command), texts], capture_output=True, text=True, check=False)

    calls = [call("share=0.5"), call("share=0.5,2.5")]
    return SimpleNamespace(calls=calls, ran=(folder / "ran").read_text(), results=folder / "results")


@pytest.mark.slow
def test_a_point_that_has_run_is_not_run_again(story):
    assert [call.returncode for call in story.calls] == [0, 0], story.calls[1].stderr
    assert story.ran == "0 0.5;0 2.5;"
    assert "1 of 1 up to date" in story.calls[1].stdout
    assert "Point 2 of 2: share = 2.5" in story.calls[1].stdout


@pytest.mark.slow
def test_the_points_are_gathered(story):
    folders = story.results.glob("sweep-cpu-toy-model-share-*")
    folder = next(one for one in folders if len(set(pd.read_csv(one / "sweep.csv")["share"])) == 2)
    table = pd.read_csv(folder / "sweep.csv")
    assert table[["claim", "share", "run", "measured", "verdict"]].iloc[:2].values.tolist() == [
        ["C1", 0.5, "cpu-toy-model-share-0.5", 0.65, "partly"],
        ["C1", 2.5, "cpu-toy-model-share-2.5", 0.85, "partly"],
    ]
    assert set(table["claim"]) == {"C1", "C2a", "C2b"}  # those of the notebook that ran
    assert (folder / "figures" / "cot_decoding.png").exists()
    page = (folder / "index.html").read_text()
    assert "share = 2.5: <a" in page
    assert "<script" not in page
