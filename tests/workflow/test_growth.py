"""Terms of growth, and the files that state them for every paper."""

import pytest

from replication import papers
from replication.settings import InputError
from replication.workflow import discovery, growth
from replication.workflow.growth import Growth
from replication.workflow.ledger import Entry

BEFORE = {"n": 10, "k": 2, "seeds": 1, "steps": 20, "models": "a", "cells": 2, "every": 1}
AFTER = {"n": 40, "k": 6, "seeds": 3, "steps": 1000, "models": "a b", "cells": 4, "every": 6}


@pytest.mark.parametrize(
    ("term", "wanted"),
    [
        ("n", 4),
        ("n * k", 12),
        ("n * 1 * seeds", 12),
        ("n * seeds / every", 2),
        ("steps<160", 8),  # no more than 160 of the 1,000 are taken
        ("models", 2),
        ("n * cells", 8),
        ("1", 1),
        ("k * (1 + n / 10)", (6 * 5) / (2 * 2)),
        ("(n + k) * (seeds + 1) / 2", (46 * 4) / (12 * 2)),
    ],
)
def test_terms(term, wanted):
    assert growth.ratio(term, BEFORE, AFTER) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("m * k", "'m'"),
        ("n - k", "no term"),
        ("n k", "no term"),
        ("", "no factor"),
        ("n *", "no factor"),
        ("(n", "not closed"),
    ],
)
def test_wrong_terms_are_refused(term, message):
    with pytest.raises(InputError, match=message):
        growth.product(term, BEFORE)


def test_empty_texts_and_zeros_count_as_one():
    assert growth.product("models * steps", {"models": "", "steps": 0}) == 1


def test_stage_of_paths_is_known_by_its_numbers():
    own = Growth(asked=("n * k", "n * 1 * seeds"))
    assert own.term(Entry("sample", questions=10, paths=2), "generated", BEFORE) == "n * k"
    assert own.term(Entry("sample", questions=10, paths=1), "generated", BEFORE) == "n * 1 * seeds"
    assert own.term(Entry("sample", questions=10, paths=7), "generated", BEFORE) == "n"
    assert own.term(Entry("sample", questions=3, paths=2), "generated", BEFORE) == "1"


def test_patterns_come_first_and_may_tell_kinds_apart():
    grows = {"dpo*": {"trained": "steps"}, "other": "seeds"}
    own = Growth(asked=("n * k",), grows=grows, models={"big*": "large"})
    assert own.term(Entry("dpo", questions=10, paths=2), "trained", BEFORE) == "steps"
    assert own.term(Entry("dpo", questions=10, paths=2), "read", BEFORE) == "n * k"
    assert own.term(Entry(""), "read", BEFORE) == "seeds"
    assert (own.role(Entry("bigger")), own.role(Entry("dpo"))) == ("large", "main")


@pytest.mark.parametrize("key", papers.names())
def test_every_paper_with_notebooks_states_its_growth_in_sizes_that_it_has(key):
    if key not in {one.paper for one in discovery.notebooks()}:
        pytest.skip("the paper has no notebooks")
    own = growth.load(key)
    terms = [*own.asked]
    for term in own.grows.values():
        terms += [term] if isinstance(term, str) else term.values()
    for profile in papers.load(key).profiles:
        sizes = growth.sizes_of(key, profile, own.worlds, testbed=True)
        assert all(growth.product(term, sizes) > 0 for term in terms)
        assert {own.model, *own.models.values()} - {growth.MAIN} <= set(sizes)


def test_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cot_decoding\.toml"):
        growth.load("cot_decoding", tmp_path)
    (tmp_path / "cot_decoding.toml").write_text("speed = 3\n")
    with pytest.raises(InputError, match=r"cot_decoding\.toml of the costs cannot be read"):
        growth.load("cot_decoding", tmp_path)
