"""Critical tokens by rollouts (Lin et al., "Critical Tokens Matter", ICML 2025, arXiv 2411.19943, section 2).

Of a wrong response y_1..y_T, n continuations are sampled after every prefix (x, y_1..y_t), y_t included;
c_t of them come out right. The critical token is the first y_t with

    (i)  c_t = 0        and        (ii)  c_u / n < 5 % for every u > t.

Condition (ii) tolerates at most `tolerated(n)` right ones: 3 of 64, none of 16. The authors' released code
scans once from left to right: a zero opens a candidate, a count above the tolerance drops it, and where no
candidate is open at the end the one dropped last is taken, which meets (i) only. Here it is told apart as the
rule "fallback"; wherever (i) and (ii) have a solution the scan finds it.

`Walk` finds the same token from the end backwards and tells when earlier counts cannot change it any more.
Positions are counted from 0 here: count i belongs to the prefix that ends with the token at index i.
"""

from collections.abc import Sequence
from typing import NamedTuple

from replication.settings import InputError

STRICT, FALLBACK = "strict", "fallback"
# Condition (ii) is a share below 1 / 20.
PARTS = 20


class CriticalToken(NamedTuple):
    """A token that decides an answer.

    Attributes:
        index: of the token in the response, from 0.
        rule: "strict" where (i) and (ii) hold, "fallback" where only (i) does.
    """

    index: int
    rule: str


def tolerated(n: int) -> int:
    """Return the largest count of `n` rollouts that is less than 5 % of them.

    Raises:
        InputError: n below 1.
    """
    if n < 1:
        raise InputError(f"Counts of right rollouts need n >= 1 rollouts per position, got {n}.")
    return (n - 1) // PARTS


def upper_bound(n: int, confidence: float = 0.95) -> float:
    """Return the success rate that `n` rollouts without a success leave possible, 1 - (1 - confidence)^(1/n).

    The exact one-sided bound of a binomial rate (Clopper and Pearson 1934): 17.1 % for n = 16, 4.6 % for 64.

    Raises:
        InputError: n below 1, or a confidence outside (0, 1).
    """
    tolerated(n)
    if not 0 < confidence < 1:
        raise InputError(f"A bound needs 0 < confidence < 1, got {confidence}.")
    return 1 - (1 - confidence) ** (1 / n)


def critical_token(counts: Sequence[int], n: int, fallback: bool = True) -> CriticalToken | None:
    """Return the critical token of a response by one scan from left to right; None where there is none.

    Args:
        counts: number of right rollouts of each position, 0 <= c <= n.
        n: rollouts per position.
        fallback: whether a token that meets only (i) is taken where none meets both, as in the authors'
            released code.

    Raises:
        InputError: n below 1, or a count outside 0..n.
    """
    limit = tolerated(n)
    opened = dropped = None
    for index, count in enumerate(counts):
        check_count(count, n)
        if opened is None:
            opened = index if count == 0 else None
        elif count > limit:
            opened, dropped = None, opened
    if opened is not None:
        return CriticalToken(opened, STRICT)
    return CriticalToken(dropped, FALLBACK) if fallback and dropped is not None else None


def check_count(count: int, n: int) -> None:
    """Raise `InputError` for a count that `n` rollouts cannot have."""
    if not 0 <= count <= n:
        raise InputError(f"A count of right rollouts needs to lie in 0..{n}, got {count}.")


class Walk:
    """The search from the last position to the first, which ends as soon as the critical token is settled.

    Positions above the tolerance part the response into runs. The first zero of the last run is the token
    that meets (i) and (ii); the fallback is the first zero of the last run that has one. So a position above
    the tolerance settles the matter if a zero has been seen behind it, or at once without the fallback. Of
    such a position it only matters that it is above: its rollouts may stop there.

    Args:
        n: rollouts per position.
        fallback: as in `critical_token`.

    Attributes:
        found: the critical token as far as the walk has come.
        settled: earlier positions cannot change `found`.
    """

    def __init__(self, n: int, fallback: bool = True) -> None:
        self.n, self.limit, self.fallback = n, tolerated(n), fallback
        self.found: CriticalToken | None = None
        self.settled = False
        self._rule = STRICT

    def add(self, index: int, count: int) -> None:
        """Take the count of the next earlier position; a count above the tolerance may be incomplete.

        Raises:
            InputError: a count outside 0..n.
        """
        check_count(count, self.n)
        if self.settled:
            return
        if count == 0:
            self.found = CriticalToken(index, self._rule)
        elif count > self.limit:
            self.settled = self.found is not None or not self.fallback
            self._rule = FALLBACK
