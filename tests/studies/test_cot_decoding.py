"""The measurements of the CoT-decoding notebooks, on branches whose outcome is known."""

import ast
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from replication import papers
from replication.decoding import continuation
from replication.decoding import cot_decoding as cot
from replication.evaluation.claims import Estimate
from replication.studies import cot_comparisons, cot_outcomes, cot_readings, cot_tasks
from replication.studies import cot_decoding as study
from replication.tasks.base import Question, Task

GOLD, NAN = "7", float("nan")
# (answer, Δ, reasons) of the branches of one question; GOLD is right.
HIDDEN = [("3", 0.05, False), ("4", 0.06, False), (GOLD, 0.98, True), ("5", 0.04, False)]
LATE = [("3", 0.05, False), ("4", 0.06, False), ("5", 0.04, False), (GOLD, 0.98, True)]
KNOWN = [(GOLD, 0.05, False), (GOLD, 0.06, False), (GOLD, 0.98, True), ("5", 0.04, False)]
SPOILED = [(GOLD, 0.05, False), ("4", 0.06, False), ("8", 0.90, True), ("5", 0.04, False)]
DIRECT = [("3", 0.05, False), ("4", 0.06, False), ("5", 0.03, False), ("6", 0.04, False)]
SILENT = [(None, NAN, False)] * 4
REASONED = [(GOLD, 0.99, True), (GOLD, 0.98, True), (GOLD, 0.97, True), ("2", 0.04, False)]


def table(*questions):
    """Scored branches; a question is a list of (answer, Δ, reasons) in the order of its branches."""
    rows = [
        {
            "question": f"q{number:03d}",
            "branch": branch,
            "answer": answer,
            "correct": answer == GOLD,
            "has_cot": reasons,
            "delta": delta,
            "logprob_sum": -float(branch),
            "excluded": "" if answer else "no answer",
        }
        for number, question in enumerate(questions)
        for branch, (answer, delta, reasons) in enumerate(question)
    ]
    return pd.DataFrame(rows).astype({"answer": object, "has_cot": bool, "correct": bool})


def values(estimate):
    return pytest.approx((estimate.value, estimate.n))


@pytest.fixture(scope="module")
def mixed():
    """Ten questions: five gained, two right either way, one lost, one direct, one without an answer."""
    return table(*[HIDDEN] * 5, KNOWN, KNOWN, SPOILED, DIRECT, SILENT)


def test_every_name_can_be_had_from_the_study():
    own = {
        node.name
        for module in (cot_outcomes, cot_comparisons, cot_readings, cot_tasks)
        for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert {"read", "graded", "pair", "size_claims"} <= own <= set(study.__all__)
    assert {"TABLE_6", "SAMPLERS", "PAIR", "EASY", "HARD", "NO_TUNED"} <= set(study.__all__)
    assert study.cot is cot
    assert all(hasattr(study, name) for name in study.__all__)


def test_outcomes(mixed):
    yes, no = True, False
    assert study.greedy(mixed).tolist() == [no] * 5 + [yes, yes, yes, no, no]
    assert study.max_path(mixed).tolist() == [yes] * 7 + [no, no, no]
    assert study.max_path(mixed, "logprob_sum").tolist() == study.greedy(mixed).tolist()
    assert study.weighted_vote(mixed).tolist() == study.max_path(mixed).tolist()
    assert study.gain(mixed).tolist() == [1.0] * 5 + [0.0, 0.0, -1.0, 0.0, 0.0]
    assert study.mean_gain(mixed).value == pytest.approx(0.4)
    greedy, best = study.pair(mixed)
    assert ((greedy.value, greedy.n), (best.value, best.n)) == ((0.3, 10), (0.7, 10))
    assert study.flags_of_chosen(mixed).tolist() == [yes] * 8 + [no, no]
    assert study.chosen_reason(mixed).value == 0.8
    assert study.any_reasoned(mixed).tolist() == [yes] * 8 + [no, no]
    assert study.showcase(mixed) == "q000"
    assert study.showcase(table(DIRECT, HIDDEN)) == "q001"
    assert study.showcase(table(DIRECT, KNOWN)) == "q000"


def test_k_counts_branches_from_the_greedy_one(mixed):
    by_k = study.by_k(mixed, range(1, 5))
    assert list(by_k.columns) == [1, 2, 3, 4]
    assert by_k.dtypes.unique().tolist() == [np.float64]
    assert by_k[1].tolist() == study.greedy(mixed).tolist()
    assert by_k[4].tolist() == study.max_path(mixed).tolist()
    assert by_k[2].sum() == 2  # a larger Δ on a wrong branch replaces the greedy answer
    curve = study.curve(mixed, (1, 3))
    assert list(curve.columns) == ["k", "accuracy", "low", "high", "n"]
    assert curve[["k", "accuracy", "n"]].to_numpy().tolist() == [[1, 0.3, 10], [3, 0.7, 10]]
    with pytest.raises(ValueError, match="k >= 1"):
        study.by_k(mixed, [0])


def test_hidden_paths(mixed):
    assert values(study.hidden_paths(mixed)) == (0.8, 10)
    direct_only = table(HIDDEN, REASONED, REASONED, DIRECT)
    assert values(study.hidden_paths(direct_only)) == (0.5, 2)  # greedy reasons in the other two
    excluded = table(HIDDEN).assign(excluded="unfinished")
    assert values(study.hidden_paths(excluded)) == (0.0, 1)
    assert not study.hidden_paths(table(REASONED)).usable


def test_separation_by_confidence(mixed):
    reasoned = study.separation(mixed)
    assert (reasoned.value, reasoned.high, reasoned.n) == (1.0, 1.0, 9)
    assert 0.5 < reasoned.low < 1
    flat = mixed.assign(delta=mixed["delta"].where(mixed["delta"].isna(), 0.5))
    assert study.separation(flat).value == 0.5
    rows = study.separations(mixed).set_index("Δ separates")
    assert list(rows.columns) == ["AUROC, %", "n"]
    area = rows["AUROC, %"].map(lambda estimate: estimate.value)
    assert area["reasoned against direct, all branches"] == 1.0
    assert area["right against wrong, reasoned branches"] == 1.0
    used = mixed[mixed["delta"].notna()]
    right, wrong = (used.loc[used["correct"] == flag, "delta"].to_numpy() for flag in (True, False))
    pairs = (right[:, None] > wrong) + 0.5 * (right[:, None] == wrong)
    assert area["right against wrong, all branches"] == pytest.approx(pairs.mean())


def test_separations_of_one_class_are_empty():
    rows = study.separations(table(DIRECT, DIRECT))
    assert not any(estimate.usable for estimate in rows["AUROC, %"])
    assert rows["n"].tolist() == [0, 0, 0, 0]


def test_confidence():
    rows = study.confidence({"stories": table(HIDDEN, KNOWN, SILENT), "parity": table(DIRECT)})
    assert list(rows.columns) == ["task", "branches", "number", "mean Δ, %", "right, %"]
    head = rows[["task", "branches", "number"]].to_numpy().tolist()
    assert head == [["stories", "direct", 6], ["stories", "reasoned", 2], ["parity", "direct", 4]]
    assert rows["mean Δ, %"].map(lambda e: round(e.value, 6)).tolist() == [0.05, 0.98, 0.045]
    right = rows["right, %"].map(lambda e: (round(e.value, 6), e.n)).tolist()
    assert right == [(0.333333, 2), (1.0, 2), (0.0, 1)]


def test_confidence_of_either_kind(mixed):
    found = study.deltas(mixed)
    assert list(found) == ["direct", "reasoned"]
    assert found["reasoned"].tolist() == [0.98] * 7 + [0.90]
    assert found["direct"].isna().sum() == 4


def test_right_answers_against_confidence():
    sure = [("3", 0.2, False), (GOLD, 0.999995, True), ("4", 0.99995, True), (GOLD, 0.95, True)]
    rows = study.by_nines({"stories": table(sure, sure, SPOILED, SILENT)})["stories"]
    assert list(rows.columns) == ["nines", "accuracy", "low", "high", "n", "branches"]
    # SPOILED adds a wrong answer at Δ = 0.90, which has one nine.
    assert rows["nines"].tolist() == [1, 4, 5]
    assert rows["accuracy"].round(6).tolist() == [0.666667, 0.0, 1.0]
    assert rows[["n", "branches"]].to_numpy().tolist() == [[3, 3], [2, 2], [2, 2]]
    certain = study.by_nines({"one": table([(GOLD, 1.0, True), ("3", 0.3, True)])})["one"]
    assert certain["nines"].tolist() == [0, study.MOST_NINES]
    assert study.by_nines({"none": table(DIRECT)})["none"].empty


def test_branches_by_rank(mixed):
    rows = study.by_rank(mixed.assign(first_logprob=np.log(0.5) - mixed["branch"]))
    assert rows["branch"].tolist() == [0, 1, 2, 3]
    assert rows["probability of the first token (median)"].tolist() == ["0.5", "0.18", "0.068", "0.025"]
    assert rows["Δ (median)"][0] == "0.05000"
    assert [e.value for e in rows["right, %"]] == [0.3, 0.2, 0.7, 0.0]
    assert [e.value for e in rows["reasons, %"]] == [0.0, 0.0, 0.8, 0.0]


def test_rankings_and_their_claim(mixed):
    scores = ("logprob_mean", "mean_top1", "neg_entropy", "length")
    full = mixed.assign(**dict.fromkeys(scores[1:], mixed["delta"]), logprob_mean=mixed["logprob_sum"])
    rows = study.rankings({"stories": full, "few": full[full["question"] < "q004"]}).set_index("ranking")
    assert list(rows.columns) == ["stories, %", "few, %", "n"]
    assert list(rows.index) == ["greedy", *study.SCORES]
    accuracy = rows["stories, %"].map(lambda e: e.value)
    assert accuracy[study.OURS] == accuracy["longest path"] == 0.7
    assert accuracy["greedy"] == accuracy["log-probability"] == 0.3
    assert set(rows["n"]) == {"10, 4"}
    ahead, room = study.ranking_claim(full)
    assert values(ahead) == (0.4, 10)
    assert room == pytest.approx(0.7)
    assert study.headroom(study.greedy(mixed)) == pytest.approx(0.7)


def test_votes_against_k(mixed):
    assert study.votes_by_k(mixed, [4])[4].tolist() == study.weighted_vote(mixed).tolist()
    assert study.vote_curve(mixed, (1, 4))["accuracy"].tolist() == [0.3, 0.7]


def test_summary_and_precision(mixed):
    seeds = np.array([[1, 0], [1, 1], [0, 0], [1, 1]], dtype=bool)
    rows = study.summary({"CoT-decoding": study.max_path(mixed), "sampling": seeds}, "decoder")
    assert list(rows.columns) == ["decoder", "accuracy, %", "n"]
    assert rows["n"].tolist() == [10, 4]
    assert [e.value for e in rows["accuracy, %"]] == [0.7, 0.625]
    assert all(e.low < e.value < e.high for e in rows["accuracy, %"])
    published = study.published_precision().set_index("cell")
    assert published.loc["Mistral-7B, greedy"].tolist() == [9.9, 1319, "± 1.6"]
    assert published["n"].tolist() == [1319, 1319, 100, 100, 100]


def test_mcnemar_table(mixed):
    ours, other = study.max_path(mixed), study.greedy(mixed)
    rows = study.mcnemar_table(ours, {"greedy": other, "itself": ours})
    assert rows["compared with"].tolist() == ["greedy", "itself"]
    assert rows["only ours right"].tolist() == [5, 0]
    assert rows["only the other right"].tolist() == [1, 0]
    assert rows["p (McNemar)"].tolist() == ["0.2188", "1.0000"]  # 2 (1 + 6) / 2^6
    assert rows["difference, points"][0].value == pytest.approx(0.4)
    many = study.mcnemar_table(np.ones(30, dtype=bool), {"none": np.zeros(30, dtype=bool)})
    assert many["p (McNemar)"][0] == "below 0.0001"


def test_shuffled_confidence_is_a_random_branch():
    branches = table(*[HIDDEN, KNOWN, SPOILED, DIRECT] * 60)
    chance = study.random_branch(branches)
    assert chance.shape == (240, 1)
    assert chance[:4, 0].tolist() == [0.25, 0.75, 0.25, 0.0]
    difference = study.shuffled(branches, seeds=20)
    assert difference.shape == (240,)
    # Each draw is right with the question's chance; four standard errors of the mean of 20 * 240 of them.
    error = np.sqrt((chance * (1 - chance)).mean() / (20 * 240))
    assert abs(difference.mean()) < 4 * error < 0.03
    one = study.shuffled_path(branches, seed=0)
    assert one.dtype == bool
    assert study.max_path(branches).mean() == 0.5
    assert one.tolist() != study.shuffled_path(branches, seed=1).tolist()
    assert one.tolist() == study.shuffled_path(branches, seed=0).tolist()


def test_ties_of_shuffled_confidence_favour_no_branch():
    sure = [("3", 1.0, False), (GOLD, 1.0, True), (GOLD, 1.0, True), (GOLD, 1.0, True)]
    difference = study.shuffled(table(*[sure] * 60), seeds=20)
    assert abs(difference.mean()) < 4 * np.sqrt(0.75 * 0.25 / (20 * 60))


def test_shuffling_leaves_questions_without_branches_out():
    assert study.shuffled(table(HIDDEN, SILENT, KNOWN), seeds=2).shape == (2,)
    assert study.random_branch(table(HIDDEN, SILENT))[:, 0].tolist() == [0.25, 0.0]
    assert study.shuffled(table(SILENT, SILENT), seeds=2).shape == (0,)
    assert study.shuffled_path(table(SILENT, SILENT), seed=0).tolist() == [False, False]


@pytest.fixture(scope="module")
def ladder():
    """Three models on two tasks: parity under greedy decoding stays as it is, the gain grows with size."""
    size = {"small": 2, "middle": 6, "large": 16}
    parity = {m: table(*[LATE] * n, *[DIRECT] * (18 - n), KNOWN, KNOWN) for m, n in size.items()}
    stories = {m: table(*[HIDDEN] * n, *[DIRECT] * (20 - n)) for m, n in size.items()}
    return {"stories": stories, "year parity": parity}


def test_size_claims(ladder):
    measured = study.size_claims(ladder, ["small", "middle", "large"])
    assert {name: round(e.value, 9) for name, e in measured.items()} == {"C5b": 0.0, "C5c": 0.7, "C5d": 0.1}
    assert {e.n for e in measured.values()} == {20}
    assert measured["C5c"].low > 0
    stories = {"gsm8k": ladder["stories"]}  # no persons known: the parity claims cannot be tested
    part = study.size_claims(stories, ["small", "middle", "large"])
    assert part["C5b"] == part["C5c"] == study.NO_PEOPLE
    assert part["C5d"].value == pytest.approx(0.1)
    for models in ([], ["middle"]):
        reasons = study.size_claims(ladder, models)
        assert reasons == dict.fromkeys(("C5b", "C5c", "C5d"), study.NO_LADDER)


def test_tables_of_models(ladder):
    rows = study.by_model(ladder)
    assert list(rows.columns) == ["task", "model", "greedy, %", "CoT-decoding, %", "gain, points", "n"]
    assert rows["model"].tolist() == ["small", "middle", "large"] * 2
    assert rows["gain, points"].map(lambda e: round(e.value, 9)).tolist() == [0.1, 0.3, 0.8] * 2
    assert rows["n"].tolist() == [20] * 6
    bars = study.bars_by_model(ladder["stories"])
    assert list(bars) == ["small", "middle", "large"]
    assert bars["large"]["greedy"].value == 0.0
    assert bars["large"]["CoT-decoding"].value == 0.8
    both = study.base_and_tuned(ladder, "middle", "large")
    assert list(both.columns) == ["task", "decoding", "base, %", "tuned, %", "n"]
    assert both["decoding"].tolist() == ["greedy", "CoT-decoding"] * 2
    assert [e.value for e in both["base, %"]] == [0.0, 0.3, 0.1, 0.4]
    assert [e.value for e in both["tuned, %"]] == [0.0, 0.8, 0.1, 0.9]


def test_published_bars():
    entry = papers.load("cot_decoding").published["figure_3"]
    published = pd.DataFrame(entry.rows, columns=entry.columns)
    bars = study.published_bars(published, "Mistral-7B", ("stories", "svamp", "year parity"))
    assert bars == {
        "stories": {"greedy": 9.9, "CoT-decoding": 25.1},
        "year parity": {"greedy": 35.0, "CoT-decoding": 66.0},
    }
    assert study.published_bars(published, "Gemma-7B", ("gsm8k",)) == {
        "gsm8k": {"greedy": 15.2, "CoT-decoding": 27.5}
    }


def test_published_ends_of_the_curves():
    entries = papers.load("cot_decoding").published
    four, five = (pd.DataFrame(entries[n].rows, columns=entries[n].columns) for n in ("figure_4", "table_5"))
    ends = study.size_ends(four, "stories", ("a", "b", "c"), "t", 10)
    assert ends == {
        "a": [(1, 14.3), (10, 35.1)],
        "b": [(1, 21.0), (10, 39.7)],
        "c": [(1, 34.8), (10, 63.2)],
        "t": [(1, 67.8), (10, 81.3)],
    }
    bars = study.published_sizes(four, "stories", ("a", "b", "c"), "t")
    assert bars["c"] == {"greedy": 34.8, "CoT-decoding": 63.2}
    assert list(study.published_sizes(four, "year parity", ("a", "b", "c"), "t")) == ["a", "b", "c"]
    assert study.size_ends(four, "svamp", ("a", "b", "c"), "t", 10) == {}
    assert study.size_ends(four, "gsm8k", ("a",), "", 10) == {}
    columns = {"base": "pre-trained", "tuned": "instruction-tuned"}
    panels = study.tuning_ends(five, ("stories", "mixed stories", "svamp"), columns, 10)
    assert panels == {
        "stories": {"base": [(1, 9.9), (10, 25.1)], "tuned": [(1, 31.2), (10, 38.2)]},
        "mixed stories": {"base": [(1, 14.3), (10, 45.7)], "tuned": [(1, 37.8), (10, 66.5)]},
    }


def test_tasks_of_a_run(experiment):
    own = {"stories": "stories:level=1", "mixed stories": "stories"}
    assert study.tasks(experiment) == own  # the model of the tests never read about the persons
    for model, task, wanted in (
        ("testbed", "stories:level=1", own | {"year parity": "parity"}),
        ("testbed-tuned", "parity:level=2", {"year parity": "parity:level=2", "mixed stories": "stories"}),
        ("control-08", "stories", {"stories": "stories"}),
        ("org/model", "gsm8k", {"gsm8k": "gsm8k", "mixed stories": "stories"}),
    ):
        run = SimpleNamespace(settings=SimpleNamespace(model=model, model_name=model, task=task))
        assert study.tasks(run) == wanted


def test_tuning_claims():
    base = table(*[HIDDEN] * 20, *[DIRECT] * 20)
    tuned = table(*[REASONED] * 30, *[HIDDEN] * 10)
    measured = study.tuning_claims({"base": base, "tuned": tuned}, "base", "tuned")
    assert measured["C6a"].value == pytest.approx(0.5 / 0.75)
    assert measured["C6b"].value == pytest.approx(0.25)
    assert {e.n for e in measured.values()} == {40}
    assert study.tuning_claims({"base": base}, "base", "") == {"C6a": study.NO_TUNED, "C6b": study.NO_TUNED}
    assert study.tuning_room({"base": base, "tuned": tuned}, "tuned") == {"C6b": 0.25}
    assert study.tuning_room({"base": base}, "") == {}
    same = study.tuning_claims({"base": base, "tuned": base}, "base", "tuned")
    assert not same["C6a"].usable  # there is no gap of which a share could be closed


def test_saturation_claim():
    tuned = table(*[REASONED] * 9, LATE)
    measured = study.saturation_claim(tuned, 4)
    assert list(measured) == ["C7b"]
    assert values(measured["C7b"]) == (0.1, 10)
    assert study.saturation_claim(tuned, 3)["C7b"].value == 0.0
    assert study.saturation_claim(tuned, 2)["C7b"].value == 0.0
    assert study.saturation_claim(None, 10) == {"C7b": study.NO_TUNED}


def test_difficulty_claims():
    many, few, none = ([*[HIDDEN] * n, *[DIRECT] * (20 - n)] for n in (16, 8, 0))
    levels = dict.fromkeys(study.TABLE_6, table(*few))
    levels |= {"coins 2": table(*many), "web of lies 3": table(*few), "arithmetic d0 l3": table(*few)}
    levels |= {"coins 4": table(*few), "web of lies 5": table(*none)}
    stories = {2: table(*many), 3: table(*few), 4: table(*few), 5: table(*none, DIRECT)}
    measured = study.difficulty_claims(levels, stories)
    assert values(measured["C8a"]) == (-0.8, 41)
    assert values(measured["C8b"]) == ((0.8 + 0.4 + 0.4) / 3, 60)
    assert values(measured["C8c"]) == (-0.4, 80)
    assert measured["C8c"].high < 0
    assert set(study.EASY + study.HARD) <= set(study.TABLE_6)


def test_tables_of_settings(mixed):
    rows = study.by_task({"coins 2": mixed, "coins 3": table(DIRECT)})
    header = ["task", "greedy, %", "CoT-decoding, %", "gain, points", "with reasoned path, %", "n"]
    assert list(rows.columns) == header
    assert rows["n"].tolist() == [10, 1]
    assert [e.value for e in rows["with reasoned path, %"]] == [0.8, 0.0]
    half = Estimate(0.5, 0.4, 0.6, 10)
    pushed = study.by_task({"coins 2": mixed}, {"coins 2": half, "other": half})
    assert list(pushed.columns) == [*header[:4], "step by step, %", *header[4:]]
    assert pushed["step by step, %"].tolist() == [half]
    sweep = {0.0: table(DIRECT, DIRECT), 0.02: mixed}
    assert study.by_fraction(sweep, {0.0: half, 0.02: half})["step by step, %"].tolist() == [half, half]
    controls = study.by_fraction(sweep)
    assert list(controls.columns) == ["share in training", *header[1:]]
    assert controls["share in training"].tolist() == ["0", "0.02"]
    assert controls["n"].tolist() == [2, 10]


def test_curves_of_settings(mixed):
    levels = {2: mixed, 5: table(DIRECT, HIDDEN)}
    curves = study.by_level(levels)
    assert list(curves) == ["greedy", "CoT-decoding"]
    for name, accuracies in (("greedy", [0.3, 0.0]), ("CoT-decoding", [0.7, 0.5])):
        assert list(curves[name].columns) == ["steps", "accuracy", "low", "high", "n"]
        assert curves[name]["steps"].tolist() == [2, 5]
        assert curves[name]["accuracy"].tolist() == accuracies
        assert curves[name]["n"].tolist() == [10, 2]
    pd.testing.assert_frame_equal(
        study.by_step(levels), curves["CoT-decoding"].rename(columns={"steps": "step"})
    )
    fractions = study.fraction_curves({0.0: mixed})
    assert fractions["greedy"].columns[0] == "cot_fraction"


def test_early_gain():
    good, bad = table(*[HIDDEN] * 8, DIRECT, DIRECT), table(*[DIRECT] * 10)
    steps = {0: good, 1: good, 2: bad, 3: bad, 4: bad, 5: good}
    assert values(study.early_gain(steps)) == (0.8 - 0.2, 10)
    assert study.early_gain(dict.fromkeys(range(6), good)).value == 0.0
    later = study.early_gain({**steps, 0: bad})
    assert later.value == pytest.approx(-0.2)


def test_control_models_have_recipes():
    from replication.testbed.models import recipe

    shares = study.control_models()
    assert [recipe(name).mix.cot_fraction for name in shares.values()] == list(shares)
    assert shares[0.0] == "control-00"


# A run of a tiny random model, whose answers are made right or wrong by the gold answers


@pytest.fixture
def graded_task(experiment):
    """Task on which the greedy path is right on the first two of four questions."""
    run = experiment.decode("greedy")
    answers = [run.task.extract(text) for text in run.frame["text"]]
    assert all(answers), "the model's digits hold a number"
    gold = [answer.value if place < 2 else "no number" for place, answer in enumerate(answers)]
    questions = [Question(q.id, q.text, g) for q, g in zip(run.questions, gold, strict=True)]
    return Task("graded", "number", lambda split, n, seed: questions[:n])


def test_grading_a_run(experiment, graded_task):
    run = experiment.branches(task=graded_task)
    right = study.graded(run)
    assert right.shape == (4, 3)
    assert list(right.index) == list(run.gold)
    assert right[0].tolist() == [True, True, False, False]
    branches = study.read(run)
    assert study.greedy(branches).tolist() == right[0].tolist()
    assert study.random_branch(branches).shape == (4, 1)
    assert branches["correct"].to_numpy().reshape(4, 3).tolist() == right.to_numpy().tolist()


def test_preconditions_of_a_run(experiment, graded_task):
    branches = study.read(experiment.branches(task=graded_task))
    branches = branches.assign(has_cot=[True, False, False] + [False, True, False] + [False] * 6)
    measured = study.preconditions(experiment, branches, task=graded_task)
    assert list(measured) == ["P1", "P2", "P3", "P4"]
    assert [measured[name].value for name in ("P3", "P4")] == [0.75, 0.5]
    for name, suffix in (("P1", study.DIRECT), ("P2", study.STEP_BY_STEP)):
        run = experiment.decode("greedy", task=graded_task, suffix=suffix)
        assert values(measured[name]) == (study.graded(run)[0].mean(), 4)


def test_sampled_paths_of_a_run(experiment, graded_task):
    outcomes = study.sampled(experiment, "temperature", task=graded_task)
    assert (outcomes.shape, outcomes.dtype) == ((4, 2), bool)
    second = study.graded(experiment.decode("temperature", seed=1, task=graded_task))[0]
    assert outcomes[:, 1].tolist() == second.tolist()
    assert not outcomes[2:].any()
    voted = study.self_consistency(experiment, task=graded_task)
    assert (voted.shape, voted.dtype) == ((4,), bool)
    assert not voted[2:].any()


def test_decoders_and_methods_of_a_run(experiment):
    # The tokenizer of the tests cannot be searched for stop strings, which beam search does.
    def decode(name, **where):
        return experiment.decode("greedy" if name == "beam" else name, **where)

    runs = SimpleNamespace(decode=decode, settings=experiment.settings)
    branches = study.read(experiment.branches())
    found, names = study.decoders(runs, branches), study.decoder_names(runs)
    assert list(found) == list(names)
    sizes = experiment.settings.sizes
    assert names["CoT-decoding"] == f"CoT-decoding (k = {sizes['k']})"
    assert names["self-consistency"] == f"self-consistency, {sizes['samples']} paths"
    assert found["top-k"].shape == (4, 2)
    assert all(found[name].shape == (4,) for name in ("beam", "greedy", "self-consistency", "CoT-decoding"))
    rows = study.methods(experiment, branches, study.PHRASE)
    assert tuple(rows) == study.PHRASE
    expected = (study.greedy(branches), study.max_path(branches), study.weighted_vote(branches))
    assert [rows[study.PHRASE[i]].tolist() for i in (0, 2, 3)] == [own.tolist() for own in expected]


def test_expressions_begin_at_the_published_greedy_accuracy():
    entry = papers.load("cot_decoding").published["table_6"]
    six = pd.DataFrame([list(row) for row in entry.rows], columns=list(entry.columns))
    assert study.expression_starts(six) == {
        "depth 0, 3 operands": [(1, 39.0)],
        "depth 2, 4 operands": [(1, 0.0)],
    }


def test_ablation_of_a_run(experiment, graded_task, monkeypatch):
    # The tokenizer of the tests knows no letters: " = " stands for " So the answer is".
    monkeypatch.setattr(continuation, "phrase_ids", lambda tokenizer, phrase: [11, 12])
    run = experiment.branches(task=graded_task)
    found = study.ablation(experiment, {"graded": run, "again": run})
    assert list(found) == ["max path", "weighted vote"]
    for rows in found.values():
        assert list(rows.columns) == ["reading", "graded, %", "again, %", "n"]
        assert rows["reading"].tolist() == list(study.READINGS)
        assert rows["n"].tolist() == ["4"] * len(study.READINGS)
        assert rows["graded, %"].tolist() == rows["again, %"].tolist()
    estimates = found["max path"].set_index("reading")["graded, %"]
    extension = study.extended(experiment, run)
    assert extension[["question", "branch"]].equals(run.frame[["question", "branch"]])
    extend = cot.Rules(span="extend")
    read = cot.score_branches(
        run.frame, run.task, run.lm.tokenizer, extend, gold=run.gold, extension=extension
    )
    assert estimates["span: extended answer, last occurrence"].value == study.max_path(read).mean()
    assert all(isinstance(estimate, Estimate) for estimate in estimates)
    assert estimates["the defaults"].value == study.max_path(study.read(run)).mean()
    kept = study.read(run, cot.Rules(exclude_unfinished=False))
    assert estimates["unfinished branches kept"].value == study.max_path(kept).mean()
    # Paths that end by length take no part: without the fallback, such questions have no answer.
    unfinished = run.frame.assign(finish="length")
    ended = type(run)(unfinished, run.task, run.questions, run.lm, run.prompts)
    cut = study.ablation(experiment, {"graded": ended})["max path"].set_index("reading")
    assert cut.loc["the defaults", "graded, %"].value == 0.5
    assert cut.loc["no fallback to greedy", "graded, %"].value == 0.0


def test_compute_of_a_run(experiment, graded_task):
    work = study.generated(experiment, ("greedy", "votes", "max", "sum"), task=graded_task)
    frame = experiment.branches(task=graded_task).frame
    lengths = frame["tokens"].map(len).to_numpy().reshape(4, 3)
    assert work["greedy"] == lengths[:, 0].mean()
    assert work["max"] == work["sum"] == lengths.sum(axis=1).mean()
    drawn = experiment.decode("self-consistency", task=graded_task).frame
    assert work["votes"] == drawn["tokens"].map(len).sum() / 4


def test_levels_of_prompts(experiment, mixed):
    levels = study.prompted_levels(experiment, mixed)
    assert list(levels) == ["zero-shot CoT", "few-shot CoT"]
    assert levels["zero-shot CoT"] == pytest.approx(30.0)
    names = SimpleNamespace(model="testbed", model_name="testbed")
    run = SimpleNamespace(task=experiment.task, settings=names)
    assert list(study.prompted_levels(run, mixed)) == ["zero-shot CoT"]


def test_forced_answers_of_a_run(experiment, graded_task):
    run = experiment.decode("greedy", task=graded_task, suffix=study.DIRECT)
    pushed = study.forced(experiment, study.DIRECT, task=graded_task)
    assert values(pushed) == (study.graded(run)[0].mean(), 4)
