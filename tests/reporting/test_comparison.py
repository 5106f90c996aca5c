"""Claims of several runs are matched by paper and id; the rule of what changed is worked by hand."""

import pandas as pd
import pytest

from replication.reporting import comparison, runs
from replication.settings import InputError

GOOD = (0.30, 0.20, 0.40, 50, "reproduced")
NOTHING = (None, None, None, 0, "not testable")


@pytest.fixture
def pair(tmp_path, store):
    """Two runs read from disk."""

    def make(first, second, **manifests):
        store(tmp_path / "results" / "cpu-a", first, **manifests.get("a", {}))
        store(tmp_path / "results" / "cpu-b", second, **manifests.get("b", {}))
        return runs.find(["cpu-a", "cpu-b"], tmp_path / "results")

    return make


@pytest.mark.parametrize(
    ("second", "changed"),
    [
        (GOOD, ()),
        ((0.45, 0.40, 0.50, 50, "reproduced"), ()),  # the intervals touch
        ((0.45, 0.41, 0.50, 50, "reproduced"), ("intervals apart",)),
        ((0.15, 0.05, 0.25, 50, "partly"), ("verdicts differ",)),
        ((-0.1, -0.2, 0.05, 50, "not reproduced"), ("verdicts differ", "intervals apart", "signs differ")),
        ((0.0, -0.2, 0.2, 50, "reproduced"), ()),  # zero has no sign
        (NOTHING, ("verdicts differ",)),
    ],
)
def test_what_counts_as_a_change(pair, second, changed):
    (one,) = comparison.align(pair({"toy C1": GOOD}, {"toy C1": second}))
    assert one.changes == changed


def test_other_rules_and_missing_claims_are_said(pair):
    a, b = pair({"toy C1": GOOD, "toy C2": GOOD}, {"toy C1": (*GOOD, "another test"), "more C1": GOOD})
    found = {(one.paper, one.claim): one for one in comparison.align([a, b])}
    assert list(found) == [("toy", "C1"), ("toy", "C2"), ("more", "C1")]
    assert found["toy", "C1"].changes == ("rules differ",)
    assert found["toy", "C2"].changes == ("not in every run",)
    assert found["toy", "C2"].entries[1] is None


def test_pairs_are_named_among_three(pair, store, tmp_path):
    pair({"toy C1": GOOD}, {"toy C1": GOOD})
    store(tmp_path / "results" / "cpu-c", {"toy C1": (0.9, 0.8, 1.0, 50, "reproduced")})
    found = runs.find(["cpu-a", "cpu-b", "cpu-c"], tmp_path / "results")
    (one,) = comparison.align(found)
    assert one.changes == ("intervals apart (cpu-a and cpu-c, cpu-b and cpu-c)",)


def test_runs_without_a_common_claim_are_refused(pair):
    with pytest.raises(InputError, match="no claim in common: cpu-a has toy; cpu-b has other"):
        comparison.align(pair({"toy C1": GOOD}, {"other C1": GOOD}))


def test_frames(pair):
    both = pair({"toy C1": GOOD, "toy C2": NOTHING}, {"toy C1": GOOD})
    frame = comparison.claims_frame(comparison.align(both), ["cpu-a", "cpu-b"])
    assert list(frame["cpu-a: measured"]) == [0.3, None] or pd.isna(frame["cpu-a: measured"][1])
    assert frame["cpu-b: n"].tolist() == [50, pd.NA]
    assert frame["changed"].tolist() == ["", "not in every run"]
    counts = comparison.counts_frame(both)
    assert counts[["paper", "run", "claims", "reproduced", "not testable"]].values.tolist() == [
        ["toy", "cpu-a", 2, 1, 1],
        ["toy", "cpu-b", 1, 1, 0],
        ["all papers", "cpu-a", 2, 1, 1],
        ["all papers", "cpu-b", 1, 1, 0],
    ]


def test_what_the_runs_were_given(pair):
    given = {"parameters": {"model": "x", "seed": 0, "papers": ["toy"]}}
    other = {"parameters": {"model": "y", "seed": 0, "k": 4}, "package": {"version": "1", "commit": "f" * 40}}
    rows = comparison.settings_rows(pair({"toy C1": GOOD}, {"toy C1": GOOD}, a=given, b=other))
    assert rows == [
        ("model", ["x", "y"], True),
        ("seed", ["0", "0"], False),
        ("k", ["—", "4"], True),
        ("version", ["—", "1"], True),
        ("commit", ["—", "f" * 12], True),
    ]


def test_a_run_without_a_manifest_differs_from_none(pair):
    rows = comparison.settings_rows(pair({"toy C1": GOOD}, {"toy C1": GOOD}, a={"parameters": {"seed": 0}}))
    assert rows == [("seed", ["0", "not stated"], False)]
    assert comparison.settings_rows(pair({"toy C1": GOOD}, {"toy C1": GOOD})) == []
