"""Tables and claims on kept sets, from rows made by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from replication.evaluation.claims import Estimate
from replication.settings import InputError
from replication.studies import eta_sampling as study
from replication.studies import eta_sampling_support as recovered
from replication.studies import eta_sampling_texts as reading
from replication.studies.samplers import Sampler

V = 2048
TEXTS = 40
OWN = study.published(V)
GRID = study.grid(V)
LOW, HIGH, CERTAIN = study.LOW, study.HIGH, study.CERTAIN


def rows(label, f1, texts=TEXTS, tv=0.1, entropy=0.2, heat="0.01 to 0.25", noise=0.0, **more):
    """One place per text in each bin of `f1` (bin -> value); recall is the F1."""
    rng = np.random.default_rng(0)
    found = []
    for text in range(texts):
        for name, value in f1.items():
            own = value + noise * rng.uniform(-1, 1)
            row = {"sampler": label, "kind": "answers", "text": text, "bin": name, "heat": heat, "places": 2}
            shares = dict.fromkeys(study.TRUTH_COLUMNS, own) | {"kept": 3, "tv": tv, "entropy_kept": entropy}
            shares |= {"absolute": 0.0, "relative": 0.0} | more
            found.append(row | {name: 2 * value for name, value in shares.items()})
    return pd.DataFrame(found)


def grid_frame(values):
    """Rows of all samplers of the grid; `values` maps labels to what differs from F1 = 0.5."""
    labels = ["sampling", *(s.label for own in GRID.values() for s in own)]
    return pd.concat(
        [rows(label, {CERTAIN: 1.0, LOW: values.get(label, 0.5), HIGH: 0.9}) for label in labels],
        ignore_index=True,
    )


def test_worst_bin_and_the_choice_by_it():
    best = GRID["η"][2]
    frame = grid_frame({best.label: 0.8})
    assert recovered.worst_value(frame, best.label) == (LOW, pytest.approx(0.8))
    chosen = recovered.choose(frame, GRID)
    assert chosen["η"] == best
    assert chosen["top-p"] == Sampler("top-p", 0.99)  # among equals the one that cuts least


def test_bins_with_few_texts_do_not_count():
    full = rows("a", {CERTAIN: 0.9, LOW: 0.8})
    few = rows("a", {HIGH: 0.1}, texts=recovered.FEWEST - 1)
    frame = pd.concat([full, few], ignore_index=True)
    assert recovered.bins_used(frame) == [CERTAIN, LOW]
    assert recovered.worst_value(frame, "a") == (LOW, pytest.approx(0.8))
    assert recovered.worst_value(few, "a")[0] == "none"
    assert not recovered.worst_estimate(few, SimpleNamespace(label="a")).usable


def test_worst_gap_takes_the_best_of_the_others():
    parts = [
        rows("a", {CERTAIN: 1.0, LOW: 0.8}),
        rows("b", {CERTAIN: 0.6, LOW: 0.9}),
        rows("c", {CERTAIN: 0.7, LOW: 0.7}),
    ]
    frame = pd.concat(parts, ignore_index=True)
    a, b, c = (SimpleNamespace(label=x) for x in "abc")
    gap = recovered.worst_gap(frame, a, [b, c])
    assert gap.value == pytest.approx(0.8 - 0.7)
    assert gap.n == TEXTS
    assert recovered.worst_gap(frame, a, [b]).value == pytest.approx(0.2)


def test_worst_gap_is_paired_over_texts():
    shared = [rows(x, {LOW: v}, noise=0.3) for x, v in (("a", 0.6), ("b", 0.5))]
    frame = pd.concat(shared, ignore_index=True)
    gap = recovered.worst_gap(frame, SimpleNamespace(label="a"), [SimpleNamespace(label="b")])
    assert gap.high - gap.low < 1e-6  # the same noise in both


def test_bin_means_leave_out_texts_without_a_place():
    table = np.array([[1.0, np.nan], [0.0, 0.5]])
    drawn = np.array([[1, 1], [2, 0]])
    np.testing.assert_allclose(recovered._bin_means(table, drawn), [[0.5, 0.5], [1.0, np.nan]])


def test_support_claims_by_hand():
    low = {"top-p": 0.6, "η": 0.9, "ε": 0.9, "typical": 0.5}
    high = {"top-p": 0.7, "η": 0.95, "ε": 0.4, "typical": 0.5}
    frame = pd.concat(
        [rows(s.label, {LOW: low[r], HIGH: high[r]}) for r, s in OWN.items()], ignore_index=True
    )
    found = recovered.support_claims(frame, V)
    values = {claim: e.value for claim, e in found.items()}
    assert values == pytest.approx({"C1a": 0.4, "C1b": 0.3, "C2a": 0.6, "C2b": 0.55, "C2c": 0.95})
    assert found["C1a"].n == TEXTS


def test_claims_without_truth_or_places_give_a_reason():
    assert set(recovered.support_claims(None, V).values()) == {reading.NO_TRUTH}
    assert set(recovered.worst_claims(None, None).values()) == {reading.NO_TRUTH}
    frame = pd.concat([rows(s.label, {LOW: 0.5}) for s in OWN.values()], ignore_index=True)
    found = recovered.support_claims(frame, V)
    assert isinstance(found["C1a"], Estimate)
    assert found["C2a"] == recovered.TOO_FEW


def test_worst_claims():
    frame = grid_frame({GRID["η"][0].label: 0.8, GRID["ε"][1].label: 0.7})
    chosen = recovered.choose(frame, GRID)
    found = recovered.worst_claims(frame, chosen)
    assert found["C3b"].value == pytest.approx(0.3)
    assert found["C3c"].value == pytest.approx(0.1)


def test_principle_claims():
    epsilon = study.sampler("ε", study.PRINCIPLE, V)
    parts = [
        rows(OWN["top-p"].label, {LOW: 1.0}, absolute=0.25),
        rows(epsilon.label, {LOW: 1.0}, relative=0.5),
        rows(OWN["η"].label, {LOW: 1.0}),
    ]
    frame = pd.concat(parts, ignore_index=True)
    found = recovered.principle_claims(frame, V)
    assert {claim: e.value for claim, e in found.items()} == pytest.approx(
        {"C6a": 0.25, "C6b": 0.5, "C6c": 0.0}
    )
    table = recovered.principle_table(frame, [OWN["top-p"], epsilon])
    assert [e.value for e in table["absolute violated"]] == pytest.approx([0.25, 0.0])


def tv_frame(other):
    """η keeps 0.3, 0.2, ... nats at TV 0.1, 0.2, ...; `other` (TV, entropy) pairs belong to top-p."""
    parts = [rows("sampling", {LOW: 1.0}, tv=0.0, entropy=0.4)]
    for i, one in enumerate(GRID["η"][:2]):
        parts.append(rows(one.label, {LOW: 1.0}, tv=0.1 * (i + 1), entropy=0.3 - 0.1 * i))
    for one, (tv, entropy) in zip(GRID["top-p"], other, strict=False):
        parts.append(rows(one.label, {LOW: 1.0}, tv=tv, entropy=entropy))
    return pd.concat(parts, ignore_index=True)


def test_equal_tv_gap_reads_the_other_curve_by_straight_lines():
    frame = tv_frame([(0.2, 0.1)])  # from (0, 0.4) to (0.2, 0.1): 0.25 at 0.1
    grid = {"η": GRID["η"][:2], "top-p": GRID["top-p"][:1]}
    gap = recovered.equal_tv_gap(frame, grid, "top-p")
    assert gap.value == pytest.approx(((0.3 - 0.25) + (0.2 - 0.1)) / 2)
    assert gap.n == TEXTS


def test_equal_tv_gap_leaves_out_settings_beyond_the_other_curve():
    frame = tv_frame([(0.1, 0.2)])
    grid = {"η": GRID["η"][:2], "top-p": GRID["top-p"][:1]}
    assert recovered.equal_tv_gap(frame, grid, "top-p").value == pytest.approx(0.1)
    with pytest.raises(InputError, match="The grid needs"):
        recovered.equal_tv_gap(frame, grid, "typical")


def test_equal_tv_gap_without_places_in_the_bins():
    frame = tv_frame([(0.1, 0.2)]).assign(heat="1 to 2")
    grid = {"η": GRID["η"][:2], "top-p": GRID["top-p"][:1], "typical": GRID["top-p"][:1]}
    assert set(recovered.tv_claims(frame, grid).values()) == {recovered.TOO_FEW}


def test_curves_begin_without_truncation_and_bins_are_those_that_occur():
    frame = tv_frame([(0.1, 0.2)])
    grid = {"η": GRID["η"][:2], "top-p": GRID["top-p"][:1]}
    panels = recovered.entropy_tv_panels(frame, grid)
    assert list(panels) == ["0.01 to 0.25"]
    curve = panels["0.01 to 0.25"]["η"]
    np.testing.assert_allclose(curve[["tv", "entropy"]].to_numpy(), [[0, 0.4], [0.1, 0.3], [0.2, 0.2]])
    assert curve["sampler"].iloc[0] == "sampling"
    assert recovered.reach(panels) == pytest.approx(0.2)


def test_tables_have_a_row_per_sampler_and_a_column_per_bin():
    frame = pd.concat(
        [rows("a", {CERTAIN: 1.0, LOW: 0.5}), rows("b", {CERTAIN: 0.5, LOW: 0.25})], ignore_index=True
    )
    chosen = [SimpleNamespace(label="a"), SimpleNamespace(label="b")]
    shown = recovered.by_bin(frame, chosen, "recall")
    assert shown["sampler"].tolist() == ["a", "b"]
    assert shown[LOW].iloc[1].value == pytest.approx(0.25)
    assert not shown[HIGH].iloc[0].usable
    worst = recovered.worst_table(frame, chosen)
    assert worst["which"].tolist() == [LOW, LOW]
    places = recovered.bins_table(frame)
    assert places["texts"].tolist()[:2] == [TEXTS, TEXTS]
    assert places["answers"].sum() == 4 * TEXTS
    whole = recovered.recovery_table(frame, chosen)
    assert whole["tokens kept"].tolist() == ["3.0", "3.0"]
    assert whole["F1"].iloc[0].value == pytest.approx(0.75)
    curves = recovered.bin_curves(frame, chosen, "f1")
    assert curves["a"]["bin"].tolist() == [CERTAIN, LOW]


def test_a_wide_model_needs_known_texts_and_a_checkpoint(monkeypatch):
    other = SimpleNamespace(model=lambda name="": SimpleNamespace(name="gpt2"))
    assert recovered.wide(other, "testbed-wide") == reading.NO_TRUTH
    own = SimpleNamespace(model=lambda name="": SimpleNamespace(name="testbed"))
    assert recovered.wide(own, "nobody") == reading.NO_TRUTH

    def missing(name):
        raise InputError("missing")

    monkeypatch.setattr(recovered.models, "folder", missing)
    assert "train it first" in recovered.wide(own, "testbed-large")
