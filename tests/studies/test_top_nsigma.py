"""Measurements of the top-nσ notebooks, on logits worked by hand and on random models."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from replication import papers
from replication.decoding.experiment import Experiment
from replication.evaluation.claims import Estimate
from replication.lm.loading import LanguageModel
from replication.settings import InputError
from replication.studies import samplers, support
from replication.studies import top_nsigma_answers as answers
from replication.studies import top_nsigma_figures as figures
from replication.studies import top_nsigma_logits as logits
from replication.studies import top_nsigma_looks as looks
from replication.studies import top_nsigma_support as known
from replication.studies import top_nsigma_sweeps as sweeps
from replication.studies import top_nsigma_theory as theory
from replication.studies.samplers import Sampler
from replication.tasks import prompts
from replication.testbed import models
from replication.testbed import tokenizer as tokenizers

SIZES = {"n_questions": 4, "n_small": 3, "n_votes": 2, "samples": 3, "few": 2, "n_texts": 2, "n_places": 20,
         "max_new_tokens": 5}  # fmt: skip
PAPER = papers.load("top_nsigma")


def tables():
    return {
        name: pd.DataFrame([list(row) for row in entry.rows], columns=list(entry.columns))
        for name, entry in PAPER.published.items()
    }


@pytest.fixture
def runs(experiment):
    """The digit model on stories, with this paper's sizes."""
    return Experiment(replace(experiment.settings, paper="top_nsigma", sizes=SIZES))


@pytest.fixture(scope="module")
def random_lm():
    """An untrained model under a testbed model's name, with the world's tokenizer."""
    core = tokenizers.load(models.CHECKPOINTS / "tokenizer")
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(core), max_position_embeddings=512, bos_token_id=None,
                         eos_token_id=core.eos_token_id, pad_token_id=core.pad_token_id, **size)  # fmt: skip
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).eval().requires_grad_(False)
    model.lm_head.weight.mul_(30)
    return LanguageModel(model, core, "testbed", "random")


@pytest.fixture
def world(runs, random_lm):
    """Experiments on texts whose truth is known."""
    own = Experiment(replace(runs.settings, model="testbed"))
    own._models["testbed"] = random_lm
    return own


# The shape of logits


def test_describe_counts_and_weighs_what_lies_above_the_lines():
    bulk = torch.linspace(-1, 1, 400)
    frame = logits.describe(torch.cat([bulk, torch.tensor([20.0, 19.5])])[None])
    row = frame.iloc[0]
    values = np.append(bulk.numpy(), [20.0, 19.5])
    sigma = values.std(ddof=1)
    assert row["sigma"] == pytest.approx(sigma, rel=1e-6)
    assert row["distance"] == pytest.approx((20 - values.mean()) / sigma, rel=1e-6)
    assert row["critical"] == pytest.approx((20 - values.mean()) / np.log(402), rel=1e-6)
    assert (row["count"], row["count_n1"]) == (2, 2)
    assert row["top"] == pytest.approx(1.0, abs=1e-6)
    assert row["gap"] == pytest.approx(0.058, abs=0.002)  # uniform against normal: 0.0576
    assert row["kurtosis"] == pytest.approx(-1.2, abs=0.01)
    assert row[[f"{name}_seen" for name in logits.SHAPE]].isna().all()


def test_describe_with_known_tokens_leaves_the_others_out():
    rows = torch.tensor([[3.0, 2.0, 1.0, -50.0]])
    frame = logits.describe(rows, torch.tensor([True, True, True, False]))
    assert frame["sigma_seen"][0] == pytest.approx(1.0)
    assert frame["distance_seen"][0] == pytest.approx(1.0)
    assert frame["critical_seen"][0] == pytest.approx(1 / np.log(3))
    assert frame["gap_seen"][0] < frame["gap"][0]


def test_bulk_of_normal_numbers_is_near_normal():
    gap, skewness, kurtosis = logits.bulk_shape(np.random.default_rng(0).normal(size=20_000))
    assert gap < 0.01
    assert abs(skewness) < 0.1
    assert abs(kurtosis) < 0.1


def test_kept_sizes_are_constant_for_top_nsigma_and_grow_for_min_p():
    rows = torch.tensor([[5.0, 4.0, 3.0, 0.0]])
    frame = logits.kept_sizes(rows, (logits.NSIGMA, logits.MIN_P), (1.0, 2.0, 3.0))
    kept = frame.set_index(["sampler", "temperature"])["kept"]
    assert kept["min-p 0.1"].tolist() == [3, 3, 4]
    assert kept["top-nσ 1"].nunique() == 1
    same = frame.set_index(["sampler", "temperature"])["same"]
    assert same["min-p 0.1"].tolist() == [True, True, False]
    frame = frame.assign(question="a", step=0)
    assert logits.invariance(frame) == Estimate(1.0, 1.0, 1.0, 1)
    assert logits.invariance(frame, logits.MIN_P).value == 0.0
    assert logits.growth(frame, 3.0, (logits.MIN_P,)).value == 1.0
    assert logits.growth(frame, 2.0, (logits.MIN_P,)).value == 0.0
    assert logits.size_curves(frame)["min-p 0.1"]["accuracy"].tolist() == [3, 3, 4]


def test_invariance_counts_steps_and_resamples_questions():
    same = {"a": [True] * 9 + [False], "b": [True] * 30}
    rows = [(q, i, ok) for q, own in same.items() for i, ok in enumerate(own)]
    frame = pd.DataFrame(rows, columns=["question", "step", "same"]).assign(sampler=logits.NSIGMA.label)
    e = logits.invariance(frame)
    assert (e.value, e.n) == (39 / 40, 2)
    assert (e.low, e.high) == (0.9, 1.0)  # either question alone


def test_critical_temperature_is_the_median_over_steps():
    frame = pd.DataFrame({"question": ["a", "a", "b"], "critical": [1.0, 2.0, 6.0]})
    e = logits.critical_temperature(frame)
    assert (e.value, e.n) == (2.0, 2)
    assert e.low <= 2.0 <= e.high


def test_heat_takes_the_first_temperature_of_the_grid_that_is_hot(runs, monkeypatch):
    for critical, hot in ((0.01, 1.0), (1.8, 3.0), (3.4, 7.0), (2.0, 3.0), (50.0, 10.0)):
        frame = pd.DataFrame({"question": ["a", "b"], "critical": [critical] * 2})
        monkeypatch.setattr(logits, "steps", lambda experiment, model="", frame=frame: frame)
        heat = logits.heat(runs)
        assert heat.hot == hot
        assert heat.cell == max(critical, 0.1)
        assert heat.reach.value == pytest.approx(10 / critical)
    assert heat.three == (1.0, 10.0, 50.0)
    assert str(heat) == "T_c = 50.00 [50.00, 50.00]; hot is T = 10 = 0.20 T_c"


def test_steps_and_sets_of_a_model_are_kept(runs):
    frame = logits.steps(runs)
    assert 0 < len(frame) <= SIZES["n_places"]
    assert (frame["distance"] > 0).all()
    sets = logits.kept_sets(runs)
    assert len(sets) == len(frame) * len(logits.SETS) * len(logits.GRID)
    assert logits.invariance(sets).value == 1.0
    again = Experiment(runs.settings)
    pd.testing.assert_frame_equal(logits.steps(again), frame)
    assert again.store.computed == 0
    table = logits.quantiles(frame)
    assert not table["quantity"].str.startswith("seen").any()
    assert logits.beyond_noise(frame, 14).n == frame["question"].nunique()


def test_contexts_stop_at_the_limit(runs):
    run = logits.greedy_run(runs)
    names, sequences, places = logits.contexts(run, 7)
    assert sum(map(len, places)) == 7
    assert len(names) == len(sequences) == len(places)
    lengths = [len(run.prompts[name]) for name in names]
    assert [own[0] for own in places] == lengths
    assert all(own[-1] < len(ids) for own, ids in zip(places, sequences, strict=True))


def test_vocabularies_leave_a_missing_checkpoint_out(runs, monkeypatch):
    own = runs.settings.model

    def model(self, name=""):
        if name == "gone":
            raise InputError("The checkpoint of gone is missing: make it.")
        return Experiment._loaded(self, name)

    monkeypatch.setattr(Experiment, "_loaded", Experiment.model, raising=False)
    monkeypatch.setattr(Experiment, "model", model)
    assert logits.vocabularies(runs, [own, "gone"])["number"].tolist() == [14]


def test_seen_tokens_of_a_testbed_model(world, random_lm, runs, monkeypatch):
    monkeypatch.setattr(logits, "DOCUMENTS", 50)
    mask = logits.seen(world)
    assert 0 < int(mask.sum()) < len(mask)
    assert mask[random_lm.tokenizer(" answer")["input_ids"]].all()
    assert world.store.computed == 1
    assert torch.equal(logits.seen(world), mask)
    assert world.store.computed == 1
    assert logits.seen(runs) is None  # a model whose training text is not known
    shown = logits.vocabularies(world, [""]).set_index("tokens")["number"]
    assert shown.to_dict() == {"all": len(mask), "seen in training": int(mask.sum())}


def test_questions_and_prompts_are_part_of_the_keys(runs, monkeypatch):
    logits.steps(runs), logits.kept_sets(runs)
    done = runs.store.computed
    logits.steps(runs), logits.kept_sets(runs)
    assert runs.store.computed == done
    for name, other in (
        ("build", lambda text, *rest: f"Task: {text}\nA:"),  # another wording
        ("build", lambda text, *rest: f"Q: {text[::-1]}\nA:"),
    ):
        monkeypatch.setattr(prompts, name, other)
        logits.steps(runs), logits.kept_sets(runs)
        assert runs.store.computed == done + 3  # the greedy paths, what their logits are, and the sets
        done = runs.store.computed


def test_other_files_of_the_same_task_give_another_critical_temperature(runs, tmp_path):
    found = []
    for name, numbers in (("one", "1+1"), ("two", "75*98")):
        (tmp_path / name).mkdir()
        line = f'{{"question": "How many is {numbers}?", "answer": "So\\n#### 2"}}\n'
        (tmp_path / name / "test.jsonl").write_text(line)
        own = Experiment(replace(runs.settings, task="gsm8k", data_dir=str(tmp_path / name)))
        found.append(logits.heat(own).critical.value)
        assert own.store.computed == 2  # nothing of the other folder's is taken
    assert found[0] != found[1]


# Figures


def test_figure_step_lines_and_probabilities(runs):
    step = figures.figure_step(runs)
    lines = figures.lines_of(step)
    assert lines["M - 1σ"] < lines["maximum M"] == step.logits.max()
    bars = figures.largest_probabilities(step)
    assert bars["probability"].is_monotonic_decreasing
    assert bars["probability"].sum() == pytest.approx(1.0)  # 14 tokens in all
    assert set(figures.counts_above(step, lines)) == {"μ + 5σ", "M - 1σ"}
    assert figures.shown(step).startswith("`…")
    curves = figures.threshold_curves(step, (logits.NSIGMA, logits.MIN_P))
    assert curves["top-nσ 1"]["accuracy"].nunique() == 1
    assert curves["min-p 0.1"]["accuracy"].is_monotonic_decreasing


def test_greedy_trace_knows_no_truth(runs):
    trace = figures.greedy_trace(runs)
    assert trace["valid"].isna().all()
    assert len(trace) <= SIZES["max_new_tokens"]


def test_untrained_model_is_cut_by_top_nsigma_but_not_by_min_p(runs, monkeypatch):
    table = figures.untrained_sets(runs, logits.SETS).set_index("sampler")
    fresh = table["tokens that an untrained model keeps"]
    assert fresh["min-p 0.1"].value == 14
    assert fresh["top-nσ 1"].value < 7
    monkeypatch.setattr(figures, "LARGEST", 1)
    assert figures.untrained_sets(runs, logits.SETS) is None


def test_known_places_and_trace(world):
    places = figures.known_places(world)
    assert set(places["kind"]) == set(known.KINDS)
    assert len(places) <= SIZES["n_places"] + 8
    assert list(figures.noise_laws(places)["law of the noise"]) == list(figures.LAWS)
    trace = figures.known_trace(world)
    assert (trace["valid"] >= 1).all()
    assert trace["distance"].gt(0).all()


def test_noise_fits_prefer_the_law_that_made_the_noise():
    rng = np.random.default_rng(0)
    normal = torch.from_numpy(rng.normal(0, 2, (1, 4000)))
    even = torch.from_numpy(np.log(rng.uniform(0, 1, (1, 4000))))
    truth = torch.zeros(1, 4000)
    truth[0, 0] = 1.0
    place = pd.DataFrame({"kind": ["answers"], "text": [0], "index": [1], "entropy": [0.0], "valid": [1]})
    for rows, law in ((normal, "log-normal"), (even, "uniform")):
        fits = figures.noise_fits(support.Evidence(rows, truth, place)).iloc[0]
        assert fits.idxmax() == law


def test_sureness_is_one_when_sure_places_stand_out():
    places = pd.DataFrame({"distance": [9.0, 8.0, 4.0, 3.0], "valid": [1, 1, 2, 5], "text": [0, 1, 0, 1]})
    assert figures.sureness(places).value == 1.0


# The true support


def test_recovered_has_every_cell_and_is_kept(world):
    found = known.recovered(world)
    cells = found[found["bin"] == known.EVERYWHERE].groupby(["sampler", "temperature"]).size()
    assert len(cells) == len(known.SAMPLERS) * len(known.GRID)
    assert cells.nunique() == 1
    claims = known.claims(found, 3.0)
    assert set(claims) == {"C3b", "C3c", "C3d"}
    assert all(isinstance(e, Estimate) for e in claims.values())
    again = Experiment(world.settings)
    again._models = world._models
    known.recovered(again)
    assert again.store.computed == 0
    places = known.places(found)
    assert (places["texts"] == SIZES["n_texts"]).all()
    assert known.table(found, "impossible").shape == (len(known.SAMPLERS), 1 + len(known.GRID))
    assert set(known.panels(found, "kept")) == set(known.KINDS)
    assert len(known.at_temperature(found, 1.0)) == len(known.SAMPLERS)
    assert len(known.by_entropy(found, 1.0)) == len(known.SAMPLERS)


def test_without_truth_the_claims_say_so(runs):
    assert not known.known(runs)
    assert known.claims(None, 3.0) == dict.fromkeys(("C3b", "C3c", "C3d"), known.NO_TRUTH)
    with pytest.raises(InputError, match="use a testbed model of the ladder"):
        known.evidence(runs)


def test_thinned_spreads_places_and_keeps_every_text(random_lm):
    texts = support.held_out(random_lm, ("worked", "equations"), 5, 0)
    total = sum(len(text.positions) for text in texts)
    fewer = known.thinned(texts, total / 4)
    assert all(text.positions for text in fewer)
    assert sum(len(text.positions) for text in fewer) <= total / 4 + len(texts)
    assert known.thinned(texts, total) == texts


# Rows made by hand


def test_synthetic_row_gives_the_numbers_computed_beforehand():
    ours, printed = theory.synthetic(), tables()["synthetic_row"]
    assert list(ours.columns) == list(printed.columns)
    counts = [name for name in printed if name not in ("T", "noise mass", "noise mass after top-p")]
    assert (ours[counts] - printed[counts]).abs().to_numpy().max() <= 3
    for name in ("noise mass", "noise mass after top-p"):
        np.testing.assert_allclose(ours[name].astype(float), printed[name], atol=2e-4)


def test_n_on_the_synthetic_row():
    assert theory.by_n()["tokens kept"].tolist() == [2, 5, 6, 7, 7, 8, 13, 236]


def test_closed_forms_agree_with_simulation(monkeypatch, runs):
    monkeypatch.setattr(theory, "REPLICATES", 3)
    found = theory.replicates(runs.store)
    for law in ("Gaussian", "uniform"):
        e = theory.gap(found, law)
        assert 0 <= e.low <= e.value < 0.01
        assert e.n == 3
    table = theory.comparison(found)
    assert list(table.columns) == ["law", "quantity", "T = 1", "T = 1.5", "T = 2", "T = 3"]
    closed, simulated = map(float, table.loc[0, "T = 1"].split(", "))
    assert closed == pytest.approx(simulated, abs=0.01)
    assert closed == pytest.approx(0.198, abs=0.01)  # for σ = 2.13, as computed beforehand
    wrong = found.assign(**{"closed form": found["closed form"] + 0.05})
    assert theory.gap(wrong, "Gaussian").low > 0.01


# Exact match and what was published


def outcomes(cells, questions=("a", "b", "c")):
    """Return rows of `samplers.outcomes`: (sampler, temperature) -> right or wrong by question."""
    rows = []
    for (label, temperature), right in cells.items():
        rule, _, value = label.partition(" ")
        for question, correct in zip(questions, right, strict=True):
            rows.append((question, 0, "1" if correct else None, bool(correct), True, label, rule,
                         float(value or 0), temperature))  # fmt: skip
    columns = [
        "question",
        "branch",
        "answer",
        "correct",
        "finished",
        "sampler",
        "rule",
        "value",
        "temperature",
    ]
    return pd.DataFrame(rows, columns=columns)


def test_heat_claims_subtract_the_right_cells():
    cells = {(s.label, t): [1, 1, 1] for s in answers.TABLE_2 for t in (1.0, 3.0)}
    cells |= {("sampling", 3.0): [0, 0, 0], ("min-p 0.1", 3.0): [0, 0, 1], ("greedy", 0.0): [1, 1, 0]}
    frame = outcomes(cells)
    found = answers.heat_claims(frame, 3.0)
    values = {name: round(e.value, 3) for name, e in found.items()}
    assert values == {"C4a": -1.0, "C4b": 0.0, "C4c": 0.667, "C4d": 0.0, "C4e": 0.0}
    assert answers.against_greedy(frame, 1.0).value == pytest.approx(1 / 3)
    assert answers.solved(frame).value == pytest.approx(2 / 3)
    falls = answers.falls({"main": frame}, 3.0).iloc[0]
    assert falls["min-p 0.1, hot minus T = 1"].value == pytest.approx(-2 / 3)
    ahead = answers.ahead_of_min_p(frame, 2.0)
    assert ahead["T/T_c"].tolist() == [0.5, 1.5]
    relative = answers.curves(frame, 2.0)
    assert "greedy" not in relative
    assert relative["top-nσ 1"]["relative"].tolist() == [0.5, 1.5]
    assert answers.answered(frame)["answered"].sum() == frame["correct"].sum()


def test_runs_hold_greedy_and_every_cell(runs):
    frame = answers.runs(runs, (answers.PLAIN, logits.NSIGMA), (1.0, 3.0))
    assert set(frame["sampler"]) == {"greedy", "sampling", "top-nσ 1"}
    assert frame.groupby(["sampler", "temperature"]).size().eq(SIZES["n_questions"]).all()
    small = answers.runs(runs, (), size="n_small", style="direct")
    assert len(small) == SIZES["n_small"]
    assert set(answers.runs(runs, ())["sampler"]) == {"greedy"}


def test_a_step_in_words_and_as_kept_sets(runs):
    step = figures.Step("so", np.array([10.0, 9.0, 0.0, -1.0]), {0: "a", 1: "b"})
    # mean 4.5, σ 5.802; noise of four tokens reaches √(2 ln 4)
    assert looks.outlier(step) == "Maximum 0.9σ above the mean; Gaussian noise reaches 1.7σ"
    said = looks.concentration(step, {"M - 1σ": 4.2, "low": 9.5, "maximum M": 10.0})
    assert said.endswith("M - 1σ: 2 hold 100.0 %; low: 1 hold 73.1 %")
    row, names, kept, heights = looks.kept_of(step, runs.model().tokenizer)
    assert (len(row), len(names)) == (4, 4)
    nsigma = kept[(kept["rule"] == "top-nσ") & (kept["temperature"] == 3.0)].iloc[0]
    assert nsigma["kept"].tolist() == [True, True, False, False]
    weights = np.exp([0.0, -1.0, -10.0, -11.0])
    assert heights[1.0] == pytest.approx(weights / weights.sum())


def test_a_text_in_words():
    trace = pd.DataFrame({"token": list("abc"), "distance": [7.0, 5.0, 9.0], "valid": [1.0, 3.0, 1.0]})
    assert looks.sure_places(trace).endswith("one possible token: 8.0; several: 5.0")
    assert looks.sure_places(trace.assign(valid=np.nan)).endswith("all tokens: 7.0")


def test_figure_1_in_numbers():
    row = np.r_[np.linspace(-1, 1, 400), 20.0, 19.0]
    step = figures.Step("so", row, {400: "a", 401: "b"})
    printed = tables()["figure_1"].iloc[:9]
    table = figures.beside_published(step, printed)
    assert table["published"].tolist()[:4] == ["0.21", "0.3", "10.9", "21.4"]
    here = dict(zip(table["quantity"], table["here"].astype(float), strict=True))
    assert here["maximum"] == 20.0
    assert here["σ (implied)"] == pytest.approx(row.std(ddof=1), abs=1e-3)
    assert here["line μ + 5σ"] == pytest.approx(row.mean() + 5 * row.std(ddof=1), abs=1e-3)
    assert here["place of the peak"] < 1
    assert here["probability of token 0"] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-3)
    assert here["probability of token 1"] == pytest.approx(1 / (1 + np.exp(1)), abs=1e-3)


def test_best_temperature_takes_the_first_of_equals(runs, monkeypatch):
    cells = {("top-nσ 1", 1.0): [1, 0, 0], ("top-nσ 1", 2.0): [1, 1, 0], ("top-nσ 1", 3.0): [0, 1, 1]}
    monkeypatch.setattr(answers, "runs", lambda experiment, chosen, split, size: outcomes(cells))
    assert answers.best_temperature(runs) == 2.0


def test_headroom_is_told_in_questions():
    frame = outcomes({("greedy", 0.0): [1, 1, 0]})
    assert answers.headroom(frame) == "greedy decoding answers 2 of 3 questions right"


def test_another_model_is_run_at_its_own_temperatures(runs):
    own, frame = answers.other_model(runs, runs.settings.model)
    assert own == logits.heat(runs)
    hot = frame[frame["temperature"] > 0]
    assert sorted(hot["temperature"].unique()) == sorted({*own.three, 2.0})
    assert hot["sampler"].unique().tolist() == ["sampling", "top-p 0.9", "min-p 0.1", "top-nσ 1"]
    assert frame["question"].nunique() == SIZES["n_small"]
    table = answers.relative_table(frame, own.critical.value)
    assert f"T = 2 ({2 / own.critical.value:.2f} T_c)" in table
    assert answers.other_model(runs, "") is None
    assert answers.other_model(runs, "/nowhere/model") is None


def test_spread_of_the_diversity_over_n():
    rows = [(n, t, q, d) for n, d in ((0.5, 0.25), (2.0, 0.5)) for t in (1.0, 7.0) for q in "ab"]
    frame = pd.DataFrame(rows, columns=["value", "temperature", "question", "distinct"])
    assert sweeps.spread(frame) == "different answers at T = 1, mean by n: 25.0 % to 50.0 % of the samples"


def test_published_cells_are_whole_questions():
    found = answers.published_cells(tables()["table_2"]).set_index("data")
    assert found["cells"].to_dict() == {"GPQA": 21, "GSM8K": 21, "AQuA": 11, "MATH": 11}
    assert found["largest distance to a whole question"].astype(float).max() < 0.02
    votes = answers.published_cells(tables()["table_3"])
    assert votes["largest distance to a whole question"].astype(float).max() < 0.02


def test_published_contrasts_have_the_known_z_values():
    found = answers.published_contrasts(tables()["table_2"])
    z = found.set_index(["data", "comparison"])["z"]
    assert z["GSM8K", "top-nσ, best T, minus greedy"] == 0.2
    assert z["AQuA", "top-nσ, best T, minus greedy"] == 1.2
    assert z["GSM8K", "top-nσ minus min-p, T = 3"] == 17.0
    assert z["GPQA", "top-nσ minus min-p, T = 3"] == 2.5
    right = found.set_index(["data", "comparison"])["right"]
    assert right["GSM8K", "top-nσ, best T, minus greedy"] == "210 and 208 of 256"
    assert right["MATH", "top-nσ, best T, minus greedy"] == "52 and 51 of 256"


def test_published_points_lie_at_multiples_of_the_critical_temperature():
    points = answers.published_points(tables()["table_2"], "AQuA", {"ours": "top-k", "plain": "sampling"})
    np.testing.assert_allclose(points["ours"], [(1 / 1.8, 39.76), (1.5 / 1.8, 30.71), (2 / 1.8, 21.65)])
    assert points["plain"] == []  # T = 0 is no point on this axis


def test_readings_and_parameters_and_power():
    readings = answers.readings().set_index("text")
    assert readings.loc["The final answer is $70,000."].tolist() == ["70", "70000"]
    assert list(answers.parameters()["in Table 1"]) == ["yes", "yes", "no", "yes", "yes"]
    gains = answers.detectable(1000)
    small, large = (gains.iloc[0, place] for place in (1, 2))
    assert float(small) > float(large)


# Votes and sweeps


def test_votes_and_their_claims(runs):
    heat = logits.Heat(Estimate(1.4, 1.3, 1.5, 4), 1.4, 3.0, Estimate(7, 7, 7, 4))
    paths = sweeps.votes(runs, heat)
    cells = paths.groupby(["sampler", "temperature"]).size()
    assert len(cells) == len(sweeps.TABLE_3) * 3
    assert cells.eq(SIZES["n_votes"] * SIZES["samples"]).all()
    majority = sweeps.voted(runs, paths)
    assert majority.groupby(["sampler", "temperature"]).size().eq(SIZES["n_votes"]).all()
    assert set(sweeps.vote_claims(majority, 3.0)) == {"C6a", "C6b"}


def test_diversity_counts_no_answer_as_one_more_kind():
    frame = pd.DataFrame(
        {
            "sampler": "top-nσ 1", "rule": "top-nσ", "value": 1.0, "temperature": 1.0, "question": "a",
            "answer": ["12", None, "7", "12", None, "7"],
        }
    )  # fmt: skip
    assert sweeps.diversity(frame)["distinct"].tolist() == [0.5]


def test_n_claims_compare_effects_on_the_same_questions():
    heat = logits.Heat(Estimate(2, 2, 2, 4), 2.0, 3.0, Estimate(5, 5, 5, 4))
    rows = [
        ("top-nσ", "top-nσ", n, t, q, {0.5: 0.25, 1.0: 0.25 + 0.1 * (t == 2), 2.0: 0.75}[n])
        for n in (0.5, 1.0, 2.0)
        for t in (1.0, 2.0)
        for q in "abcdefgh"
    ]
    distinct = pd.DataFrame(rows, columns=["sampler", "rule", "value", "temperature", "question", "distinct"])
    found = sweeps.n_claims(distinct, heat)
    assert found["C9c"].value == pytest.approx(0.4)
    assert found["C9a"].value > 0.8


def test_sweep_is_on_validation_questions_and_tabled(runs):
    frame = sweeps.sweep(runs, "top-nσ", (0.5, 2.0), (1.0, 2.0))
    assert frame["question"].str.contains("validation").all()
    assert len(frame) == 4 * SIZES["n_small"] * SIZES["few"]
    table = sweeps.sweep_table(runs, frame)
    assert table["sampler"].tolist() == ["top-nσ 0.5", "top-nσ 0.5", "top-nσ 2", "top-nσ 2"]
    kept = table["tokens kept"].astype(float)
    assert kept[0] == kept[1] < kept[2]
    assert list(sweeps.sweep_curves(frame, "correct")) == ["T = 1", "T = 2"]


def test_best_of_equals_cuts_less():
    by_n = outcomes(
        {("top-nσ 0.5", 1.0): [1, 1, 0], ("top-nσ 1", 1.0): [1, 0, 1], ("top-nσ 2", 1.0): [0, 0, 1]}
    )
    by_p = outcomes({("min-p 0.1", 1.0): [1, 1, 0], ("min-p 0.3", 1.0): [1, 0, 1]})
    assert sweeps.best(by_n, 1.0, widest=True) == Sampler("top-nσ", 1.0)
    assert sweeps.best(by_p, 1.0, widest=False) == Sampler("min-p", 0.1)


def test_tuned_judges_the_chosen_parameters_on_test_questions(runs):
    by_n = sweeps.sweep(runs, "top-nσ", (0.5, 2.0), (1.0,))
    by_p = sweeps.sweep(runs, "min-p", (0.1, 0.9), (1.0,))
    table, gaps = sweeps.tuned(runs, by_n, by_p, (1.0,))
    assert list(table["T"]) == ["1"]
    assert gaps[1.0].n == SIZES["n_questions"]


def test_steadiness_compares_two_temperatures(runs):
    heat = logits.Heat(Estimate(2, 2, 2, 4), 2.0, 3.0, Estimate(5, 5, 5, 4))
    assert sweeps.steadiness(runs, heat).n == SIZES["n_questions"]


def test_as_many_values_of_n_as_of_p():
    assert len(sweeps.NS) == len(sweeps.PS)
    assert samplers.PLAIN not in {s.rule for s in logits.SETS}
