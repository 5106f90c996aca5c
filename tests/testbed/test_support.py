"""The true next-token distributions, against the generators and against exhaustive enumeration."""

import math
import random
import re
from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial
from itertools import islice

import pytest
from scipy.stats import chi2

from replication.settings import InputError
from replication.testbed import corpus, models, parity, support, support_answers, support_equations, worlds
from replication.testbed import tokenizer as tokenizers
from replication.testbed.support_trie import Coder

LADDER = models.LADDER
WORLDS = ("plain", "stories", "chain", "parity", "expressions", "counting", "coins", "lies")


@pytest.fixture(scope="module", params=["shipped", "8192"])
def any_core(request):
    if request.param == "shipped":
        return tokenizers.load(models.CHECKPOINTS / "tokenizer")
    texts = (document.text for document in islice(corpus.documents(3, LADDER), 4000))
    return tokenizers.train(texts, 8192)


def surprise(texts):
    """Return how many standard errors the texts' log-probability lies beyond its expectation."""
    excess = variance = 0.0
    for text in texts:
        for position in text.positions:
            logs = {token: math.log(p) for token, p in position.probabilities.items()}
            mean = sum(math.exp(log) * log for log in logs.values())
            excess += logs[text.ids[position.index]] - mean
            variance += sum(math.exp(log) * (log - mean) ** 2 for log in logs.values())
    return excess / math.sqrt(variance)


def p_value(groups):
    """Return the p-value of a chi-square test over (counts, probabilities) pairs, rare cells pooled."""
    statistic, freedom = 0.0, 0
    for counts, probabilities in groups:
        assert set(counts) <= set(probabilities), "drawn, but not in the support"
        n = sum(counts.values())
        cells = [(counts[x], n * p) for x, p in probabilities.items() if n * p >= 5]
        rest = [(counts[x], n * p) for x, p in probabilities.items() if n * p < 5]
        if rest:
            cells.append((sum(c for c, _ in rest), sum(e for _, e in rest)))
        cells = [cell for cell in cells if cell[1] >= 5]
        statistic += sum((c - e) ** 2 / e for c, e in cells)
        freedom += max(len(cells) - 1, 0)
    assert freedom > 0
    return chi2.sf(statistic, freedom)


def by_prefix(read, texts):
    """Return, per token prefix, the counts of the next token and its probabilities."""
    counts, truth = defaultdict(Counter), {}
    for ids, n in texts.items():
        for position in read(ids):
            prefix = ids[: position.index]
            counts[prefix][ids[position.index]] += n
            assert truth.setdefault(prefix, position.probabilities) == pytest.approx(position.probabilities)
    return [(counts[prefix], truth[prefix]) for prefix in truth]


@pytest.mark.parametrize("kind", support.KINDS)
def test_probabilities_are_distributions_up_to_the_end(any_core, kind):
    texts = support.sample(any_core, kind, 25, seed=1)
    assert len(texts) == 25
    for text in texts:
        assert text.kind == kind
        assert text.ids == (
            *any_core.backend_tokenizer.encode(any_core.decode(text.ids[1:-1])).ids,
            text.ids[-1],
        )
        indices = [position.index for position in text.positions]
        assert indices == list(range(indices[0], len(text.ids)))
        assert indices[0] >= 1
        for position in text.positions:
            assert sum(position.probabilities.values()) == pytest.approx(1)
            assert min(position.probabilities.values()) > 0
            assert text.ids[position.index] in position.probabilities


@pytest.mark.parametrize("kind", support.KINDS)
def test_texts_are_as_likely_as_they_should_be(any_core, kind):
    assert abs(surprise(support.sample(any_core, kind, 150, seed=2))) < 4


def test_the_surprise_notices_a_wrong_truth(core):
    texts = support.sample(core, "answers", 150, seed=2)
    flat = [
        replace(
            text,
            positions=tuple(
                replace(p, probabilities=dict.fromkeys(p.probabilities, 1 / len(p.probabilities)))
                for p in text.positions
            ),
        )
        for text in texts
    ]
    assert abs(surprise(flat)) > 4


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("worked", [False, True])
def test_answers_of_one_question_come_as_often_as_told(core, world, worked):
    """Of 5,000 draws on one question none lies beside the support and every alternative turns up."""
    rng = random.Random(f"{world}/{worked}")
    problem = corpus.draw(rng, replace(LADDER, split="test", worlds=((world, 1.0),)))
    share = 0.3  # enough reasoned answers for every one of them to turn up
    make = partial(corpus.solved, rng, problem) if worked else partial(corpus.answered, rng, problem, share)
    told = support_answers.solutions(problem) if worked else support_answers.answers(problem, share)
    drawn = Counter(make() for _ in range(5000))
    answers = {document.text[document.question_end + 1 :] for document in drawn}
    assert answers == set(told)
    coder = Coder(core)
    documents = {coder.document(document.text): document for document in drawn}
    groups = by_prefix(
        lambda ids: support_answers.positions(coder, documents[ids], told, ids),
        {ids: drawn[document] for ids, document in documents.items()},
    )
    assert p_value(groups) > 1e-4


def test_the_share_of_reasoned_answers_counts(core):
    problem = worlds.sample("stories", "test", 1, seed=4, kind="plain")[0]
    assert all(text.startswith(("The", "They", problem.subject, problem.answer)) for text in
               support_answers.answers(problem, 0.0))  # fmt: skip
    for share in (0.08, 1.0):
        told = support_answers.answers(problem, share)
        reasoned = sum(p for text, p in told.items() if problem.steps[0] in text)
        assert reasoned == pytest.approx(share)
        assert sum(told.values()) == pytest.approx(1)


def test_a_subject_that_no_sentence_mentions_is_left_out():
    rng, seen = random.Random(3), Counter()
    mix = replace(LADDER, worlds=(("stories", 1.0),))
    for _ in range(1500):
        problem = corpus.draw(rng, mix)
        shown = support_answers.shows_subject(problem)
        seen[shown] += 1
        named = [text for text in corpus.direct_styles(problem)[0] if " has " in text]
        for text in named:
            who = text.split(" has ")[0].lower()
            assert (who in problem.question.lower()) >= shown
    assert seen[False] > 0
    assert seen[True] > 0.9 * seen.total()


class Changed(random.Random):
    """Replays a list of draws, one of them changed; goes on at random behind them."""

    def __init__(self, seed, tape=(), at=-1):
        super().__init__(seed)
        self.tape, self.at, self.log = tape, at, []
        self.fresh = random.Random(seed)

    def _draw(self, n):
        place = len(self.log)
        value = self.fresh.randrange(n) if n else self.fresh.random()
        if place < len(self.tape) and self.tape[place][0] == n and place != self.at:
            value = self.tape[place][1]
        self.log.append((n, value))
        return value

    def random(self):
        return self._draw(0)

    def _randbelow(self, n):
        return self._draw(n)


@pytest.mark.parametrize("world", WORLDS)
def test_the_question_decides_the_answers(world):
    """No single draw changes what may be answered and leaves the question as it is."""
    name, options = ("stories", {"kind": world}) if world in corpus.STORY_KINDS else (world, {})
    generate, same = worlds.world(name).generate, 0
    for seed in range(60):
        first = Changed(seed)
        problem = generate(first, **options)
        for at in range(len(first.log)):
            other = generate(Changed(seed + 1000 * at, first.log, at), **options)
            if other.question == problem.question:
                same += 1
                assert support_answers.solutions(other) == support_answers.solutions(problem)
                shown = support_answers.shows_subject(problem)
                assert support_answers.shows_subject(other) == shown
                if shown:
                    assert support_answers.answers(other, 0.1) == support_answers.answers(problem, 0.1)
    assert same > 20


def steps_of_a_chain(value):
    """Enumerate what may follow a value in a chain: the rules in words of their own, probabilities summed."""
    found = defaultdict(float)
    divisors = [d for d in range(2, 13) if value and value % d == 0]
    for op, share in (("+", 4 / 12), ("-", 4 / 12), ("*", 2 / 12), ("/", 2 / 12)):
        if op == "/" and divisors:
            for d in divisors:
                found[f"/{d}={value // d}"] += share / len(divisors)
        elif op == "*" and 1 <= value <= 200:
            most = min(12, 999 // value)
            for factor in range(2, most + 1):
                found[f"*{factor}={value * factor}"] += share / (most - 1)
        else:
            minus = op == "-" or value > 900
            for bound in (9, 99, 999):
                most = min(bound, value if minus else 999 - value)
                numbers = range(most + 1) if minus else range(1, most + 1)
                for x in numbers:
                    text = f"-{x}={value - x}" if minus else f"+{x}={value + x}"
                    found[text] += share / 3 / len(numbers)
    return found


def told_steps(value):
    return {
        f"{op}{right}={worlds.calculate(value, op, right)}": p * q
        for op, p in corpus.operators(value).items()
        for right, q in support_equations.rights(op, value).items()
    }


@pytest.mark.parametrize("value", [0, 1, 2, 12, 97, 100, 200, 201, 360, 899, 900, 901, 990, 999])
def test_steps_of_chains_have_the_enumerated_probabilities(value):
    told = told_steps(value)
    assert sum(told.values()) == pytest.approx(1)
    assert told == pytest.approx(steps_of_a_chain(value))


def test_chains_are_drawn_as_told():
    rng = random.Random(8)
    follows, lengths = defaultdict(Counter), Counter()
    for _ in range(20_000):
        equations = corpus.chain(rng).text.removesuffix(".").split(". ")
        lengths[len(equations)] += 1
        for equation in equations:
            value, step = re.fullmatch(r"(\d+)(.*)", equation).groups()
            follows[int(value)][step] += 1
    assert p_value((counts, told_steps(value)) for value, counts in follows.items()) > 1e-4
    left, told = 1.0, {}
    for done in range(1, 9):
        told[done] = left * support_equations.ends(done)
        left -= told[done]
    assert left == pytest.approx(0)
    assert p_value([(lengths, {done: p for done, p in told.items() if p})]) > 1e-4
    usual = {step for step, p in told_steps(6).items() if follows[6].total() * p > 12}
    assert len(usual) > 10
    assert usual <= set(follows[6])


def test_the_beginning_of_a_chain_is_left_out(core):
    for text in support.sample(core, "equations", 30, seed=4):
        assert re.fullmatch(r"\d+[-+*/]", core.decode(text.ids[1 : text.positions[0].index]))


def test_a_text_that_is_no_chain_is_refused(core):
    coder = Coder(core)
    with pytest.raises(InputError, match="starts like"):
        support_equations.positions(coder, "Tom", coder.document("Tom"))
    with pytest.raises(InputError, match="follow none"):
        support_equations.positions(coder, "1+1=3.", coder.document("1+1=3."))


def test_questions_are_of_the_split_and_distinct(core):
    for split in ("validation", "test"):
        for kind in ("answers", "worked"):
            texts = support.sample(core, kind, 40, seed=0, split=split)
            questions = [re.split(r"\nA:|\nSolution:| = ", core.decode(t.ids[1:]))[0] for t in texts]
            assert len(set(questions)) == 40
            for question in questions:
                text = re.sub(r"^(Q|Problem): ", "", question)
                people = [person for person in parity.PEOPLE if person.name in text]
                if people:
                    assert people[0] in parity.split_people(split)
                elif question.startswith(("Q", "Problem")) and text[0] not in "(-0123456789":
                    assert worlds.split_of(text) == split


def test_the_same_seed_gives_the_same_texts(core, any_core):
    texts = support.sample(core, "answers", 10, seed=6)
    assert support.sample(core, "answers", 10, seed=6) == texts
    decoded = [any_core.decode(t.ids[1:-1]) for t in support.sample(any_core, "answers", 10, seed=6)]
    assert decoded == [core.decode(text.ids[1:-1]) for text in texts]
    assert support.sample(core, "answers", 10, seed=7) != texts


def test_contexts_are_the_ids_and_places(core):
    texts = support.sample(core, "worked", 3, seed=0)
    sequences, places = support.contexts(texts)
    assert sequences == [list(text.ids) for text in texts]
    assert [len(own) for own in places] == [len(text.positions) for text in texts]
    assert all(own[-1] == len(ids) - 1 for ids, own in zip(sequences, places, strict=True))


def test_wrong_requests_are_refused(core):
    with pytest.raises(InputError, match="Unknown kind of text 'poems'"):
        support.sample(core, "poems", 1, seed=0)
    with pytest.raises(InputError, match="Unknown split 'exam'"):
        support.sample(core, "answers", 1, seed=0, split="exam")
    few = replace(LADDER, worlds=(("parity", 1.0),))
    with pytest.raises(InputError, match="has only 80 distinct questions"):
        support.sample(core, "answers", 81, seed=0, mix=few, split="validation")
