"""Training data from sampled trajectories.

As Lin, Liang, Xu et al. (ICML 2025, arXiv 2411.19943, Sec. 3) and their released code choose it.
Of N samples per question, graded by their final answer:

    positive set   one right trajectory per question, at random                            `positive_set`
    negative set   the wrong answers in falling frequency until they cover half of the wrong samples, one
                   random trajectory of each                                               `negative_set`
    pairs          chosen: a random trajectory of the most frequent right answer string; rejected: of the most
                   frequent wrong one, for questions that have both                        `preference_pairs`

Answers are grouped by the extracted string; a trajectory without an answer is never used. What the paper
leaves open, and the choice here: equally frequent answers go in the order in which they were sampled first; a
trajectory that was cut off before its end, or is longer than `longest`, counts in frequencies and is not
drawn; where an answer has none that can be drawn, the question is reported and gives nothing. Every draw has
a random stream of its own, made from seed, question and purpose, so that other questions change nothing.
"""

import hashlib
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from replication.alignment.plans import Example
from replication.alignment.preferences import Pair
from replication.settings import InputError

COVERAGE = 0.5
OUTCOMES = ("pair", "all right", "all wrong", "no answer", "too long")


@dataclass(frozen=True)
class Trajectory:
    """One sampled response.

    Attributes:
        tokens: its ids as they were sampled, with the end-of-text token if it ended with one.
        answer: the extracted answer string, "" for none.
        correct: whether it is right.
        ended: whether it came to its end and was not cut off.
    """

    tokens: tuple[int, ...]
    answer: str
    correct: bool
    ended: bool = True


@dataclass(frozen=True)
class Sampled:
    """The samples of one question.

    Attributes:
        question: its id.
        prompt: ids of the prompt.
        trajectories: in the order of sampling.
    """

    question: str
    prompt: tuple[int, ...]
    trajectories: tuple[Trajectory, ...]

    def usable(self, one: Trajectory, longest: int | None) -> bool:
        """Tell whether a trajectory may be learnt from: ended, and short enough with its prompt."""
        fits = longest is None or len(self.prompt) + len(one.tokens) <= longest
        return one.ended and bool(one.tokens) and fits

    def answers(self, correct: bool) -> list[tuple[str, int]]:
        """Return the right or wrong answer strings with their counts, most frequent first; "" left out."""
        found = Counter(t.answer for t in self.trajectories if t.correct == correct and t.answer)
        return found.most_common()

    def draw(self, answers: Sequence[str], purpose: str, seed: int, longest: int | None) -> Trajectory | None:
        """Return a random usable trajectory with one of the answers, None where there is none."""
        found = [t for t in self.trajectories if t.answer in answers and self.usable(t, longest)]
        digits = hashlib.sha256(f"{seed}/{purpose}/{self.question}".encode()).digest()
        return random.Random(int.from_bytes(digits[:8], "little")).choice(found) if found else None


def collect(paths: pd.DataFrame, prompts: Mapping[str, Sequence[int]]) -> list[Sampled]:
    """Return the samples of each question from graded path records.

    Args:
        paths: path records (`replication.lm.paths`) with the columns answer (str, None or "" for none) and
            correct (bool) beside them. Tokens are
            taken as they are: with the end-of-text token, or the stop string, that ended the path.
        prompts: ids of each question's prompt.

    Raises:
        InputError: missing columns, or a question without prompt.
    """
    needed = ("question", "tokens", "finish", "answer", "correct")
    if missing := [name for name in needed if name not in paths.columns]:
        raise InputError(f"The paths have no column {', '.join(missing)}: generate and grade them first.")
    found = []
    for question, rows in paths.groupby("question", sort=False):
        if question not in prompts:
            raise InputError(f"The question {question} has no prompt: give the ids that were sampled from.")
        trajectories = tuple(
            Trajectory(
                tuple(int(i) for i in row.tokens),
                row.answer if isinstance(row.answer, str) else "",
                bool(row.correct),
                row.finish != "length",
            )
            for row in rows[list(needed)].itertuples(index=False)
        )
        found.append(Sampled(str(question), tuple(int(i) for i in prompts[question]), trajectories))
    return found


def kept_answers(counts: Sequence[tuple[str, int]], coverage: float = COVERAGE) -> list[str]:
    """Return the wrong answers that cover a share of the wrong samples, most frequent first.

    An answer is taken while the samples still to be covered are more than 0, and it is the first one or came
    more than once.

    Args:
        counts: (answer, count), most frequent first, no empty answers.
        coverage: share of the samples to cover, in (0, 1].

    Raises:
        InputError: a coverage outside (0, 1].
    """
    if not 0 < coverage <= 1:
        raise InputError(f"The coverage needs a share in (0, 1], got {coverage}.")
    need = math.ceil(coverage * sum(count for _, count in counts))
    kept: list[str] = []
    for answer, count in counts:
        if need <= 0 or (kept and count == 1):
            break
        kept.append(answer)
        need -= count
    return kept


def positive_set(samples: Sequence[Sampled], seed: int = 0, longest: int | None = None) -> list[Example]:
    """Return one random right trajectory per question that has one which can be drawn."""
    found = []
    for own in samples:
        answers = [answer for answer, _ in own.answers(True)]
        if (drawn := own.draw(answers, "positive", seed, longest)) is not None:
            found.append(Example(own.question, own.prompt, drawn.tokens))
    return found


def negative_set(
    samples: Sequence[Sampled], seed: int = 0, longest: int | None = None, coverage: float = COVERAGE
) -> list[Example]:
    """Return one random trajectory per wrong answer kept (`kept_answers`) that has one which can be drawn."""
    found = []
    for own in samples:
        for answer in kept_answers(own.answers(False), coverage):
            if (drawn := own.draw([answer], f"negative/{answer}", seed, longest)) is not None:
                found.append(Example(own.question, own.prompt, drawn.tokens))
    return found


def preference_pairs(samples: Sequence[Sampled], seed: int = 0, longest: int | None = None) -> list[Pair]:
    """Return a pair per question whose outcome is "pair", without weights."""
    return [pair for own in samples if (pair := _pair(own, seed, longest)) is not None]


def _pair(own: Sampled, seed: int, longest: int | None) -> Pair | None:
    """Return the pair of a question, None where a side cannot be drawn."""
    sides = []
    for correct, purpose in ((True, "chosen"), (False, "rejected")):
        answers = own.answers(correct)
        drawn = own.draw([answers[0][0]], purpose, seed, longest) if answers else None
        if drawn is None:
            return None
        sides.append(drawn.tokens)
    return Pair(own.question, own.prompt, *sides)


def report(samples: Sequence[Sampled], longest: int | None = None) -> pd.DataFrame:
    """Return what became of every question, so that none is dropped in silence.

    Columns: question; samples, right, wrong (with an answer), unanswered, unusable (cut off or too long), all
        counts; outcome, one of `OUTCOMES`: "pair"; "all right" and "all wrong" of the answers that there are;
        "no answer" at all; "too long" where the answers wanted have only unusable trajectories.
    """
    rows = []
    for own in samples:
        kinds = Counter((t.correct if t.answer else None) for t in own.trajectories)
        unusable = sum(not own.usable(t, longest) for t in own.trajectories)
        counts = len(own.trajectories), kinds[True], kinds[False], kinds[None], unusable
        rows.append((own.question, *counts, _outcome(own, longest)))
    columns = ["question", "samples", "right", "wrong", "unanswered", "unusable", "outcome"]
    return pd.DataFrame(rows, columns=columns)


def _outcome(own: Sampled, longest: int | None) -> str:
    """Return one of `OUTCOMES`."""
    right, wrong = own.answers(True), own.answers(False)
    if not right and not wrong:
        return "no answer"
    if not right or not wrong:
        return "all right" if right else "all wrong"
    return "pair" if _pair(own, 0, longest) is not None else "too long"
