"""Studies of critical tokens and cDPO: statistics on made-up responses and outcomes."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from replication import papers, settings
from replication.alignment.contrastive import Contrast
from replication.alignment.experiment import Trained
from replication.alignment.preferences import Pair
from replication.alignment.rollouts import Trajectory
from replication.reporting.report import Report
from replication.studies import alignment, cdpo, cdpo_full_scale
from replication.studies import cdpo_contrast as contrast
from replication.studies import cdpo_results as results
from replication.studies import cdpo_tokens as critical
from replication.studies.cdpo import BY_LABEL, CONSTANT, EQUAL, RELEASED, ROWS, SHUFFLED, TWICE
from replication.testbed import worlds

PAPER = papers.load("cdpo")
PROBLEM = worlds.Problem("stories", "Q?", "8", ("5+4=9", "9-1=8"), level=2)
CELL = alignment.Cell("testbed-small", alignment.WORLDS["moves"])
OTHER = alignment.Cell("testbed-small", alignment.WORLDS["portions"])


def claims_of(notebook):
    return {claim.id for claim in PAPER.claims if claim.notebook == notebook}


def response(text, name="q"):
    """A response with one token per word, sign and digit."""
    pieces = (*re.findall(r" ?[A-Za-z]+|\d|[^\w\s]|\s", text), "")
    return critical.Wrong(Trajectory(name, (1,), tuple(range(len(pieces))), lambda _: False), pieces, PROBLEM)


def found(texts, indices, n=16, arms=(0, 4, 8), cell=CELL):
    """Critical tokens at given places, with right rollouts of each kind."""
    responses = [response(text, f"q{i}") for i, text in enumerate(texts)]
    length = [len(one.pieces) for one in responses]
    table = pd.DataFrame({"name": [f"q{i}" for i in range(len(texts))], "critical": indices})
    table["rule"] = np.where(table["critical"] < 0, "", "strict")
    table = table.assign(
        length=length, generated=5, rolled=9, naive=[n * t * (t - 1) // 2 for t in length], seen=1
    )
    rows = [(name, i, *arms, 0) for name, i in zip(table["name"], indices, strict=True) if i >= 0]
    columns = ["name", "index", *critical.ARMS, "same"]
    return critical.Found(cell, responses, table, pd.DataFrame(rows, columns=columns), n)


WORD = " Less: 5-4=1. Less: 1-1=0. The answer is 0."
SLIP = " More: 5+4=8. Less: 8-1=7. The answer is 7."


def test_a_response_knows_its_first_wrong_token():
    word, slip = response(WORD), response(SLIP)
    assert word.pieces[word.error] == " Less"
    assert word.error_type == "semantic misunderstanding"
    assert slip.pieces[slip.error] == "8"
    assert slip.error_type == "calculation"
    assert "".join(slip.pieces[slip.answer_starts :]) == " The answer is 7."
    plain = critical.Wrong(slip.trajectory, slip.pieces, None)
    assert plain.error is None
    assert plain.error_type == ""


def test_existence_and_place():
    own = found([WORD, SLIP, SLIP, WORD], [0, 8, len(response(SLIP).pieces) - 2, -1])
    claims = critical.existence_claims([own])
    assert claims["C1"].value == 0.75
    assert claims["K1"].value == pytest.approx(2 / 3)
    table = critical.existence_table([own])
    assert table["with a critical token"][0].value == 0.75


def test_replacement_compares_fresh_rollouts():
    claims = critical.replacement_claims(
        [found([WORD] * 30, [0] * 30), found([SLIP] * 30, [8] * 30, cell=OTHER)]
    )
    assert claims["C2a"].value == 0.5
    assert claims["C2a"].low > 0.3
    assert claims["C2b"].value == 1
    assert claims["K2"].value == 0
    assert claims["K3"].value == 0.25
    nothing = critical.replacement_claims([found([WORD] * 30, [0] * 30, arms=(4, 4, 4))])
    assert nothing["C2a"].value == nothing["K3"].value == 0
    assert set(claims) | {"C1", "K1", "C3", "C4"} == claims_of("01_critical_tokens")


def test_pass_at_k_of_every_arm():
    own = found([WORD] * 5, [0] * 5)
    series = critical.curves(own)
    assert series[critical.ARMS["replaced"]]["value"][0] == pytest.approx(0.5)
    assert (series[critical.ARMS["kept"]]["value"] == 0).all()
    assert list(critical.pass_table([own]).columns) == [
        "cell",
        "rollouts",
        *(f"k = {k}" for k in (1, 2, 4, 8, 16)),
    ]


def test_errors_and_critical_tokens():
    word, slip = response(WORD).error, response(SLIP).error
    own = found([WORD, WORD, SLIP, SLIP], [word, word + 2, slip - 2, slip])
    claims = critical.error_claims([own])
    assert claims["C3"].value == 0.5
    assert claims["C4"].value == 0
    table = critical.table_1([own], Report(start(), "01_critical_tokens").published("table_1")).set_index(
        "error"
    )
    assert table.loc["calculation", "moves: count"] == 2
    assert table.loc["total", "moves: differ"].value == 0.5
    places = critical.table_2([own]).set_index("error").loc["total"]
    assert list(places[["before", "same", "after"]]) == [1, 2, 1]
    assert places[list(critical.solution_tokens.WORD_TYPES)].sum() == 4


def test_without_an_oracle_errors_are_not_testable():
    own = found([WORD], [0])
    blind = [critical.Wrong(one.trajectory, one.pieces, None) for one in own.responses]
    claims = critical.error_claims([critical.Found(CELL, blind, own.table, own.arms, own.n)])
    assert all(isinstance(reason, str) for reason in claims.values())


def test_an_example_shows_both_tokens():
    slip = response(SLIP).error
    shown, names, title = critical.example(found([SLIP, SLIP], [slip, slip - 3]))
    assert len(shown) == len(names)
    assert [name for name in names if name] == ["critical", "error"]
    assert shown[0] == "Q?"
    assert title.startswith(f"A wrong response: critical is token {slip - 2}, ")
    assert f"; the first wrong one is token {slip + 1}, " in title
    assert "both" in critical.example(found([SLIP], [slip]))[1]


@pytest.mark.parametrize(
    ("values", "index", "share", "one", "three"),
    [
        ([0.1, 0.9, 0.5, 0.2], 1, 1.0, 1, 1),
        ([0.1, 0.9, 0.5, 0.2], 0, 0.0, 0, 0),
        ([0.5, 0.5, 0.5, 0.5], 2, 0.5, 0.25, 0.75),
    ],
)
def test_rank_measures(values, index, share, one, three):
    values = np.array(values)
    assert contrast.percentile(values, index) == share
    assert contrast.hit(values, index, 1) == one
    assert contrast.hit(values, index, 3) == three


def test_agreement_is_found_where_it_is_and_not_where_it_is_not():
    rng = np.random.default_rng(0)
    indices = [int(i) for i in rng.integers(0, 20, 60)]
    noise = [rng.random(20) for _ in indices]
    good = [values + 2 * (np.arange(20) == i) for values, i in zip(noise, indices, strict=True)]
    scores = {contrast.OURS: good, contrast.BASE: noise, contrast.CHANCE: [rng.random(20) for _ in indices]}
    claims = contrast.claims(scores, indices)
    assert claims["C5a"].value == 1
    assert claims["C5b"].low > 0.3
    scores[contrast.OURS] = noise
    claims = contrast.claims(scores, indices)
    assert claims["C5a"].low < 0.5 < claims["C5a"].high
    assert claims["C5b"].value == 0
    table = contrast.table(scores, indices).set_index("score")
    assert table.loc[contrast.CHANCE, "AUROC"].value == pytest.approx(0.5, abs=0.12)


def test_an_example_of_scores_names_the_token_that_rollouts_find():
    own = found([WORD], [2])
    scores = {contrast.OURS: [np.linspace(0, 1, len(own.responses[0].pieces) - 1)]}
    shown, levels, title = contrast.example(own, scores)
    assert len(shown) == len(levels) == len(own.responses[0].pieces)  # the question, and no end of text
    assert shown[0] == "Q?"
    assert levels[0] is None
    assert "token 3" in title


def test_the_scores_of_an_example_are_taken_apart():
    own = found([WORD], [2])
    n = len(own.responses[0].pieces) - 1
    scores = {contrast.OURS: [np.full(n, 0.9)], contrast.POSITIVE: [np.full(n, 0.75)],
              contrast.LOG_RATIO: [np.full(n, np.log(2.0))], contrast.BASE: [np.full(n, 0.6)],
              contrast.ENTROPY: [np.full(n, 1.5)]}  # fmt: skip
    table, text = contrast.example_tokens(own, scores)
    assert table["token"].tolist() == list(own.responses[0].pieces)
    first = table.drop(columns="token").iloc[0].round(6).to_dict()
    assert first == {"critical": 0.9, "positive": 0.25, "negative": 0.5, "probability": 0.4, "entropy": 1.5}
    assert table.iloc[-1].drop("token").isna().all()
    assert text.startswith("Q? A wrong response: critical is token 3, ")


def test_the_title_of_banned_tokens_gives_both_rates_of_each_cell():
    own = found([WORD], [2])
    arms = {contrast.OURS: pd.DataFrame({"kept": [own.n * 0.25], "replaced": [own.n * 0.5]})}
    assert contrast.banned_title([own], [arms]).endswith(f"kept, then banned: 25 to 50 % ({CELL.kind})")


def test_a_token_that_is_both_is_told_as_one():
    own = found([SLIP], [response(SLIP).error])
    assert critical.told(*critical.shown(own)).endswith(", which is the first wrong one")


def test_gain_without_tokens_that_are_found():
    own = found([WORD] * 20, [0] * 20)
    flat = own.arms.assign(replaced=own.arms["kept"])
    arms = {contrast.OURS: own.arms, contrast.BASE: flat, contrast.CHANCE: flat}
    claims = contrast.without_claims([arms], own.n)
    assert claims["C5d"].value == claims["K4"].value == 0.5
    assert contrast.without_table(arms, own.n)["banned"][0].value == 0.5
    groups = contrast.without_groups([own], [arms])
    assert [bars["banned"].value for bars in groups.values()] == [0.5, 0, 0]


def start():
    return settings.start("cdpo", profile="smoke")


class Made(cdpo.Study):
    """A study whose models, scores and answers are made up."""

    def __init__(self, accuracy=None, curves=None):
        super().__init__(start())
        self.seeds = range(3)
        self.accuracy, self.drawn = accuracy or {}, curves or {}

    def pairs(self, cell):
        return (Pair("a", (1,), (2, 3), (4, 5, 6)), Pair("b", (1,), (2,), (7, 8)))

    def scores(self, cell):
        values = [np.array([0.9, 0.1, 0.5]), np.array([0.2, 0.4])]
        return [Contrast(*[one.astype(np.float32)] * 4) for one in values]

    def outcomes(self, cell, row=None):
        rng = np.random.default_rng(sum(map(ord, results.label(row) + cell.name)))
        return (rng.random((200, 3)) < self.accuracy.get(results.label(row), 0.5)).astype(float)

    def runs(self, cell, row):
        chosen, rejected = self.drawn[row.label]
        steps = enumerate(zip(chosen, rejected, strict=True))
        rows = [(step, f"q{i}", c + i / 10, r, 4, 5) for step, (c, r) in steps for i in range(20)]
        names = ["step", "question", "chosen", "rejected", "chosen_tokens", "rejected_tokens"]
        return [Trained(Path("none"), pd.DataFrame(), pd.DataFrame(rows, columns=names))] * 3


def test_weights_of_the_controls():
    study = Made()
    plain = [np.array(pair.weights) for pair in study.weighted_pairs(CELL, "scores")]
    assert plain[0] == pytest.approx([0.1, 0.9, 0.5])
    mixed = [np.array(pair.weights) for pair in study.weighted_pairs(CELL, "shuffled")]
    for one, other in zip(plain, mixed, strict=True):
        assert sorted(one) == pytest.approx(sorted(other))
    level = [np.array(pair.weights) for pair in study.weighted_pairs(CELL, "constant")]
    assert np.concatenate(level) == pytest.approx(np.full(5, np.concatenate(plain).mean()))


def test_rows_are_trained_as_the_paper_says(monkeypatch):
    study, plans = Made(), {}
    monkeypatch.setattr(study, "base", lambda cell: "base")
    monkeypatch.setattr(study, "watched", lambda cell: study.pairs(cell))
    study.trainings = SimpleNamespace(
        train=lambda plan: (
            plans.setdefault(plan.objective.method + plan.base, plan) and SimpleNamespace(folder="sft")
        )
    )
    for row in (*ROWS, EQUAL, TWICE, SHUFFLED, CONSTANT, RELEASED):
        plans.clear()
        study.train(CELL, row, 1)
        plan = list(plans.values())[-1]
        assert plan.base == ("sft" if row.start == "SFT" else "base")
        assert plan.hyper.rate == pytest.approx(row.rate * cdpo.RATE)
        assert plan.objective.weighted == (row.method == "cdpo")
        assert plan.seed == 1
        if row.method != "sft":
            assert plan.objective.beta == (0.1 if row is RELEASED else 1.0)
        assert bool(plan.watch.pairs) == (CELL == study.cells[0])


def test_a_true_lead_is_reproduced_and_no_lead_is_not():
    better = {"cDPO (base)": 0.9, "DPO (base)": 0.2}
    study = Made(accuracy=better)
    outcomes = results.outcomes(study)
    claims = results.claims(outcomes, results.controls(study))
    assert claims["C7a"].low > 0
    assert claims["C7b"].low > 0
    assert claims["K6"].low > 0
    assert claims["C8"].high < 0
    even = Made()
    claims = results.claims(results.outcomes(even), results.controls(even))
    assert claims["C7a"].low < 0 < claims["C7a"].high
    table = results.table_3(outcomes, Report(start(), "03_preferences").published("table_3")).set_index(
        "method"
    )
    assert table.loc["cDPO (base)", "all cells"].value == pytest.approx(0.9, abs=0.05)
    assert table.loc["TDPO2 (from SFT)", "published, GSM8K average"] == 71.7
    assert len(results.gaps_table(outcomes)) == len(ROWS)


def test_curves_are_judged_from_the_fixed_pairs():
    flat, falling, rising = (-6.0, -6.0), (-6.0, -8.0), (-6.0, -5.0)
    other = (flat, falling)
    deep = (rising, (-6.0, -12.0))
    drawn = {"DPO (base)": (falling, falling), "RPO (base)": (rising, falling), EQUAL.label: deep}
    study = Made(curves=drawn | {"cDPO (base)": other, TWICE.label: other})
    claims = results.curve_claims(study)
    assert claims["C6a"].value == -2
    assert claims["C6b"].value == claims["C6c"].value == 1
    assert claims["C6d"].value == pytest.approx(3)
    assert claims["C6e"].value == pytest.approx(4)
    ends = results.curve_table(study).set_index("method")
    assert ends.loc[EQUAL.label, "change of rejected"].value == -6
    panel = results.panels(study, per_token=True)["rejected"]["DPO (base)"]
    assert list(panel["value"]) == pytest.approx([0, -2 / 5])
    assert set(claims) | {"C7a", "C7b", "K5", "K6", "K7", "C8"} == claims_of("03_preferences")


def test_solutions_for_bases_are_right_and_apart_from_what_is_sampled():
    from replication.studies.alignment import Family

    family = Family(start())
    lm = family.shared.model("testbed-small")
    solutions = family.solutions(lm, 20)
    assert len(solutions) == 20
    asked = set()
    for cell in family.cells:
        questions = family.questions(cell, "train", int(family.sizes["n_sampled"]))
        asked |= {tuple(ids) for ids in family.prompts(lm, cell, questions)}
    assert asked.isdisjoint(one.prompt for one in solutions)
    assert all(one.response[-1] == lm.tokenizer.eos_token_id for one in solutions)
    assert "The answer is" in lm.tokenizer.decode(solutions[0].response)


@pytest.mark.parametrize("wrong", [0, 1, 3, 40])
def test_some_pairs_are_only_looked_at(wrong, monkeypatch):
    from replication.alignment.pairs import Sampled
    from replication.alignment.pairs import Trajectory as Sample

    def answers(i):
        other = Sample((3,), "9", False) if i < wrong else Sample((2,), "8", True)
        return Sampled(f"q{i}", (1,), (Sample((2,), "8", True), other))

    study = cdpo.Study(start())
    monkeypatch.setattr(study, "sampled", lambda cell: [answers(i) for i in range(50)])
    if wrong < 2:  # one to learn from, one to look at
        with pytest.raises(settings.NotTestable, match=r"(No|1) preference pair came of 50 questions"):
            study.pairs(CELL)
        return
    watched = min(int(study.sizes["n_watched"]), wrong // 2)
    assert len(study.watched(CELL)) == watched
    assert len(study.pairs(CELL)) == wrong - watched


def test_another_model_has_one_cell_and_is_its_own_base():
    run = settings.start("cdpo", profile="smoke", model="somewhere/a-model", task="gsm8k")
    study = cdpo.Study(run)
    assert [cell.label for cell in study.cells] == ["a-model, gsm8k"]
    assert study.base(study.cells[0]) == "somewhere/a-model"
    assert study.cells[0].name == "a-model"


def test_costs_and_commands_of_full_scale():
    table = cdpo_full_scale.training_costs()
    assert len(table) == 2 * len(cdpo_full_scale.METHODS)
    assert cdpo_full_scale.rollout_costs()["tokens"][0] == "58,142,500"
    commands = "\n".join(cdpo_full_scale.commands())
    assert "01_critical_tokens" in commands
    assert "accelerate launch" in commands
    assert set(BY_LABEL) >= {"SFT (base)", "cDPO (base)"}
