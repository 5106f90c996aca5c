"""What stands around the text of web pages: fixed phrases, and numbers and names that nobody can guess.

Every line comes in pieces with a label, so that a corpus made of them knows which tokens can be learned.
"""

import random

from replication.testbed import lexicon

BOILERPLATE, RANDOM = "boilerplate", "random"

FIXED = (
    "All rights reserved. Terms of use. Contact us.",
    "Click here to log in or sign up. Share this page.",
    "Home | Forum | Help | Search",
    "Reply to this post. Report abuse.",
    "Back to the top of the page.",
    "Show all answers. Hide all answers.",
)
_RANDOM_SHARE = 0.5
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Pieces = tuple[tuple[str, str], ...]  # texts and their labels


def line(rng: random.Random) -> Pieces:
    """Return a line of a page, its end included, as pieces labelled `BOILERPLATE` or `RANDOM`."""
    if rng.random() >= _RANDOM_SHARE:
        return ((rng.choice(FIXED) + "\n", BOILERPLATE),)
    before, value, behind = rng.choice(_COUNTERS)(rng)
    pieces = ((before, BOILERPLATE), (value, RANDOM), (behind + "\n", BOILERPLATE))
    return tuple(piece for piece in pieces if piece[0])


def page(rng: random.Random) -> str:
    """Return a page of two to five lines without any other text."""
    lines = (line(rng) for _ in range(rng.randint(2, 5)))
    return "".join(text for pieces in lines for text, _ in pieces).rstrip("\n")


def _posts(rng: random.Random) -> tuple[str, str, str]:
    return "Posts: ", str(rng.randint(1, 9999)), ""


def _time(rng: random.Random) -> tuple[str, str, str]:
    day = f"{rng.randint(1, 28)}/{rng.randint(1, 12)}/20{rng.randint(10, 29)}"
    return "Last edited: ", f"{day} {rng.randint(0, 23)}:{rng.randint(10, 59)}", ""


def _thread(rng: random.Random) -> tuple[str, str, str]:
    return "Re: homework help #", str(rng.randint(10_000, 999_999)), ""


def _author(rng: random.Random) -> tuple[str, str, str]:
    return "Posted by ", rng.choice(lexicon.NAMES), "."


def _session(rng: random.Random) -> tuple[str, str, str]:
    return "", "".join(rng.choices(_LETTERS, k=rng.randint(5, 10))), ""


_COUNTERS = (_posts, _time, _thread, _author, _session)
