"""Chain-of-Thought Reasoning Without Prompting: worked examples, policies, votes and controls."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from replication.decoding import answers, cot_decoding, ranking, reasoning, spans
from replication.decoding.cot_decoding import Rules
from replication.lm.engine import generate
from replication.settings import InputError

ROWS = torch.tensor([[2.0, 1.0, 0.0, -1.0], [3.0, 3.0, 0.0, 0.0], [0.0, 4.0, 1.0, 0.0]])
TABLE_9 = ((18, 0.994), (14, 0.095), (14, 0.064), (16, 0.162), (14, 0.083), (20, 0.561), (18, 0.911),
           (10, 0.424), (18, 0.584), (18, 0.999))  # fmt: skip
TABLE_13_APPLES = (
    ("5", 0.227),
    ("I have 3 apples, my dad has 2 more. Is it 2?", 0.722),
    ("5", 0.317),
    ("3 + 2 = 5. 5 + 3 = 8", 0.956),
    ("5", 0.211),
    ("5", 0.313),
    ("Five", 0.5),
    ("Three apples.", 0.5),
    ("3 + 2 = 5. So 3 + 5 = 8", 0.931),
    ("3+2=5", 0.902),
)
TABLE_13_PORTMAN = (("1992", 0.5), ("even", 0.146), ("Even.", 0.431), ("odd.", 0.146), ("Even", 0.434),
                    ("Born in 1992, so even.", 0.968), ("even", 0.281), ("even", 0.498), ("He", 0.5),
                    ("Even", 0.426))  # fmt: skip
TABLE_1_CAGE = (("odd", 0.117), ("Even", 0.207), ("Odd", 0.198), ("1964: even", 0.949), ("even", 0.0),
                ("1964, even", 0.978))  # fmt: skip


def scored(kit, rows, gold, kind="number", rules=None, **columns):
    frame = kit.frame(*(kit.path(text, j, margin, **columns) for j, (text, margin) in enumerate(rows)))
    return cot_decoding.score_branches(frame, kit.tasks[kind], kit.characters, rules, gold={"q": gold})


def totals(branches):
    table = cot_decoding.votes(branches)
    return dict(zip(table["answer"], table["score"].round(3), strict=True))


def test_unit_check_01_margin_of_worked_logits():
    probabilities = [0.643914, 0.236883, 0.087144, 0.032059]
    assert ROWS[0].softmax(-1).tolist() == pytest.approx(probabilities, abs=1e-6)
    values = cot_decoding.margin(ROWS)
    assert values.tolist() == pytest.approx([0.407031, 0.0, 0.874629], abs=1e-6)
    assert cot_decoding.delta(values.numpy(), np.arange(3)) == pytest.approx(0.427220, abs=1e-6)
    assert cot_decoding.margin(ROWS + 7.5).tolist() == pytest.approx(values.tolist(), abs=1e-6)


def test_unit_check_02_raw_probabilities_not_the_processed_ones(kit):
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper

    table = {"Q": dict(zip("abcd", ROWS[0].tolist(), strict=True))}
    lm = kit.table_lm(kit.word_tokenizer(["Q", *"abcd"]), table)
    cold = cot_decoding.margin(ROWS[0] / 0.5).item()
    cut = cot_decoding.margin(TopKLogitsWarper(2)(None, ROWS[:1])).item()
    assert (cold, cut) == (pytest.approx(0.747896, abs=1e-6), pytest.approx(0.462117, abs=1e-6))
    prompt = [lm.encode("Q")]
    for processors in ((), (TemperatureLogitsWarper(0.5),), (TopKLogitsWarper(2),)):
        records = generate(
            lm, prompt, do_sample=True, processors=processors, max_new_tokens=1, temperature=0.5
        )
        values = cot_decoding.margins(records["top1"][0], records["top2"][0], records["logprob"][0])
        assert values == pytest.approx([0.407031], abs=1e-6)


def test_unit_check_03_aggregation_of_table_9(kit):
    branches = scored(kit, [(str(answer), value) for answer, value in TABLE_9], "18")
    assert totals(branches) == {"18": 3.488, "20": 0.561, "10": 0.424, "14": 0.242, "16": 0.162}
    voted, best = cot_decoding.vote(branches).iloc[0], cot_decoding.select(branches).iloc[0]
    assert (voted.answer, voted.branch, voted.correct) == ("18", 9, True)
    assert (best.answer, best.branch, best.score) == ("18", 9, pytest.approx(0.999))


def test_unit_check_04_max_path_and_vote_differ_on_table_13(kit):
    branches = scored(kit, TABLE_13_APPLES, "8")
    assert branches["excluded"].tolist() == ["", "question", "", "", "", "", "no answer", "no answer", "", ""]
    assert branches.index[branches["has_cot"]].tolist() == [3, 8]
    assert totals(branches) == {"5": 1.970, "8": 1.887}
    voted, best = cot_decoding.vote(branches).iloc[0], cot_decoding.select(branches).iloc[0]
    assert (voted.answer, voted.correct, voted.branch) == ("5", False, 9)
    assert (best.answer, best.correct, best.branch) == ("8", True, 3)
    assert best.score == pytest.approx(0.956)
    assert cot_decoding.majority(branches).iloc[0].answer == "5"
    assert cot_decoding.decide(branches, Rules(aggregate="sum")).iloc[0].answer == "5"
    assert cot_decoding.decide(branches, Rules(aggregate="max")).iloc[0].answer == "8"


def test_unit_check_05_year_parity(kit):
    portman = scored(kit, TABLE_13_PORTMAN, "even", "parity")
    assert totals(portman) == {"even": 3.184, "odd": 0.146}
    assert portman.index[portman["excluded"] != ""].tolist() == [0, 8]
    cage = scored(kit, TABLE_1_CAGE, "even", "parity")
    assert totals(cage) == {"even": 2.134, "odd": 0.315}
    assert cage["has_cot"].tolist() == [False, False, False, True, False, True]


def test_unit_check_06_policies_for_the_forced_token(kit):
    first = {"top1": [0.4, 1], "top2": [0.3, 0], "logprob": np.log([0.2, 1])}
    values = {
        policy: cot_decoding.margins(**first, policy=policy)[0]
        for policy in ("shared", "signed", "prob", "zero", "skip")
    }
    expected = {"shared": 0.1, "signed": -0.2, "prob": 0.2, "zero": 0.0, "skip": np.nan}
    assert values == pytest.approx(expected, nan_ok=True)
    assert math.isnan(cot_decoding.delta(cot_decoding.margins(**first, policy="skip"), [0]))
    greedy = cot_decoding.margins([0.4], [0.3], np.log([0.4]), "signed")
    assert greedy == pytest.approx([0.1]), "the greedy branch keeps the plain margin"
    rows = [kit.path("5", 0, **first), kit.path("7", 1, **first | {"logprob": np.log([0.1, 1])})]
    task, gold = kit.tasks["number"], {"q": "5"}
    for policy, expected in (("shared", [0.1, 0.1]), ("signed", [-0.2, -0.3]), ("skip", [np.nan, np.nan])):
        branches = cot_decoding.score_branches(
            kit.frame(*rows), task, kit.characters, Rules(first_token_margin=policy), gold=gold
        )
        assert branches["delta"].tolist() == pytest.approx(expected, nan_ok=True, abs=1e-6)
    assert branches["excluded"].tolist() == ["no score", "no score"]


def test_unit_check_07_first_tokens(kit):
    lm = kit.random_lm(kit.characters, seed=3)
    prompts, k = [lm.encode("Q"), lm.encode("A")], 6
    lone = cot_decoding.branch_decode(lm, prompts, k=1, max_new_tokens=8)
    plain = generate(lm, prompts, max_new_tokens=8)
    assert [t.tolist() for t in lone["tokens"]] == [t.tolist() for t in plain["tokens"]]
    records = cot_decoding.branch_decode(lm, prompts, k=k, max_new_tokens=8)
    for question, rows in records.groupby("question"):
        first = [tokens[0] for tokens in rows["tokens"]]
        chances = [values[0] for values in rows["logprob"]]
        assert len(set(first)) == k
        assert chances == sorted(chances, reverse=True)
        ids = torch.tensor([prompts[int(question)]])
        search = lm.model.generate(
            ids, attention_mask=torch.ones_like(ids), num_beams=k, num_return_sequences=k, max_new_tokens=1,
            do_sample=False, eos_token_id=None, pad_token_id=0,
        )  # fmt: skip
        assert search[:, -1].tolist() == first


def test_unit_check_08_answer_span_against_two_common_bugs(kit):
    words = ["Q", "The", " answer", " is", " 8", ".", "x"]
    path = {"Q": "The", "The": " answer", " answer": " is", " is": " 8", " 8": ".", ".": "</s>"}
    table = {}
    for word, following in path.items():
        chance = 0.95 if following == " 8" else 0.55
        table[word] = {following: math.log(chance), "x": math.log(1 - chance)}
    lm = kit.table_lm(kit.word_tokenizer(words), table)
    records = cot_decoding.branch_decode(lm, [lm.encode("Q")], ["q"], k=1, max_new_tokens=10)
    branches = cot_decoding.score_branches(records, kit.tasks["number"], lm.tokenizer, gold={"q": "8"})
    row = branches.iloc[0]
    assert (row.text, row.answer, row.span.tolist(), row.correct) == ("The answer is 8.", "8", [3], True)
    assert row.delta == pytest.approx(0.9, abs=1e-6)
    values = cot_decoding.margins(records["top1"][0], records["top2"][0], records["logprob"][0])
    whole_path, off_by_one = np.arange(6), row.span + 1
    assert cot_decoding.delta(values, whole_path) == pytest.approx(1.4 / 6, abs=1e-6)
    assert cot_decoding.delta(values, off_by_one) == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "text", "value", "characters"),
    [
        ("number", "It costs $60.00", "60", "60.00"),
        ("number", "1,200", "1200", "1,200"),
        ("number", "The answer is 8.", "8", "8"),
        ("number", "3-2", "2", "2"),
        ("number", "x = -9", "-9", "-9"),
        ("number", "12 of 30", "30", "30"),
        ("parity", "Even, oddly", "even", "Even"),
        ("parity", "even or Odd.", "odd", "Odd"),
    ],
)
def test_unit_check_09_spans_of_answers(kit, kind, text, value, characters):
    row = scored(kit, [(text, 0.5)], value, kind).iloc[0]
    start = text.rindex(characters)
    assert (row.answer, row.correct) == (value, True)
    assert row.span.tolist() == list(range(start, start + len(characters)))


def test_unit_check_09_no_number_and_shared_tokens(kit):
    row = scored(kit, [("Five", 0.5)], "5").iloc[0]
    assert (row.answer, row.excluded, row.span.tolist()) == (None, "no answer", [])
    offsets = np.array([[0, 4], [4, 7], [7, 9], [9, 9]])  # "cost" " $6" "0." </s>
    assert spans.answer_span(offsets, 6, 8).tolist() == [1, 2]


def test_unit_check_10_batch_order_and_padding_change_nothing(kit):
    lm = kit.random_lm(kit.word_tokenizer([*"0123456789", *"ab +-", "."]), seed=1)
    prompts = {"p0": [3, 5], "p1": [4, 4, 9, 2, 6, 7, 3], "p2": [8], "p3": [2, 9, 9, 1]}
    gold = dict.fromkeys(prompts, "1")

    def run(names):
        wanted = [prompts[name] for name in names]
        records = cot_decoding.branch_decode(lm, wanted, names, k=5, max_new_tokens=12)
        branches = cot_decoding.score_branches(records, kit.tasks["number"], lm.tokenizer, gold=gold)
        return records, branches

    records, together = run(list(prompts))
    assert together["answer"].notna().sum() >= 10
    assert (records["finish"] == "eos").any()
    for names in ([name] for name in prompts):
        alone_records, alone = run(names)
        same = together["question"] == names[0]
        for one, many in zip(alone_records["tokens"], records["tokens"][same], strict=True):
            assert one.tolist() == many.tolist()
        expected = together["delta"][same].to_numpy()
        assert alone["delta"].to_numpy() == pytest.approx(expected, abs=1e-5, nan_ok=True)
    _, turned = run(list(prompts)[::-1])
    both = together.merge(turned, on=["question", "branch"], suffixes=("", "_turned"))
    assert both["answer"].tolist() == both["answer_turned"].tolist()
    assert both["delta"].to_numpy() == pytest.approx(both["delta_turned"].to_numpy(), abs=1e-5, nan_ok=True)
    for tokens, span in zip(records["tokens"], together["span"], strict=True):
        assert 0 not in tokens[span], "the end of sequence is never in a span"


@given(
    chances=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8),
    policy=st.sampled_from(["shared", "signed", "prob", "zero", "skip"]),
    forced_share=st.floats(0, 1),
)
@settings(max_examples=100, deadline=None)
def test_unit_check_11_delta_is_bounded(chances, policy, forced_share):
    top1 = np.array([a for a, _ in chances])
    top2 = np.array([a * b for a, b in chances])
    own = np.maximum(top1 * forced_share, 1e-12)
    value = cot_decoding.delta(cot_decoding.margins(top1, top2, np.log(own), policy), np.arange(len(top1)))
    assert math.isnan(value) or (-1 if policy == "signed" else 0) <= value <= 1 + 1e-9
    assert not math.isnan(value) or (policy == "skip" and len(top1) == 1)


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_unit_check_11_totals_are_bounded_by_the_branches(kit, rows):
    branches = scored(kit, [(str(answer), value) for answer, value in rows], "1")
    table = cot_decoding.votes(branches)
    assert (table["score"] <= len(rows) + 1e-6).all()
    assert table["score"].sum() == pytest.approx(branches["delta"].sum(), abs=1e-6)


def test_unit_check_11_prefixes_equal_separate_runs(kit):
    lm = kit.random_lm(kit.word_tokenizer([*"0123456789", *"ab"]), seed=1)
    prompts, names = [[3, 5], [4, 4, 9], [8]], ["a", "b", "c"]
    gold = dict.fromkeys(names, "1")

    def run(k):
        records = cot_decoding.branch_decode(lm, prompts, names, k=k, max_new_tokens=10)
        return cot_decoding.score_branches(records, kit.tasks["number"], lm.tokenizer, gold=gold)

    full = run(6)
    for k in range(1, 7):
        for method in (cot_decoding.select, cot_decoding.vote, cot_decoding.majority):
            prefix, separate = method(cot_decoding.first_k(full, k)), method(run(k))
            pd.testing.assert_frame_equal(prefix, separate, atol=1e-5)


def test_unit_check_12_yes_no_masses(kit):
    from replication.decoding import continuation
    from replication.tasks.extraction import yes_no_masses

    chances = {"yes": 0.3, "Yes": 0.2, "true": 0.1, "no": 0.25, " No": 0.05, "maybe": 0.1}
    tokenizer = kit.word_tokenizer(list(chances))
    logits = torch.full((len(tokenizer),), -1e4)
    for word, chance in chances.items():
        logits[tokenizer.get_vocab()[word]] = math.log(chance)
    yes, no = continuation.masses(logits, continuation.polarity_ids(tokenizer))
    assert (yes, no) == (pytest.approx(0.6, abs=1e-6), pytest.approx(0.3, abs=1e-6))
    assert yes_no_masses({"yes": yes, "no": no}) == ("yes", pytest.approx(0.3, abs=1e-6))


def test_all_branches_at_once_equal_one_by_one(kit):
    rng = np.random.default_rng(0)
    texts = ["12+5=17. The answer is 17.", "14", "none", "It has 3,000 or so.", "5 6 7"]
    rows = []
    for branch, text in enumerate(texts):
        top1 = rng.uniform(0.5, 1, len(text) + 1)
        extra = {"logprob": np.log(top1 * 0.8), "entropy": rng.uniform(0, 2, len(top1))}
        rows.append(kit.path(text, branch, top1=top1, top2=(1 - top1) * 0.7, **extra))
    frame = kit.frame(*rows)
    for policy in cot_decoding.CHOICES["first_token_margin"]:
        rules = Rules(first_token_margin=policy)
        branches = cot_decoding.score_branches(
            frame, kit.tasks["number"], kit.characters, rules, gold={"q": "14"}
        )
        for row, record in zip(branches.itertuples(), rows, strict=True):
            values = cot_decoding.margins(record["top1"], record["top2"], record["logprob"], policy)
            assert row.delta == pytest.approx(cot_decoding.delta(values, row.span), nan_ok=True, abs=1e-12)
            if row.span.size:
                assert row.mean_top1 == pytest.approx(record["top1"][row.span].mean())
                assert row.neg_entropy == pytest.approx(-record["entropy"][row.span].mean())
            assert row.logprob_sum == pytest.approx(record["logprob"].sum(), rel=1e-5)
            assert row.logprob_mean == pytest.approx(record["logprob"].mean(), rel=1e-5)
            assert row.length == len(record["tokens"])


def test_log_probabilities_with_and_without_first_token_and_end(kit):
    logprob = [-1.0, -2.0, -4.0, -8.0]
    frame = kit.frame(kit.path("5 6", logprob=logprob))
    sums = {}
    for first in (True, False):
        for end in (True, False):
            rules = Rules(count_first_token=first, count_end=end)
            row = cot_decoding.score_branches(
                frame, kit.tasks["number"], kit.characters, rules, gold={"q": "6"}
            ).iloc[0]
            sums[first, end] = (row.logprob_sum, row.logprob_mean)
    assert sums[True, True] == (-15, -3.75)
    assert sums[True, False] == (-7, pytest.approx(-7 / 3))
    assert sums[False, True] == (-14, pytest.approx(-14 / 3))
    assert sums[False, False] == (-6, -3)


def test_branching_later_forces_the_token_of_that_step(kit):
    path = kit.path("85", top1=[0.9, 0.4, 1], top2=[0.1, 0.3, 0], logprob=np.log([0.9, 0.2, 1]))
    frame = kit.frame(path).assign(branch_step=1)
    rules = Rules(first_token_margin="signed")
    task, gold = kit.tasks["number"], {"q": "85"}
    row = cot_decoding.score_branches(frame, task, kit.characters, rules, gold=gold).iloc[0]
    assert row.delta == pytest.approx((0.8 - 0.2) / 2)
    assert row.first_logprob == pytest.approx(math.log(0.2))


def test_each_exclusion_can_be_switched_off_and_is_counted(kit):
    rows = [kit.path("Is it 4?", 0), kit.path("", 1), kit.path("7 7 7", 2, finish="length"), kit.path("8", 3)]
    frame = kit.frame(*rows)

    def reasons(**rules):
        branches = cot_decoding.score_branches(
            frame, kit.tasks["number"], kit.characters, Rules(**rules), gold={"q": "8"}
        )
        return cot_decoding.exclusions(branches).to_dict()

    assert reasons() == {"question": 1, "empty": 1, "unfinished": 1, "kept": 1}
    assert reasons(exclude_question=False) == {"empty": 1, "unfinished": 1, "kept": 2}
    assert reasons(exclude_unfinished=False) == {"question": 1, "empty": 1, "kept": 2}
    assert reasons(exclude_empty=False) == {"question": 1, "no answer": 1, "unfinished": 1, "kept": 1}


def test_ties_go_to_the_smaller_branch_by_default(kit):
    rows = [("5", 0.3), ("7", 0.6), ("8", 0.6), ("5", 0.3)]
    branches = scored(kit, rows, "7")
    assert cot_decoding.select(branches).iloc[0].answer == "7"
    assert cot_decoding.vote(branches).iloc[0].answer == "5"
    other = Rules(ties="larger branch")
    assert cot_decoding.select(branches, other).iloc[0].answer == "8"
    assert cot_decoding.vote(branches, other).iloc[0].branch == 3
    even = scored(kit, [("8", 0.5), ("5", 0.5)], "5")
    assert cot_decoding.majority(even).iloc[0].answer == "8"
    assert cot_decoding.majority(even, other).iloc[0].answer == "5"


def test_a_question_whose_branches_are_all_excluded(kit):
    frame = kit.frame(
        kit.path("Is it 4?", 0),
        kit.path("Is it 5?", 1),
        kit.path("9", 0, question="r"),
        kit.path("none?", 0, question="s"),
    )
    branches = cot_decoding.score_branches(
        frame, kit.tasks["number"], kit.characters, gold={"q": "4", "r": "9", "s": "1"}
    )
    for method in (cot_decoding.select, cot_decoding.vote, cot_decoding.majority):
        greedy = method(branches)
        assert greedy["question"].tolist() == ["q", "r", "s"]
        assert greedy["answer"].tolist() == ["4", "9", None]
        assert greedy["correct"].tolist() == [True, True, False]
        assert greedy["branch"].tolist() == [0, 0, 0]
        assert greedy["score"].isna().tolist() == [True, False, True]
        wrong = method(branches, Rules(fallback="wrong"))
        assert wrong["answer"].tolist() == [None, "9", None]
        assert wrong["correct"].tolist() == [False, True, False]
        assert wrong["branch"].tolist() == [-1, 0, -1]


def test_no_branch_of_any_question_takes_part(kit):
    branches = scored(kit, [("none", 0.5), ("none", 0.5)], "4")
    for rules in (Rules(), Rules(fallback="wrong")):
        assert cot_decoding.select(branches, rules)["answer"].tolist() == [None]
        assert cot_decoding.vote(branches, rules)["correct"].tolist() == [False]


def test_greedy_is_not_filtered(kit):
    branches = scored(kit, [("Is it 4?", 0.1), ("9", 0.5)], "4")
    row = answers.greedy(branches).iloc[0]
    assert (row.answer, row.branch, row.correct) == ("4", 0, True)


def test_other_rankings_see_the_same_branches(kit):
    frame = kit.frame(
        kit.path("5", 0, 0.2, logprob=[-0.1, -0.1]),
        kit.path("12 8", 1, 0.9, logprob=[-1.0, -0.01, -0.01, -0.01, -0.01]),
        kit.path("Is it 2?", 2, 1.0, logprob=[0.0] * 9),
    )
    branches = cot_decoding.score_branches(frame, kit.tasks["number"], kit.characters, gold={"q": "8"})
    picked = {
        score: cot_decoding.select(branches, Rules(score=score)).iloc[0].answer
        for score in cot_decoding.SCORES
    }
    assert picked == {
        "delta": "8",
        "mean_top1": "8",
        "neg_entropy": "5",
        "logprob_sum": "5",
        "logprob_mean": "5",
        "length": "8",
    }


def test_shuffled_scores_stay_within_question_and_eligible_branches(kit):
    rows = [(str(place), place / 10) for place in range(1, 8)] + [("Is it 2?", 0.99)]
    two = pd.concat([scored(kit, rows, "7"), scored(kit, rows, "7").assign(question="r")], ignore_index=True)
    shuffled = cot_decoding.shuffle_scores(two, seed=5)
    for _, part in shuffled.groupby("question"):
        assert sorted(part["delta"].round(6)) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.99]
        assert part["delta"].iloc[-1] == pytest.approx(0.99)
    assert shuffled["delta"].tolist() != two["delta"].tolist()
    lone = cot_decoding.shuffle_scores(two[two["question"] == "r"], 5)
    assert lone["delta"].tolist() == shuffled["delta"][shuffled["question"] == "r"].tolist()
    assert cot_decoding.shuffle_scores(two, 6)["delta"].tolist() != shuffled["delta"].tolist()


def test_shuffling_makes_the_max_path_a_random_branch(kit):
    rows = [("1", 0.9), *((str(place), 0.1) for place in range(2, 6))]
    one = scored(kit, rows, "1")
    many = pd.concat([one.assign(question=f"q{place}") for place in range(400)], ignore_index=True)
    assert cot_decoding.select(many)["correct"].mean() == 1
    shuffled = cot_decoding.select(cot_decoding.shuffle_scores(many, 0))
    assert shuffled["correct"].mean() == pytest.approx(0.2, abs=0.07)


@pytest.mark.parametrize(
    ("detector", "text", "answer", "expected"),
    [
        ("in_numbers", "First, 12+5=17. The answer is 17.", "17.", True),
        ("in_numbers", "She has 3 x $4 = $12. So 12", "12", True),
        ("in_numbers", "12+5=17", "17", False),
        ("in_numbers", "The answer is 17 because 12+5=17", "17 because", False),
        ("in_words", "The answer is even", "even", False),
        ("in_words", "Born in 1964, an even year.", "even", True),
        ("in_words", "The coin is flipped. So yes", "yes", True),
        ("in_words", "Even.", "Even", False),
    ],
)
def test_detectors_of_reasoning(detector, text, answer, expected):
    assert getattr(reasoning, detector)(text, text.rindex(answer)) is expected


def test_a_detector_can_be_given(kit):
    frame = kit.frame(kit.path("long way to 5"), kit.path("5", 1))
    branches = cot_decoding.score_branches(
        frame, kit.tasks["number"], kit.characters, gold={"q": "5"}, has_cot=lambda text, start: start > 5
    )
    assert branches["has_cot"].tolist() == [True, False]


@pytest.mark.parametrize(("field", "value"), [("span", "first"), ("score", "margin"), ("ties", "random")])
def test_unknown_rules_are_refused(field, value):
    with pytest.raises(InputError, match=f"Rules needs {field} in .*, got '{value}'"):
        Rules(**{field: value})


def test_first_k_needs_a_branch(kit):
    with pytest.raises(InputError, match="k >= 1"):
        cot_decoding.first_k(scored(kit, [("5", 0.5)], "5"), 0)


def test_an_empty_frame_scores_to_an_empty_frame(kit):
    empty = kit.frame(kit.path("5")).iloc[:0]
    branches = cot_decoding.score_branches(empty, kit.tasks["number"], kit.characters, gold={})
    assert len(branches) == 0
    assert set(cot_decoding.SCORES) <= set(branches.columns)
    assert set(ranking.COLUMNS) <= set(branches.columns)
