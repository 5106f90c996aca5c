"""Lines around a page's text: fixed phrases, and numbers that nobody can guess."""

import random
import re
from collections import Counter

import pytest

from replication.testbed import furniture, lexicon

# What stands before and behind the unpredictable part of a line.
COUNTERS = {
    "Posts: ": r"\d{1,4}",
    "Last edited: ": r"\d{1,2}/\d{1,2}/20[12]\d \d{1,2}:\d\d",
    "Re: homework help #": r"\d{5,6}",
    "Posted by ": r"[A-Z][A-Za-z' -]+",
    "": r"[a-z]{5,10}",
}


@pytest.fixture(scope="module")
def lines():
    rng = random.Random(1)
    return [furniture.line(rng) for _ in range(2000)]


def test_a_line_ends_once_and_has_no_empty_piece(lines):
    for pieces in lines:
        text = "".join(text for text, _ in pieces)
        assert text.count("\n") == 1
        assert text.endswith("\n")
        assert all(text for text, _ in pieces)
        assert {label for _, label in pieces} <= {furniture.BOILERPLATE, furniture.RANDOM}


def test_fixed_lines_are_boilerplate_and_half_of_all(lines):
    fixed = [pieces for pieces in lines if len(pieces) == 1]
    assert len(fixed) / len(lines) == pytest.approx(0.5, abs=0.04)
    found = Counter(text.rstrip("\n") for ((text, label),) in fixed if label == furniture.BOILERPLATE)
    assert set(found) == set(furniture.FIXED)
    assert sum(found.values()) == len(fixed)
    assert min(found.values()) > 0.5 * max(found.values())


def test_only_the_unpredictable_part_is_random(lines):
    seen = Counter()
    for pieces in lines:
        if (random_parts := [text for text, label in pieces if label == furniture.RANDOM]) == []:
            continue
        (value,) = random_parts
        before = pieces[0][0] if pieces[0][1] == furniture.BOILERPLATE else ""
        assert re.fullmatch(COUNTERS[before], value), pieces
        assert pieces[-1] == (".\n" if before == "Posted by " else "\n", furniture.BOILERPLATE)
        seen[before] += 1
        if before == "Posted by ":
            assert value in lexicon.NAMES
    assert set(seen) == set(COUNTERS)
    assert min(seen.values()) > 0.6 * max(seen.values())


def test_random_parts_do_not_repeat(lines):
    codes = [text for pieces in lines for text, label in pieces if label == furniture.RANDOM]
    assert Counter(codes).most_common(1)[0][1] <= 8


def test_a_page_has_two_to_five_lines():
    rng = random.Random(2)
    pages = [furniture.page(rng) for _ in range(300)]
    assert {page.count("\n") + 1 for page in pages} == {2, 3, 4, 5}
    assert not any(page.endswith("\n") for page in pages)


def test_the_same_seed_gives_the_same_lines():
    assert furniture.page(random.Random(3)) == furniture.page(random.Random(3))
    assert furniture.page(random.Random(3)) != furniture.page(random.Random(4))
