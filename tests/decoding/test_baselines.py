"""The decoders of Tables 3 and 4."""

import math

import numpy as np
import pytest

from replication.decoding import baselines
from replication.settings import InputError

CHANCES = (0.4, 0.3, 0.15, 0.1, 0.05)


@pytest.fixture(scope="module")
def lm(kit):
    """Answers "1" to "5" with the chances above, then ends."""
    table = {"Q": {str(place + 1): math.log(chance) for place, chance in enumerate(CHANCES)}}
    table |= {digit: {"</s>": 0.0} for digit in "12345"}
    return kit.table_lm(kit.word_tokenizer(["Q", *"12345"]), table)


def shares(lm, name, **options):
    records = baselines.decode(lm, name, [lm.encode("Q")], ["q"], max_new_tokens=3, samples=2000, **options)
    assert records["finish"].eq("eos").all()
    return np.array([(records["text"] == digit).mean() for digit in "12345"])


def renormalised(weights):
    return np.array(weights) / sum(weights)


@pytest.mark.parametrize(
    ("name", "options", "weights"),
    [
        ("temperature", {}, [chance ** (1 / 0.7) for chance in CHANCES]),
        ("temperature", {"value": 1.0}, CHANCES),
        ("top-k", {}, CHANCES),
        ("top-k", {"k": 2}, [0.4, 0.3, 0, 0, 0]),
        ("top-p", {}, [0.4, 0.3, 0.15, 0.1, 0]),
        ("self-consistency", {}, [chance ** (1 / 0.7) for chance in CHANCES]),
    ],
)
def test_samplers_draw_from_the_processed_distribution(lm, name, options, weights):
    found = shares(lm, name, **options)
    assert found == pytest.approx(renormalised(weights), abs=0.04)
    assert (found[np.array(weights) == 0] == 0).all()


@pytest.mark.parametrize("name", ["greedy", "beam"])
def test_greedy_and_beam_take_the_likeliest(lm, name):
    records = baselines.decode(lm, name, [lm.encode("Q")] * 2, ["q", "r"], max_new_tokens=3)
    assert records["text"].tolist() == ["1", "1"]
    assert records["question"].tolist() == ["q", "r"]


def test_beam_finds_a_path_that_greedy_misses(kit):
    table = {
        "Q": {"a": math.log(0.6), "b": math.log(0.4)},
        "a": dict.fromkeys("12345", math.log(0.2)),
        "b": {"5": 0.0},
        **{digit: {"</s>": 0.0} for digit in "12345"},
    }
    lm = kit.table_lm(kit.word_tokenizer(["Q", *"ab12345"]), table)
    texts = {
        name: baselines.decode(lm, name, [lm.encode("Q")], ["q"], max_new_tokens=4)["text"][0]
        for name in ("greedy", "beam")
    }
    assert texts == {"greedy": "a1", "beam": "b5"}


def test_seeds_and_samples_are_independent_draws(lm):
    def texts(seed):
        options = {"max_new_tokens": 3, "samples": 40}
        records = baselines.decode(lm, "temperature", [lm.encode("Q")], ["q"], seed=seed, **options)
        return records["text"].tolist()

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)
    assert len(set(texts(1))) > 1


def test_self_consistency_counts_answers_and_the_first_of_equals_wins(kit):
    paths = ["none", "7", "8", "It is 8", "7.", "9"]
    frame = kit.frame(
        *(kit.path(text, place) for place, text in enumerate(paths)),
        kit.path("none", 0, question="r"),
    )
    result = baselines.majority(frame, kit.tasks["number"], {"q": "7", "r": "1"})
    assert result["answer"].tolist() == ["7", None]
    assert result["score"].tolist() == pytest.approx([2.0, math.nan], nan_ok=True)
    assert result["branch"].tolist() == [1, -1]
    assert result["correct"].tolist() == [True, False]


def test_ten_paths_by_default():
    arguments = baselines.self_consistency()
    assert arguments["branches"] == 10
    assert arguments["processors"][0].temperature == 0.7
    assert baselines.top_k()["processors"][0].top_k == 10
    assert baselines.top_p()["processors"][0].top_p == 0.9


def test_an_unknown_decoder_is_refused(lm):
    with pytest.raises(InputError, match=r"Unknown decoder 'nucleus': choose one of greedy, .*, beam"):
        baselines.decode(lm, "nucleus", [[1]], max_new_tokens=1)
