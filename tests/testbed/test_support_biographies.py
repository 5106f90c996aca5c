"""True next tokens of biographies, against a small world whose documents are all listed."""

import math
import random
from collections import Counter, defaultdict

import pytest
from scipy.stats import chisquare

from replication.settings import InputError
from replication.testbed import corpus, parity, support
from replication.testbed.support_biographies import Reader
from replication.testbed.support_trie import Coder


@pytest.fixture
def village(monkeypatch):
    """A small world, in which every document of biographies can be listed."""
    people = parity.PEOPLE[:2]
    monkeypatch.setattr(parity, "PEOPLE", people)
    monkeypatch.setattr(parity, "TOWNS", ["Alden", "Carlow"])
    monkeypatch.setattr(parity, "JOBS", ["baker"])
    births = (
        "{name} was born in {year}.",
        "Born in {year}, {name} grew up in {town}.",
        "The {job} {name} was born in {year}.",
    )
    monkeypatch.setattr(parity, "_BIRTHS", births)
    monkeypatch.setattr(parity, "_REMARKS", ("{name} lives in {town}.", "People in {town} like {name}."))
    monkeypatch.setattr(corpus, "MOST_LIVES", 2)
    return people


def lives_of(person):
    """List the biographies of a person with their probabilities, from the generator's description."""
    found = defaultdict(float)
    for town in parity.TOWNS:
        for birth in parity._BIRTHS:
            bodies = [((birth,), 0.6)]
            for remark in parity._REMARKS:
                bodies += [((remark, birth), 0.4 / 4), ((birth, remark), 0.4 / 4)]
            for body, p in bodies:
                for frames, q in ((body, 0.9), ((*body, "{name} was born in {year}."), 0.1)):
                    text = " ".join(frames).format(name=person.name, year=person.year, town=town, job="baker")
                    found[text] += p * q / len(parity._BIRTHS) / len(parity.TOWNS)
    return found


@pytest.fixture
def listed(village):
    """Every document of the small world with its probability."""
    one, two = (lives_of(person) for person in village)
    documents = defaultdict(float)
    for first, second in ((one, two), (two, one)):
        for text, p in first.items():
            documents[text] += p / 4
            for other, q in second.items():
                documents[f"{text} {other}"] += p * q / 4
    return documents


def test_told_probabilities_are_those_of_the_listed_documents(core, listed):
    """Behind every prefix the mass of the listed documents is compared with what is told."""
    assert sum(listed.values()) == pytest.approx(1)
    coder = Coder(core)
    mass, ids_of = defaultdict(float), {text: coder.document(text) for text in listed}
    for text, ids in ids_of.items():
        for end in range(1, len(ids) + 1):
            mass[ids[:end]] += listed[text]
    reader, rng, seen = Reader(coder), random.Random(2), set()
    for _ in range(200):
        text = corpus.lives(rng).text
        ids = ids_of[text]
        for position in reader.positions(text, ids):
            prefix = ids[: position.index]
            seen.add(prefix)
            assert position.probabilities == pytest.approx(
                {token: mass[(*prefix, token)] / mass[prefix] for token in position.probabilities}
            )
            assert sum(mass[(*prefix, t)] for t in position.probabilities) == pytest.approx(mass[prefix])
    assert len(seen) > 500


def test_documents_are_drawn_as_listed(listed):
    rng, n = random.Random(5), 20_000
    drawn = Counter(corpus.lives(rng).text for _ in range(n))
    assert set(drawn) <= set(listed)
    usual = [text for text, p in listed.items() if n * p >= 15]
    assert len(usual) > 50
    assert set(usual) <= set(drawn)
    counts = [drawn[text] for text in usual] + [n - sum(drawn[text] for text in usual)]
    expected = [n * listed[text] for text in usual]
    assert chisquare(counts, [*expected, n - sum(expected)]).pvalue > 1e-4


@pytest.fixture(scope="module")
def texts(core):
    return support.sample(core, "biographies", 150, seed=3)


def test_some_places_may_be_followed_by_many_tokens(texts):
    entropies = [
        -sum(p * math.log(p) for p in position.probabilities.values())
        for text in texts
        for position in text.positions
    ]
    assert max(entropies) > 2.5
    assert sum(entropy == 0 for entropy in entropies) > len(entropies) / 2


def test_one_to_three_persons_in_a_text(core, texts):
    told = [core.decode(text.ids[1:-1]) for text in texts]
    counts = Counter(sum(person.name in text for person in parity.PEOPLE) for text in told)
    assert set(counts) == {1, 2, 3}


def test_places_whose_text_may_be_of_another_kind_are_left_out(core, texts):
    for text in texts:
        prefix = core.decode(text.ids[1 : text.positions[0].index])
        assert prefix
        assert not any(other.startswith(prefix) for other in ("Q: ", "Problem: ", "Posts: ", "All rights"))
    assert min(text.positions[0].index for text in texts) == 2


def test_a_text_that_is_no_biography_is_refused(core):
    coder = Coder(core)
    text = f"{parity.PEOPLE[0].name} was born in 1066."
    assert parity.PEOPLE[0].year != 1066
    with pytest.raises(InputError, match="follow none"):
        Reader(coder).positions(text, coder.document(text))
