"""True next tokens of answers and worked solutions: the question decides which texts may follow.

That it does was checked by changing single draws of the generators: of more than 150,000 changes that left
the wording of a question as it was, none changed the answer, the steps or a subject that the question
shows. Some stories have a subject that no sentence mentions, drawn apart from the question ("Robin has 35.");
their direct answers are left out.
"""

import re
from collections.abc import Sequence

import numpy as np

from replication.settings import InputError
from replication.testbed import corpus
from replication.testbed.corpus import Document, Styles
from replication.testbed.support_trie import Coder, Position, follow, matrix
from replication.testbed.worlds import Problem


def answers(problem: Problem, cot_fraction: float) -> dict[str, float]:
    """Return every answer of a question-answer document on a problem, with its probability."""
    found: dict[str, float] = {}
    direct, reasoned = corpus.direct_styles(problem), corpus.reasoned_styles(problem)
    _add(found, direct, 1 - cot_fraction)
    _add(found, reasoned, cot_fraction)
    return found


def solutions(problem: Problem) -> dict[str, float]:
    """Return every solution of a worked textbook problem, with its probability."""
    found: dict[str, float] = {}
    _add(found, corpus.reasoned_styles(problem), 1.0)
    return found


def shows_subject(problem: Problem) -> bool:
    """Tell whether the question decides its direct answers: what they may name stands in it."""
    subject = re.escape(problem.subject.strip())
    return not corpus.names_subject(problem) or bool(
        re.search(rf"(?<!\w){subject}(?!\w)", problem.question, re.IGNORECASE)
    )


def positions(
    coder: Coder, document: Document, alternatives: dict[str, float], ids: Sequence[int]
) -> list[Position]:
    """Return the truth from the first token of the answer up to the end token.

    Args:
        coder: the tokenizer.
        document: a question with its answer.
        alternatives: the texts that may stand behind the question, as from `answers` or `solutions`.
        ids: tokens of the document.

    Raises:
        InputError: the tokenizer joins the end of the question with the answer, or the document's answer is
            none of the alternatives.
    """
    head = document.text[: document.question_end]
    start = len(coder.document(head)) - len(coder.end)
    rows = [coder.document(f"{head} {text}") for text in alternatives]
    if any(row[:start] != tuple(ids[:start]) for row in rows):
        raise InputError("The tokenizer joins question and answer: use a testbed model's tokenizer.")
    weights = np.fromiter(alternatives.values(), dtype=float)
    return follow(matrix([row[start:] for row in rows]), weights, ids, start)[0]


def _add(found: dict[str, float], styles: Styles, probability: float) -> None:
    """Add weighted texts that together have a probability; texts of probability 0 are left out."""
    total = sum(styles[1])
    for text, weight in zip(*styles, strict=True):
        if weight * probability:
            found[text] = found.get(text, 0.0) + probability * weight / total
