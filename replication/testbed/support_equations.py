"""True next tokens of equation chains: what follows depends on the last result and the number of equations.

A chain is read in pieces, each drawn from a finite set: " 17+" (or the end), "5=", "22.". Left out is the
beginning, up to and including the first operator: there the text might still become a bare expression.
"""

import re
from collections.abc import Sequence

from replication.settings import InputError
from replication.testbed import corpus
from replication.testbed.support_trie import Coder, Position, follow_texts
from replication.testbed.worlds import calculate

_FIRST = re.compile(r"(\d+)([-+*/])")


def ends(done: int) -> float:
    """Return the probability that a chain ends behind its `done`-th equation, given that it has so many."""
    fewest, most = corpus.CHAIN_PARTS
    return 1 / (most - done + 1) if done >= fewest else 0.0


def rights(op: str, value: int) -> dict[int, float]:
    """Return the right sides that may follow a value and an operator, with their probabilities."""
    found: dict[int, float] = {}
    pools = corpus.operands(op, value)
    for pool in pools:
        for number in pool:
            found[number] = found.get(number, 0.0) + 1 / (len(pools) * len(pool))
    return found


def positions(coder: Coder, text: str, ids: Sequence[int]) -> list[Position]:
    """Return the truth from the first right side up to the end token.

    Args:
        coder: the tokenizer.
        text: a chain of equations.
        ids: its tokens.

    Raises:
        InputError: the text is no chain of the corpus, or the tokenizer joins an equation with the next.
    """
    first = _FIRST.match(text)
    if first is None:
        raise InputError(f"An equation chain starts like '12+5=17. 17-3=14', this text with {text[:20]!r}.")
    value, op, found = int(first[1]), first[2], list[Position]()
    start, done = len(coder.start) + len(coder.pieces([first[0]])[0]), 0

    def read(choices: dict[str | None, float]) -> str | None:
        """Keep the places of the piece that comes next and return it."""
        nonlocal start
        own, row = follow_texts(coder, choices.items(), ids, start)
        found.extend(own)
        start += len(own)
        return list(choices)[row]

    while True:
        right = read({f"{number}=": p for number, p in rights(op, value).items()})
        value, done = calculate(value, op, int(right[:-1])), done + 1
        read({f"{value}.": 1.0})
        piece = read(ahead(value, done))
        if piece is None:
            return found
        op = piece[-1]


def ahead(value: int, done: int) -> dict[str | None, float]:
    """Return what may stand behind equation `done`: the end (None), or its result and an operator."""
    end = ends(done)
    found: dict[str | None, float] = {None: end} if end else {}
    if end < 1:
        found |= {f" {value}{op}": (1 - end) * p for op, p in corpus.operators(value).items()}
    return found
