"""LaTeX answers: where they stand in a text, their canonical spelling, and equality by `math-verify`.

`math-verify` (Hugging Face) parses both sides with sympy, which can run for hours on something like
"9^{9^{9}}". Its own time limit needs signals, so it fails outside the main thread and cannot stop a long
multiplication; here the comparison runs in a helper process that the system ends after a few seconds of its
own computing time.
"""

import atexit
import json
import os
import re
import subprocess
import sys
import threading
from collections import deque
from functools import lru_cache
from pathlib import Path

from replication.tasks import numbers
from replication.tasks.latex_worker import EQUAL, READY

LONGEST = 1_000
"""Answers with more characters are taken as wrong: no published answer has half as many."""

_BOX = re.compile(r"\\f?boxed\s{0,4}\{")
_BRACES = re.compile(r"\\\\|\\[{}]|[{}]")
_DOLLARS = re.compile(r"(?<!\\)\$(?!\s)([^$]+)(?<![\s\\])\$(?![0-9])")
_SPACING = re.compile(
    r"(?<!\\)\\!\s*|(?<!\\)\\[,;: ]|\\left(?![a-z])|\\right(?![a-z])|\\\$|\\%|%|\^\{?\s?\\circ\s?\}?|~"
)
_UNIT = re.compile(r"(?<=[^\s{])\s{0,4}\\text\{[^{}]*\}(?:\^\{?[0-9]\}?)?$")
_ONLY_TEXT = re.compile(r"\\text\{\s*([^{}]*?)\s*\}")
_LETTER = re.compile(r"\(([A-Za-z])\)")
_WORD = re.compile(r"[A-Za-z]{2,40}")
_SHORT_FRACTION = re.compile(r"\\frac\s{0,4}([0-9])\s{0,4}([0-9])")
_GROUPED = re.compile(r"(?<![0-9])[0-9]{1,3}(?:(?:,|\{,\})[0-9]{3})+(?![0-9])")


def boxed(text: str) -> tuple[int, int] | None:
    r"""Return the character interval inside the last complete `\boxed{...}`, None where there is none."""
    starts = [match.end() for match in _BOX.finditer(text)]
    if not starts:
        return None
    ends = _closing(text, set(starts))
    complete = [start for start in starts if start in ends]
    return (complete[-1], ends[complete[-1]]) if complete else None


def find(text: str) -> tuple[int, int] | None:
    r"""Return the interval of the last `\boxed{...}`, else of the last `$...$`, else of the last number."""
    if (inside := boxed(text)) is not None and text[slice(*inside)].strip():
        return _stripped(text, *inside)
    math = next(iter(deque(_DOLLARS.finditer(text), maxlen=1)), None)
    return numbers.find(text) if math is None else math.span(1)


def normalise(text: str) -> str:
    r"""Return a spelling in which simple variants agree, "\dfrac12" and "\frac{1}{2}".

    Numbers become what `numbers.normalise` makes of them; spacing, degree, dollar and percent signs, `\left`,
    `\right`, a closing period, a unit after the value and the parentheses of a single letter are removed.
    Longer texts than `LONGEST` are returned as they are.
    """
    text = text.replace("\0", "").strip()
    if len(text) > LONGEST:
        return text
    text = _SPACING.sub("", text.strip("$").replace("\\mbox", "\\text"))
    text = text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac").strip().rstrip(".").strip()
    text = _UNIT.sub("", text)
    if only := _ONLY_TEXT.fullmatch(text):
        text = only[1]
    if letter := _LETTER.fullmatch(text):
        return letter[1]
    text = _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)
    if _GROUPED.fullmatch(text):
        text = text.replace("{,}", ",")
    if (number := numbers.normalise(text)) is not None and "/" not in text:
        return number
    return _without_spaces(text)


def equal(value: str, gold: str) -> bool:
    """Tell whether an answer is mathematically equal to the gold one; no end within the limit is a no."""
    value, gold = normalise(value), normalise(gold)
    if value == gold or (_WORD.fullmatch(gold) and value.casefold() == gold.casefold()):
        return bool(value)
    if not all(0 < len(side) <= LONGEST and _balanced(side) for side in (value, gold)):
        return False
    plain = [numbers.normalise(side) for side in (value, gold)]
    return plain[0] == plain[1] if None not in plain else _verify(value, gold)


def _closing(text: str, starts: set[int]) -> dict[int, int]:
    """Return, for each start just behind an opening brace, where its closing brace stands; one pass."""
    ends, open_braces = {}, []
    for match in _BRACES.finditer(text):
        if match[0] == "{":
            open_braces.append(match.end())
        elif match[0] == "}" and open_braces:
            start = open_braces.pop()
            if start in starts:
                ends[start] = match.start()
    return ends


def _balanced(text: str) -> bool:
    depth = 0
    for match in _BRACES.finditer(text):
        depth += (match[0] == "{") - (match[0] == "}")
        if depth < 0:
            return False
    return depth == 0


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())


def _without_spaces(text: str) -> str:
    r"""Remove white space, except in "\cot x" and in lists that would become a number ("3, 500")."""
    text = re.sub(r"(?<=[0-9]),\s+(?=[0-9]{3}(?![0-9]))", ",\0", text)
    text = re.sub(r"(\\[A-Za-z]+)\s+(?=[A-Za-z])", "\\1\0", text)
    return re.sub(r"\s+", "", text).replace("\0", " ")


class _Helper:
    """The process that runs `math-verify`; started when first needed, and again after it was ended."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[str] | None = None
        self.owner = 0

    def ask(self, value: str, gold: str) -> bool:
        """Return the verdict, False when the process was ended during the comparison."""
        with self.lock:
            process = self.running()
            try:
                process.stdin.write(json.dumps([value, gold]) + "\n")
                process.stdin.flush()
                reply = process.stdout.readline()
            except OSError:
                reply = ""
            if not reply:
                self.stop()
            return reply.strip() == EQUAL

    def running(self) -> subprocess.Popen[str]:
        """Return the live process; one inherited by a forked child is left to its owner.

        Raises:
            RuntimeError: the library cannot be used.
        """
        if self.process is None or self.owner != os.getpid() or self.process.poll() is not None:
            root = str(Path(__file__).resolve().parents[2])
            path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "replication.tasks.latex_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="ascii",
                env={**os.environ, "PYTHONPATH": path},
            )
            self.owner = os.getpid()
            if self.process.stdout.readline().strip() != READY:
                self.stop()
                raise RuntimeError("math-verify does not run: install it to grade LaTeX answers.")
        return self.process

    def stop(self) -> None:
        """End the process, if it is ours."""
        if self.process is not None and self.owner == os.getpid():
            self.process.kill()
            self.process.communicate()
        self.process = None


_HELPER = _Helper()
atexit.register(_HELPER.stop)


@lru_cache(maxsize=100_000)
def _verify(value: str, gold: str) -> bool:
    return _HELPER.ask(value, gold)
