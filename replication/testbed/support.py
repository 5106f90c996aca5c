"""The true distribution of the next token, place by place, in texts of the generated world.

The corpus is drawn by programs whose choices are few and known, so that the probability of every next token
can be worked out instead of estimated: P*(token | prefix) for documents of a mix. What has a probability
above 0 is the support that truncation rules try to recover (Hewitt et al., 2022, arXiv 2210.15191; Tang et
al., 2024, arXiv 2411.07641), which is unknown in natural text.

A place is told only where the enumeration is exact. The modules `support_answers`, `support_equations` and
`support_biographies` say what is left out.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from replication.settings import InputError
from replication.testbed import corpus, models, support_answers, support_equations, worlds
from replication.testbed.corpus import Mix
from replication.testbed.support_biographies import Reader
from replication.testbed.support_trie import Coder, Position

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = ["KINDS", "OracleText", "Position", "contexts", "sample"]

_PATIENCE = 2000  # draws in a row without a new text


@dataclass(frozen=True)
class OracleText:
    """A text whose next tokens are known.

    Attributes:
        ids: token ids, begin and end tokens included.
        positions: the places with a known truth, ascending; without gaps up to the end token.
        kind: one of `KINDS`.
    """

    ids: tuple[int, ...]
    positions: tuple[Position, ...]
    kind: str


class _Draw(NamedTuple):
    """A text, what makes it distinct, and how its tokens are read."""

    text: str
    key: str
    positions: Callable[[Sequence[int]], list[Position]]


_Maker = Callable[[random.Random], _Draw | None]  # None: nothing exact can be said about this draw


def _answers(coder: Coder, mix: Mix) -> _Maker:
    def make(rng: random.Random) -> _Draw | None:
        problem = corpus.draw(rng, mix)
        if not support_answers.shows_subject(problem):
            return None
        document = corpus.answered(rng, problem, mix.cot_fraction)
        texts = support_answers.answers(problem, mix.cot_fraction)
        read = partial(support_answers.positions, coder, document, texts)
        return _Draw(document.text, problem.question, read)

    return make


def _worked(coder: Coder, mix: Mix) -> _Maker:
    def make(rng: random.Random) -> _Draw:
        problem = corpus.draw(rng, mix)
        document = corpus.solved(rng, problem)
        read = partial(support_answers.positions, coder, document, support_answers.solutions(problem))
        return _Draw(document.text, problem.question, read)

    return make


def _equations(coder: Coder, mix: Mix) -> _Maker:
    del mix

    def make(rng: random.Random) -> _Draw:
        text = corpus.chain(rng).text
        return _Draw(text, text, partial(support_equations.positions, coder, text))

    return make


def _biographies(coder: Coder, mix: Mix) -> _Maker:
    del mix
    reader = Reader(coder)

    def make(rng: random.Random) -> _Draw:
        text = corpus.lives(rng).text
        return _Draw(text, text, partial(reader.positions, text))

    return make


_MAKERS = {"answers": _answers, "worked": _worked, "equations": _equations, "biographies": _biographies}
KINDS = tuple(_MAKERS)
"""Question-answer documents, worked textbook problems, equation chains, biographies."""


def sample(
    tokenizer: "PreTrainedTokenizerFast",
    kind: str,
    n: int,
    seed: int,
    mix: Mix = models.LADDER,
    split: str = "test",
) -> list[OracleText]:
    """Draw `n` texts, distinct by their question, with the truth about their next tokens.

    The probabilities are those of documents of the mix: of answers, its `cot_fraction` counts.

    Args:
        tokenizer: a fast tokenizer that splits words, digits and signs, such as the testbed's.
        kind: one of `KINDS`.
        n: number of texts.
        seed: the same seed gives the same texts, whatever the tokenizer.
        mix: shares of the corpus; its own split does not matter.
        split: whose questions to draw, one of `worlds.SPLITS`. Chains and biographies have no split; the name
            just gives other draws. Of the persons' biographies the training corpus holds all facts.

    Raises:
        InputError: unknown kind or split, a mix with too few questions, or a tokenizer that does not split
            where the generator's choices begin.
    """
    if kind not in _MAKERS:
        raise InputError(f"Unknown kind of text {kind!r}: use one of {', '.join(KINDS)}.")
    if split not in worlds.SPLITS:
        raise InputError(f"Unknown split {split!r}: use one of {', '.join(worlds.SPLITS)}.")
    coder = Coder(tokenizer)
    make = _MAKERS[kind](coder, replace(mix, split=split))
    rng = random.Random(f"support/{kind}/{split}/{worlds.DRAW}/{seed}")
    texts = []
    for drawn in _distinct(make, rng, n):
        ids = coder.document(drawn.text)
        texts.append(OracleText(ids, tuple(drawn.positions(ids)), kind))
    return texts


def _distinct(make: _Maker, rng: random.Random, n: int) -> Iterator[_Draw]:
    seen: set[str] = set()
    misses = 0
    while len(seen) < n:
        drawn = make(rng)
        if drawn is not None and drawn.key not in seen:
            misses = 0
            seen.add(drawn.key)
            yield drawn
            continue
        misses += 1
        if misses > _PATIENCE:
            raise InputError(
                f"The mix has only {len(seen)} distinct questions: ask for fewer than {n} texts."
            )


def contexts(texts: Sequence[OracleText]) -> tuple[list[list[int]], list[list[int]]]:
    """Return what a model is asked for: the tokens of every text and the places of its known tokens.

    A place `i` asks for the prediction of `ids[i]` from `ids[:i]`, as `lm.scoring.logits_at` takes them.

    Returns:
        Per text its ids, and the indices of its positions, ascending.
    """
    return [list(text.ids) for text in texts], [[p.index for p in text.positions] for text in texts]
