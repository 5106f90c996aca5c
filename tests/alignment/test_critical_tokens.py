import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.alignment.critical_tokens import (
    CriticalToken,
    Walk,
    critical_token,
    tolerated,
    upper_bound,
)
from replication.settings import InputError

SIZES = (1, 8, 16, 20, 21, 32, 64)


def by_definition(counts, n):
    """Conditions (i) and (ii) as they are written."""
    for t, count in enumerate(counts):
        if count == 0 and all(later / n < 0.05 for later in counts[t + 1 :]):
            return t
    return None


def walked(counts, n, fallback):
    walk = Walk(n, fallback)
    for index in reversed(range(len(counts))):
        if walk.settled:
            break
        walk.add(index, counts[index])
    return walk.found


@st.composite
def scans(draw):
    n = draw(st.sampled_from(SIZES))
    near = st.one_of(st.integers(0, n), st.integers(0, min(n, 2 * tolerated(n) + 1)), st.just(0))
    return draw(st.lists(near, max_size=12)), n


@pytest.mark.parametrize(
    ("counts", "index", "rule"),
    [
        ([40, 30, 0, 2, 0, 5, 0, 1, 0], 6, "strict"),
        ([10, 0, 0, 3, 2], 1, "strict"),
        ([10, 0, 4, 2, 1], 1, "fallback"),
        ([9, 0, 3, 0], 1, "strict"),
        ([9, 0, 4, 0], 3, "strict"),
        ([0, 9, 0, 4, 1, 5, 2], 2, "fallback"),
    ],
)
def test_worked_examples(counts, index, rule):
    assert critical_token(counts, 64) == (index, rule)
    assert walked(counts, 64, True) == (index, rule)
    strict = (index, rule) if rule == "strict" else None
    assert critical_token(counts, 64, fallback=False) == strict


@pytest.mark.parametrize("counts", [[5, 4, 3], [], [1]])
def test_responses_without_a_critical_token(counts):
    assert critical_token(counts, 64) is None
    assert walked(counts, 64, True) is None


@given(scans())
def test_the_scan_finds_what_the_definition_says(scan):
    counts, n = scan
    wanted = by_definition(counts, n)
    found = critical_token(counts, n)
    assert critical_token(counts, n, fallback=False) == (
        None if wanted is None else CriticalToken(wanted, "strict")
    )
    if wanted is not None:
        assert found == (wanted, "strict")
    elif found is not None:
        assert found.rule == "fallback"
        assert counts[found.index] == 0


@given(scans(), st.booleans())
def test_the_walk_from_the_end_finds_the_same_token(scan, fallback):
    counts, n = scan
    assert walked(counts, n, fallback) == critical_token(counts, n, fallback)
    # A position above the tolerance may stop counting there.
    limit = tolerated(n)
    assert walked([min(c, limit + 1) for c in counts], n, fallback) == critical_token(counts, n, fallback)


@given(scans(), st.integers(0, 64), st.booleans())
def test_a_settled_walk_cannot_change(scan, first, fallback):
    counts, n = scan
    walk = Walk(n, fallback)
    for index in reversed(range(len(counts))):
        walk.add(index, counts[index])
    if walk.settled:
        before = walk.found
        walk.add(-1, min(first, n))
        assert walk.found == before


def test_tolerated_counts_and_bounds():
    assert [tolerated(n) for n in (1, 8, 16, 20, 21, 32, 64, 128)] == [0, 0, 0, 0, 1, 1, 3, 6]
    assert [round(100 * upper_bound(n), 1) for n in (16, 32, 64)] == [17.1, 8.9, 4.6]


@given(st.integers(1, 3000))
def test_tolerated_is_the_largest_below_five_percent(n):
    assert 20 * tolerated(n) < n <= 20 * (tolerated(n) + 1)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tolerated(0), "n >= 1"),
        (lambda: Walk(0), "n >= 1"),
        (lambda: critical_token([1, 9], 8), "0..8, got 9"),
        (lambda: critical_token([-1], 8), "got -1"),
        (lambda: Walk(4).add(0, 5), "0..4, got 5"),
        (lambda: upper_bound(16, 1.0), "confidence"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(InputError, match=says):
        call()
