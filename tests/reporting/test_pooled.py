"""Claims of several seeds are judged again on their pooled estimates."""

import json

import pytest

from replication import papers
from replication.evaluation.claims import rule
from replication.reporting import pooled, runs


@pytest.fixture
def three(tmp_path, store, cards):
    """Maker of runs of the toy paper under seeds 0, 1, ... with given results of claim C1."""

    def make(*found):
        test = rule(papers.load("toy", cards).claim("C1").test)
        for seed, one in enumerate(found):
            store(tmp_path / f"cpu-a-seed{seed}", {"toy C1": (*one, test)})
        return {seed: runs.read(tmp_path / f"cpu-a-seed{seed}") for seed in range(len(found))}

    return make


def one(value, verdict="reproduced"):
    return (value, value - 0.05, value + 0.05, 100, verdict)


NONE = (None, None, None, 0, "not testable")


def test_the_same_test_decides_on_the_pooled_estimate(three, cards):
    found = pooled.pool(three(one(0.3), one(0.34), one(0.26)), {"toy": True}, cards)
    assert [entry.claim for entry in found] == ["C1", "C2", "C3"]
    assert (found[0].measured, found[0].n, found[0].verdict) == (0.3, 300, "reproduced")
    assert "Of 3 seeds: 3 reproduced; values 0.26 to 0.34." in found[0].reason
    shared = pooled.pool(three(one(0.3), one(0.34), one(0.26)), {"toy": False}, cards)[0]
    assert shared.n == 100
    assert shared.ci_low < found[0].ci_low


def test_verdicts_of_the_seeds_do_not_vote(three, cards):
    entry = pooled.pool(three(one(0.06, "partly"), one(0.3), one(0.9)), {"toy": True}, cards)[0]
    assert entry.verdict == "inconclusive"
    assert "Of 3 seeds: 2 reproduced, 1 partly" in entry.reason


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ((one(0.3), one(0.301), NONE), "reproduced"),
        ((one(0.3), NONE), "not testable"),
        ((NONE, NONE), "not testable"),
    ],
)
def test_seeds_that_were_not_testable(three, cards, found, verdict):
    entry = pooled.pool(three(*found), {"toy": True}, cards)[0]
    assert entry.verdict == verdict
    assert "not testable" in entry.reason


def test_runs_without_claims_make_an_empty_table(store, tmp_path):
    found = {seed: runs.read(store(tmp_path / f"run-{seed}", {})) for seed in (0, 1)}
    assert pooled.write(found, {}, tmp_path / "c") == []
    assert "state no claim" in (tmp_path / "c" / "site" / "index.html").read_text()
    assert (tmp_path / "c" / "seeds.csv").read_text().startswith("paper,claim,")


def test_a_pooled_run_is_pure_json(three, cards, tmp_path):
    made = pooled.pool(three(one(0.3), one(0.34)), {}, cards)
    assert json.loads(json.dumps([vars(entry) for entry in made], allow_nan=False))
    table = pooled.frame(made, three(one(0.3), one(0.34))).set_index("claim")
    assert table.loc["C1", ["seed 0", "seed 1", "seeds", "seeds reproduced"]].tolist() == [0.3, 0.34, 2, 2]
    assert table.loc["C2", "seeds"] == 0
