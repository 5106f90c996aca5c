"""The measurements of the min-p notebook on temperature, on made-up outcomes and on a tiny model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import MinPLogitsWarper

from replication.decoding.experiment import Experiment
from replication.evaluation.claims import Estimate
from replication.lm.scoring import logits_at
from replication.settings import InputError
from replication.studies import min_p as study
from replication.studies import samplers
from replication.studies.samplers import Sampler
from replication.tasks import prompts

SIZES = {
    "n_questions": 4,
    "n_grid": 3,
    "n_small": 3,
    "samples": 2,
    "traces": 3,
    "top_k": 0,
    "style": "zero_shot_cot",
    "max_new_tokens": 6,
}


@pytest.fixture
def small(experiment):
    """An experiment with the sizes of this paper."""
    return Experiment(replace(experiment.settings, paper="min_p", sizes=SIZES))


def cell(sampler, temperature, correct, texts=None, answers=None, finished=None):
    """Outcomes of one cell; `correct` holds a row of paths for each question."""
    rows = []
    for question, paths in enumerate(correct):
        for branch, right in enumerate(paths):
            rows.append(
                {
                    "question": f"q{question}",
                    "branch": branch,
                    "answer": answers[question][branch] if answers else "7",
                    "correct": bool(right),
                    "finished": finished[question][branch] if finished else True,
                    "tokens": 5,
                    "text": texts[question][branch] if texts else "so 7",
                    "sampler": sampler.label,
                    "rule": sampler.rule,
                    "value": sampler.value,
                    "temperature": temperature,
                }
            )
    return pd.DataFrame(rows)


def both(ours, theirs, temperature=3.0):
    """One path a question of min-p and of top-p."""
    parts = [
        cell(study.MIN_P, temperature, [[x] for x in ours]),
        cell(study.NUCLEUS, temperature, [[x] for x in theirs]),
    ]
    return pd.concat(parts, ignore_index=True)


def test_temperatures_are_rescaled_and_the_hot_one_is_the_smallest_from_one_and_a_half():
    own = study.Heat(1.8, 1.0, 2.0, 10)
    assert own.rescaled == study.RAW
    assert own.hot == 3.0  # 2 is below 1.5 * 1.8 = 2.7
    cool = study.Heat(0.9, 0.5, 1.0, 10)
    assert cool.rescaled == (0.35, 0.5, 0.75, 1.0, 1.5)
    assert cool.hot == 1.5
    warm = study.Heat(3.6, 3.0, 4.0, 10)
    assert warm.hot == 6.0  # the raw grid ends at 3, below 5.4
    assert warm.grid == (0.7, 1.0, 1.4, 1.5, 2.0, 3.0, 4.0, 6.0)
    assert study.Heat(1.0, 1, 1, 1).hot == 1.5  # an end counts


def test_critical_temperature_is_the_median_over_the_greedy_answers(small):
    own = study.heat(small)
    lm = small.model()
    values = []
    for ids, start in study.contexts(small, 3):
        (logits,) = logits_at(lm, [ids], [range(start, len(ids))])
        gap = logits.double().max(-1).values - logits.double().mean(-1)
        values += (gap / np.log(logits.shape[1])).tolist()
    assert own.places == len(values) > 0
    assert own.critical == pytest.approx(np.median(values), rel=1e-5)
    assert own.low <= own.critical <= own.high


def test_critical_temperature_is_kept_on_disk(small, monkeypatch):
    first = study.heat(small)
    monkeypatch.setattr(study, "contexts", None)  # would fail if it were called
    assert study.heat(small) == first


def test_critical_temperature_belongs_to_questions_and_prompts(small, tmp_path, monkeypatch):
    found = []
    for name, numbers in (("one", "1+1"), ("two", "75*98")):
        (tmp_path / name).mkdir()
        line = f'{{"question": "How many is {numbers}?", "answer": "So\\n#### 2"}}\n'
        for split in ("test", "train"):
            (tmp_path / name / f"{split}.jsonl").write_text(line)
        own = Experiment(replace(small.settings, task="gsm8k", data_dir=str(tmp_path / name)))
        found.append(study.heat(own))
        assert own.store.computed == 2  # the greedy paths and the places: nothing of the other folder's
    assert found[0] != found[1]
    study.heat(own)
    assert own.store.computed == 2
    monkeypatch.setattr(prompts, "build", lambda text, *rest: f"Task: {text}\nA:")
    study.heat(own)
    assert own.store.computed == 4


def test_the_code_that_reads_the_critical_temperature_is_part_of_its_key():
    assert study.__name__ in study.SCORING


def test_near_lies_beyond_the_critical_temperature():
    own = study.Heat(3.66, 3.0, 4.0, 10)
    assert own.near == 4.39
    assert own.critical < own.near < own.hot


def test_without_any_answer_there_is_no_critical_temperature(small, monkeypatch):
    monkeypatch.setattr(study, "contexts", lambda *_: [])
    with pytest.raises(InputError, match="All greedy answers are empty"):
        study.heat(small)


def test_contexts_are_validation_questions_with_their_greedy_answers(small):
    found = study.contexts(small, 3)
    run = small.sample(temperature=0, n=3, split="validation", style="zero_shot_cot")
    assert [ids[start:] for ids, start in found] == [list(t) for t in run.frame["tokens"] if len(t)]
    assert all(ids[:start] in run.prompts.values() for ids, start in found)


def test_k_of_the_main_table(small):
    assert study.wide_k(small) == round(small.model().vocabulary / 10)
    small.settings.sizes["top_k"] = 180
    try:
        assert study.main_samplers(small)[1] == Sampler("top-k", 180)
    finally:
        small.settings.sizes["top_k"] = 0


def test_runs_use_the_prompt_style_of_the_profile(small):
    frame = study.runs(small, [study.MIN_P], [1.0])
    plain = samplers.outcomes(small, [study.MIN_P], [1.0], style="zero_shot_cot")
    pd.testing.assert_frame_equal(frame, plain)
    assert frame["question"].nunique() == 4
    assert study.prompted(small, n=2) == {"style": "zero_shot_cot", "n": 2}
    assert study.prompted(small, style="direct") == {"style": "direct"}


def test_rows_at_some_temperatures_and_relative_axis():
    frame = pd.concat([both([1], [0], t) for t in (1.0, 2.0)])
    assert study.at(frame, [2.0])["temperature"].unique().tolist() == [2.0]
    curves = study.relative(samplers.curves(frame), 2.0)
    assert curves["min-p 0.1"]["relative"].tolist() == [0.5, 1.0]


def test_mean_gap_averages_over_temperatures_before_it_pairs():
    frame = pd.concat([both([1, 1, 0, 0], [0, 0, 0, 0], 2.0), both([1, 0, 0, 0], [0, 1, 0, 0], 3.0)])
    gap = study.mean_gap(frame, study.MIN_P, study.NUCLEUS, (2.0, 3.0))
    assert gap.value == pytest.approx((0.5 + 0.0) / 2)
    assert gap.n == 4


def test_minus_greedy_is_signed():
    frame = both([1, 0, 0, 0], [0, 0, 0, 0])
    greedy = cell(Sampler(), 0.0, [[1], [1], [0], [0]])
    assert study.minus_greedy(frame, study.MIN_P, 3.0, greedy).value == pytest.approx(-0.25)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 3.0])
def test_min_p_before_the_temperature_is_that_of_the_raw_logits(temperature):
    logits = torch.randn(64, 50, generator=torch.Generator().manual_seed(0)) * 3
    raw = MinPLogitsWarper(0.1)(torch.zeros((64, 0), dtype=torch.long), logits) > -torch.inf
    found = study.before(0.1, temperature).keep(logits, temperature)
    assert (found == raw).all()
    if temperature != 1:
        assert (study.MIN_P.keep(logits, temperature) != raw).any()


def test_runs_of_the_other_order_bear_one_label(small):
    frame = study.before_runs(small, 0.1, (1.0, 2.0, 2.0))
    assert frame["sampler"].unique().tolist() == ["min-p 0.1 before the temperature"]
    assert len(frame) == 8
    late = study.runs(small, [study.MIN_P], [1.0, 2.0])
    at_one = study.before_minus_after(frame, late, 1.0)
    assert (at_one.value, at_one.n) == (0.0, 4)  # at T = 1 both orders are the same
    same = study.at(frame, [1.0])["text"].tolist() == study.at(late, [1.0])["text"].tolist()
    assert same


def test_min_p_one_is_greedy_at_any_temperature(small):
    strict = study.runs(small, [Sampler("min-p", 1.0)], [3.0])
    assert strict["text"].tolist() == samplers.greedy(small, style="zero_shot_cot")["text"].tolist()


def test_sizes_are_compared_at_their_own_hot_temperature():
    cool, warm = study.Heat(0.9, 1, 1, 1), study.Heat(1.8, 1, 1, 1)
    sizes = {
        "a": (cool, both([1, 1, 1, 0], [0, 0, 0, 0], 1.5)),
        "b": (warm, both([1, 0, 0, 0], [0, 0, 0, 0])),
    }
    found = study.size_claim(sizes)
    assert isinstance(found, Estimate)
    assert (found.value, found.n) == (0.25, 4)
    assert study.size_claim({"a": sizes["a"]}) == study.NO_LADDER
    table = study.size_table(sizes)
    assert table["model"].tolist() == ["a", "b"]
    assert [e.value for e in table["min-p minus top-p"]] == [0.75, 0.25]
    assert table["T_c"].tolist() == [0.9, 1.8]


def test_size_runs_hold_every_model_at_one_and_at_its_hot_temperature(small):
    name = small.settings.model
    ((own, frame),) = study.size_runs(small, [name]).values()
    assert sorted(frame["temperature"].unique()) == sorted({1.0, own.hot})
    assert frame["sampler"].unique().tolist() == ["sampling", "top-p 0.9", "min-p 0.1"]


def test_solutions_count_finished_answers_and_ignore_white_space():
    texts = [["a b", "a  b\n", "c", "d"], ["x", "x", "y", "z"]]
    answers = [["7", "7", "7", "8"], ["1", "1", None, "2"]]
    finished = [[True, True, False, True], [True] * 4]
    frame = cell(study.MIN_P, 2.0, [[1, 1, 1, 0], [0, 0, 0, 0]], texts, answers, finished)
    found = study.solutions(frame).set_index("question")
    assert found.loc["q0", ["correct", "distinct", "right", "answers"]].tolist() == [0.75, 0.5, 0.25, 0.5]
    assert found.loc["q1", ["correct", "distinct", "right", "answers"]].tolist() == [0.0, 0.5, 0.0, 0.5]


def test_trade_off_and_gap_of_right_solutions():
    texts = [["a", "b"], ["c", "c"]]
    ours = cell(study.MIN_P, 3.0, [[1, 1], [1, 1]], texts)
    theirs = cell(study.NUCLEUS, 3.0, [[1, 0], [0, 0]], texts)
    found = study.solutions(pd.concat([ours, theirs]))
    gap = study.right_gap(found, study.MIN_P, study.NUCLEUS, 3.0)
    assert gap.value == pytest.approx((1.0 + 0.5) / 2 - (0.5 + 0.0) / 2)
    curves = study.trade_off(found)
    assert curves["min-p 0.1"][["temperature", "distinct", "accuracy"]].values.tolist() == [[3.0, 0.75, 1.0]]


def test_generate_keeps_fifty_tokens_unless_told_otherwise(wide):
    table = study.default_top_k(wide, 3.0, n=2).set_index(["rule", "setting"])
    assert table.loc[("sampling", "default"), "largest"] == 50
    assert table.loc[("sampling", "top_k = 0"), "largest"] == wide.model().width
    own = table.loc["min-p 0.1"]
    assert own.loc["default", "largest"] <= 50
    assert own.loc["default", "tokens left, mean"] <= own.loc["top_k = 0", "tokens left, mean"]


@pytest.fixture
def wide(small, tmp_path):
    """The experiment with a random model of 80 logits, more than generate's default of 50."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path / "wide"
    torch.manual_seed(1)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=80, bos_token_id=None, eos_token_id=0, pad_token_id=0, **shape)
    LlamaForCausalLM(config).save_pretrained(folder)
    small.model().tokenizer.save_pretrained(folder)
    return Experiment(replace(small.settings, model=str(folder)))
