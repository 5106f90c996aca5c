"""The worked examples, the shape of noise, and single distributions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from replication.decoding.experiment import Experiment
from replication.settings import InputError
from replication.studies import eta_sampling as study
from replication.studies import eta_sampling_smoothing as smooth
from replication.studies import eta_sampling_texts as reading
from replication.studies.samplers import Sampler
from replication.testbed.support import OracleText, Position

SIZES = {"n_texts": 2, "n_questions": 4}


@pytest.fixture
def small(experiment):
    return Experiment(replace(experiment.settings, paper="eta_sampling", sizes=SIZES))


def test_worked_example():
    shown = smooth.hand_table()
    assert shown["kept"].tolist() == [2, 3, 3, 5]
    assert shown["η"].tolist() == ["0.149324", "0.121922", "0.086212", "0.050000"]


def test_switches_are_the_published_ones():
    shown = smooth.switches([3e-4, 6e-4, 9e-4, 2e-3, 4e-3])
    assert shown["switch, nats"].tolist() == ["4.06", "3.71", "3.51", "3.11", "2.76"]
    assert shown["switch scaled, nats"].tolist() == shown["switch, nats"].tolist()
    assert smooth.switches([3e-4], 1e6)["ε scaled"].item() == f"{study.LARGEST:.4g}"


def test_toy_mixture():
    p = smooth.toy_logits().softmax(-1)[0]
    assert float(p[19]) == pytest.approx(0.003277, abs=1e-6)
    assert float(p[20]) == pytest.approx(1e-4, rel=1e-4)
    shown = smooth.toy_table(smooth.TOY_SAMPLERS).set_index("sampler")
    assert shown.loc["ε 0.0002"].tolist() == [20, 20, 0]
    assert shown.loc["η 0.0002"].tolist() == [20, 20, 0]
    assert shown.loc["top-p 0.95", "kept"] == pytest.approx(500, abs=1)
    assert shown["kept"].tolist()[3:] == [11, 15, 4, 19, 20]
    assert shown["impossible words"].tolist()[3:] == [0] * 5


def test_shape_of_even_noise_and_of_log_normal_noise():
    rng = np.random.default_rng(0)
    even = rng.uniform(0.5, 1.5, 2000)
    uneven = np.exp(rng.normal(0, 2, 2000))
    weights = torch.tensor(np.stack([even, uneven]))
    p = torch.cat([torch.full((2, 1), 0.5), 0.5 * weights / weights.sum(-1, keepdim=True)], 1).double()
    outside = torch.ones_like(p, dtype=torch.bool)
    outside[:, 0] = False
    found = smooth.shape(p, outside)
    assert found["cv"][0] == pytest.approx(np.std(even) / np.mean(even), rel=1e-6)
    assert found["cv"][0] < 0.5 < 3 < found["cv"][1]
    assert found["uniform"][0] == pytest.approx(0.0, abs=0.01)  # a density of 1 on [0.5, 1.5]
    assert found["uniform"][0] > found["lognormal"][0]
    assert found["uniform"][1] < found["lognormal"][1]
    logs = np.log(uneven / uneven.mean())
    normal = -logs.mean() - 0.5 * np.log(2 * np.pi * np.e * logs.var())
    assert found["lognormal"][1] == pytest.approx(normal, rel=1e-6)


def places(high, low, certain=0.2):
    """Three places a text, one in each of three bins."""
    rows = []
    for text, (h, x) in enumerate(zip(high, low, strict=True)):
        for name, mass in ((study.HIGH, h), (study.LOW, x), (study.CERTAIN, certain)):
            rows.append({"text": text, "bin": name, "impossible": mass, "largest": mass / 2, "cv": 3.0 + text,
                         "uniform": -1.0, "lognormal": 0.5, "h": 1.0})  # fmt: skip
    return pd.DataFrame(rows)


def test_claims_on_smoothing():
    found = smooth.claims(places([0.1, 0.2, 0.1], [0.4, 0.5, 0.3]))
    assert found["C0a"].value == pytest.approx(0.4 / 3 - 0.4)
    assert found["C0a"].high < 0
    assert found["C0b"].value == pytest.approx(4.0)
    assert smooth.claims(None) == dict.fromkeys(("C0a", "C0b"), reading.NO_TRUTH)
    only = places([0.1, 0.2], [0.4, 0.5])
    assert not smooth.claims(only[only["bin"] != study.HIGH])["C0a"].usable


def test_learned_is_the_mass_on_the_possible():
    rows = places([0.1, 0.1], [0.3, 0.3])
    assert smooth.learned(rows).value == pytest.approx(0.8)
    assert not smooth.learned(None).usable


def test_smoothing_table_has_the_bins_that_occur():
    shown = smooth.smoothing_table(places([0.1, 0.1], [0.3, 0.3]))
    assert shown["entropy of the truth"].tolist() == [study.CERTAIN, study.LOW, study.HIGH]
    assert shown["mass on impossible"].iloc[1].value == pytest.approx(0.3)
    assert shown["log-normal fits better"].iloc[0].value == 1.0


def oracle(kind, lm):
    ids = tuple(range(1, 9))
    return [OracleText(ids, (Position(4, {5: 0.9, 6: 0.1}), Position(6, {7: 1.0})), kind)]


@pytest.fixture
def known(small, monkeypatch):
    """The tiny model passes for one whose texts are known."""
    made = [text for kind in reading.KINDS for text in oracle(kind, None)]
    monkeypatch.setattr(reading, "known", lambda experiment, model="": True)
    monkeypatch.setattr(reading, "texts", lambda *args, **options: made)
    monkeypatch.setattr(reading, "described", lambda *args, **options: "made")
    monkeypatch.setattr(smooth.truth, "sample", lambda tokenizer, kind, n, seed: oracle(kind, None))
    return small


def test_smoothing_of_known_texts(known):
    rows = smooth.smoothing(known)
    assert len(rows) == 8
    assert set(rows["bin"]) == {study.LOW, study.CERTAIN}
    assert rows["impossible"].between(0, 1).all()
    assert (rows["largest"] <= rows["impossible"] + 1e-12).all()
    assert rows["text"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert smooth.learned_from(known).value == pytest.approx(1 - rows["impossible"].mean())
    assert smooth.by_model(known, [known.settings.model])["mass on impossible"].iloc[0].usable
    values = smooth.outside(known)
    assert len(values) == known.model().width - 2
    assert np.exp(values).mean() == pytest.approx(1.0)


def test_smoothing_needs_the_truth(small):
    with pytest.raises(InputError, match="The truth is known only"):
        smooth.smoothing(small)
    assert not smooth.learned_from(small).usable


def test_contexts_of_known_texts_are_places(known):
    found = smooth.contexts(known)
    assert [title.split(":")[0] for title in found] == [
        "a name", "a number", "one token dominates", "certain", "start of an answer", "repeated",
    ]  # fmt: skip
    ids = list(found.values())
    assert ids[0] == [1, 2, 3, 4]  # the place with the larger entropy
    assert ids[3] == [1, 2, 3, 4, 5, 6]  # the certain one


def test_distributions_of_prefixes(small):
    contexts = smooth.contexts(small, ["1+1=", "2"])
    chosen = [Sampler("top-p", 0.5), Sampler()]
    found = smooth.distributions(small.model(), contexts, chosen)
    assert list(found) == ["“1+1=”", "“2”"]
    frame, cuts = found["“1+1=”"]
    assert frame["probability"].is_monotonic_decreasing
    assert frame["probability"].sum() == pytest.approx(1.0, abs=1e-5)
    assert cuts["sampling"] == len(frame)
    assert cuts["top-p 0.5"] == int((frame["probability"].cumsum() < 0.5).sum()) + 1
    shown = smooth.distribution_table(found)
    assert shown["top-p 0.5"].tolist() == [cuts["top-p 0.5"] for _, cuts in found.values()]
    assert len(smooth.contexts(small)) == len(smooth.PREFIXES)


def test_titles_are_short():
    assert smooth._tail("a" * 40) == "“…" + "a" * 26 + "”"
    assert smooth._tail("a\nb") == "“a ↵ b”"
    assert smooth._place(oracle("x", None), lambda values, h: -len(values)) == [1, 2, 3, 4, 5, 6]
