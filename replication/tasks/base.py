"""Tasks: questions, prompts, answer extraction and grading behind one interface.

A module of this package that defines `TASKS`, a mapping from a task's name to a function that makes it, is
found by `load_task`; nothing is registered elsewhere. The function's keyword-only parameters are the options
that may follow the name, as in "stories:level=3,kind=chain"; their annotations say whether a whole number or
a text is meant.
"""

import hashlib
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from replication.settings import InputError
from replication.tasks import extraction, grading, prompts
from replication.tasks.extraction import Answer

Kind = Literal["number", "option", "yesno", "latex"]
Options = Mapping[str, int | str]
Source = Callable[[str, int | None, int], "list[Question]"]
"""(split, number of questions or None for all, seed) -> questions."""

_PACKAGE = "replication.tasks"


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        id: "<task>-<split>-<index>", index from 0 in the order of the source.
        text: the question as asked.
        answer: the gold answer; numbers in the spelling of `numbers.normalise`.
        level: difficulty as the source gives it (steps, flips, MATH level), 0 where there is none.
    """

    id: str
    text: str
    answer: str
    level: int = 0


@dataclass(frozen=True)
class Task:
    """A set of questions with its prompts, extraction and grading.

    Attributes:
        name: the specification that made it, "gsm8k" or "stories:level=3".
        kind: what answers are: "number", "option" (one of `options`), "yesno" or "latex".
        source: gives the questions of a split.
        splits: splits that the source has.
        options: allowed answers of the kinds "option" and "yesno".
        stop: strings that end a response.
        max_new_tokens: length that suffices for a worked answer.
        examples: (question, worked answer) pairs of the few-shot prompt.
        bare: the direct prompt is the question alone.
        fractions: "3/4" is one number for the extraction; on where gold answers are fractions.
        generated: questions are drawn, as many as asked for; a published set has an end.
    """

    name: str
    kind: Kind
    source: Source
    splits: tuple[str, ...] = ("test",)
    options: tuple[str, ...] = ()
    stop: tuple[str, ...] = prompts.STOP
    max_new_tokens: int = 200
    examples: prompts.Examples = ()
    bare: bool = False
    fractions: bool = False
    generated: bool = False

    def questions(self, split: str = "test", n: int | None = None, seed: int = 0) -> list[Question]:
        """Return the first `n` questions of a split, all of them for None.

        Files and hub sets keep their published order whatever the seed, so that `n=100` is the "first 100" of
        a paper; fewer are returned where there are fewer. Generated worlds draw `n` distinct questions with
        `seed`.

        Raises:
            InputError: a split the task does not have, `n` below 1, or questions that cannot be read.
        """
        if split not in self.splits:
            raise InputError(
                f"Task {self.name} has no split {split!r}: choose one of {', '.join(self.splits)}."
            )
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
            raise InputError(f"The number of questions needs to be a whole number of 1 or more, got {n!r}.")
        return self.source(split, n, seed)

    def prompt(self, question: Question, style: str = "direct") -> str:
        """Return the prompt of a question in one of `prompts.STYLES`, without a trailing space."""
        return prompts.build(question.text, style, self.examples, self.bare)

    def extract(self, text: str, which: str = "last") -> Answer | None:
        r"""Return the answer in a response, None where there is none.

        The last number or option (or the first, for `which="first"`); for LaTeX the last `\boxed{...}`, else
        the last `$...$`, else the last number. Wang and Zhou (2024, arXiv 2402.10200), section 2.2.
        """
        if self.kind == "number":
            return extraction.number(text, which, self.fractions)
        if self.kind == "latex":
            return extraction.math(text)
        return extraction.option(text, self.options, which)

    def extract_continuation(self, text: str) -> Answer | None:
        """Return the answer in a continuation of "So the answer is": the last in its first clause."""
        start, end = extraction.clause(text)
        found = self.extract(text[start:end])
        return None if found is None else Answer(found.value, start + found.start, start + found.end)

    def find_back(self, text: str, value: str) -> Answer | None:
        """Return the last occurrence of an answer in a response, whole numbers or words only."""
        if self.kind == "number":
            return extraction.find_number(text, value, self.fractions)
        return extraction.find_text(text, value)

    def grade(self, value: str | None, gold: str) -> bool:
        """Tell whether an answer is right; None (nothing extracted) never is."""
        return value is not None and grading.GRADERS[self.kind](value, gold)

    @staticmethod
    def question_hash(questions: Iterable[Question]) -> str:
        """Return the SHA-256 (hex) of ids, texts and answers in their order."""
        content = [[question.id, question.text, question.answer] for question in questions]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


Factory = Callable[..., Task]


def load_task(spec: str, data_dir: str = "", **options: int | str) -> Task:
    """Return the task of a specification, its test questions checked.

    Args:
        spec: "name" or "name:key=value,key=value".
        data_dir: folder (or file) with the task's jsonl files; "" takes the hub or the generator.
        options: further options, as if written in `spec`.

    Raises:
        InputError: unknown task or option, or questions that cannot be read; one sentence.
    """
    name, _, rest = spec.strip().partition(":")
    factories = task_factories()
    if name not in factories:
        raise InputError(f"Unknown task {name!r}: choose one of {', '.join(sorted(factories))}.")
    given = {**_parse(spec, rest), **options}
    _check(name, factories[name], given)
    full = f"{name}:{','.join(f'{key}={given[key]}' for key in sorted(given))}" if given else name
    return factories[name](full, data_dir, **given)


@lru_cache(maxsize=1)
def task_factories() -> Mapping[str, Factory]:
    """Return every task's factory by name, from all modules of this package that define `TASKS`."""
    found: dict[str, Factory] = {}
    for module in pkgutil.iter_modules(importlib.import_module(_PACKAGE).__path__):
        found.update(getattr(importlib.import_module(f"{_PACKAGE}.{module.name}"), "TASKS", {}))
    return found


def _parse(spec: str, rest: str) -> dict[str, int | str]:
    """Return the options of "key=value,key=value"; whole numbers become int."""
    options: dict[str, int | str] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise InputError(f"Cannot read {part!r} in task {spec!r}: write name:key=value,key=value.")
        number = value.isascii() and value.removeprefix("-").isdigit() and len(value) < 10
        options[key] = int(value) if number else value
    return options


def _check(name: str, factory: Factory, options: Options) -> None:
    """Raise `InputError` for an option that the factory does not have or of another type."""
    parameters = inspect.signature(factory).parameters.values()
    known = {p.name: p.annotation for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    for key, value in options.items():
        if key not in known:
            choices = f"it takes {', '.join(known)}" if known else "it takes none"
            raise InputError(f"Task {name!r} has no option {key!r}: {choices}.")
        wants_number = known[key] in (int, int | None)
        if wants_number and (isinstance(value, bool) or not isinstance(value, int)):
            raise InputError(f"Option {key!r} of task {name!r} needs a whole number, got {value!r}.")
        if not wants_number and not isinstance(value, str):
            raise InputError(f"Option {key!r} of task {name!r} needs a text, got {value!r}.")
