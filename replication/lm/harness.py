r"""Few-shot evaluation as in math-evaluation-harness, which the scores of many mathematical models come from.

Greedy answers of up to 1,024 tokens to "Question: ...\nAnswer:" (LaTeX answers: "Problem:\n...\nSolution:")
after worked examples. Published scores come from the harness' own examples; here they are the task's unless a
prompt file is given. The answer is, in this order of rules,

1. what stands in "final answer is $...$. I hope",
2. the content of the last `\boxed{...}`,
3. what follows the last "he answer is", else the last "final answer is",
4. the last number of the text without its commas.

A number is right within a ten-thousandth of the gold one, of its hundredth or of its hundredfold, as percent
signs are lost. After rule 3 the harness takes all that is left as the answer and removes units by a list of
words; here the first clause counts, and of it the number, so that "18 eggs. Then" is 18.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from replication.settings import InputError
from replication.tasks import extraction, latex, numbers, prompts
from replication.tasks.base import Question, Task

if TYPE_CHECKING:
    import pandas as pd

    from replication.lm.loading import LanguageModel

STYLES = ("few_shot_cot", "zero_shot_cot")
STOP = ("\n\nQuestion:", "\n\nProblem:", "</s>")
LENGTH = 1024
WORLD_EXAMPLES = 2  # the testbed's models read 512 tokens
TOLERANCE = 1e-4
SHORT_TEXT = 400  # characters of a response that are kept

_OPENING, _CLOSING = "final answer is $", "$. I hope"
_MARKERS = ("he answer is", "final answer is")


@dataclass(frozen=True)
class Protocol:
    """How a task is put to a model, and how its responses are read.

    Attributes:
        task: questions and gold answers.
        style: one of `STYLES`; the second asks for steps without examples.
        prefix: text of a prompt file, which takes the place of the worked examples; "" for none.
        limit: longest response in tokens; 0 for `LENGTH`, or the task's own where questions are generated.
    """

    task: Task
    style: str = "few_shot_cot"
    prefix: str = ""
    limit: int = 0

    def __post_init__(self) -> None:
        """Check what the prompts are made of."""
        if self.style not in STYLES:
            raise InputError(f"Unknown prompt style {self.style!r}: choose one of {', '.join(STYLES)}.")
        if self.style == "few_shot_cot" and not (self.prefix or self.task.examples):
            raise InputError(f"Task {self.task.name} has no worked examples: give a prompt_file.")

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings that end a response; models of generated worlds go on with their own form of a question."""
        return (*STOP, *self.task.stop) if self.task.generated else STOP

    @property
    def length(self) -> int:
        """Longest response in tokens."""
        return self.limit or (self.task.max_new_tokens if self.task.generated else LENGTH)

    def prompt(self, question: Question) -> str:
        """Return the prompt of a question, without a trailing space."""
        before, between, gap = self._form
        asked = f"{before}{question.text}{between}"
        if self.style == "zero_shot_cot":
            return f"{asked} {prompts.STEP_BY_STEP}"
        if self.prefix:
            return f"{self.prefix.strip()}{gap}{asked}"
        examples = self.task.examples[: WORLD_EXAMPLES if self.task.generated else None]
        return "".join(f"{before}{q}{between} {a}{gap}" for q, a in examples) + asked

    @property
    def _form(self) -> tuple[str, str, str]:
        """Return what stands before a question, between it and its answer, and between two examples."""
        if self.task.generated:
            return "Q: ", "\nA:", "\n\n"
        return ("Problem:\n", "\nSolution:", "\n\n\n") if self.task.kind == "latex" else (
            "Question: ", "\nAnswer:", "\n\n\n")  # fmt: skip

    def extract(self, text: str) -> str | None:
        """Return the answer in a response, None where there is none."""
        if self.task.kind not in ("number", "latex"):
            return _value(self.task.extract(_stated(text) or text))
        if _OPENING in text and _CLOSING in text:
            return self._read(text.split(_OPENING, 1)[1].split(_CLOSING, 1)[0])
        box = latex.boxed(text)
        if box is not None and (inside := text[slice(*box)]).strip():
            return self._read(inside)
        if (clause := _stated(text)) is not None:
            in_dollars = self.task.kind == "latex" and "$" in clause
            return _value(extraction.math(clause)) if in_dollars else self._read(clause)
        return _value(extraction.number(text.replace(",", ""), fractions=self.task.fractions))

    def grade(self, value: str | None, gold: str) -> bool:
        """Tell whether an answer is right: exactly, or as a number within the harness' tolerance."""
        return self.task.grade(value, gold) or (
            value is not None and self.task.kind in ("number", "latex") and _close(value, gold)
        )

    def _read(self, region: str) -> str | None:
        """Return the answer in the part of a response that states it."""
        found = latex.normalise(region.strip().lstrip(":").strip())
        if self.task.kind == "latex":
            return found or None
        return numbers.normalise(found) or _value(self.task.extract(region))


def read_prefix(path: str) -> str:
    """Return the text of a prompt file, "" for no path.

    Raises:
        InputError: no such file, text that is not UTF-8, or nothing in it.
    """
    if not path:
        return ""
    file = Path(path).expanduser()
    if not file.is_file():
        raise InputError(f"The prompt file {path!r} does not exist: give a text file of worked examples.")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"The prompt file {path!r} is not UTF-8 text: convert it to UTF-8.") from error
    except OSError as error:
        raise InputError(f"The prompt file {path!r} cannot be read ({error.strerror}).") from error
    if not text.strip():
        raise InputError(f"The prompt file {path!r} is empty: write worked examples in it.")
    return text


def answers(lm: "LanguageModel", protocol: Protocol, questions: Sequence[Question]) -> "pd.DataFrame":
    """Return a model's greedy answers to questions.

    Returns:
        A row per question: question (its id), answer (None without one), correct (within the tolerance),
        exact (without it), finish ("eos", "stop" or "length") and text, shortened.
    """
    import pandas as pd

    from replication.lm import engine

    ids = [question.id for question in questions]
    encoded = [lm.prompt(protocol.prompt(question)) for question in questions]
    paths = engine.generate(lm, encoded, ids=ids, max_new_tokens=protocol.length, stop=protocol.stop)
    values = [protocol.extract(text) for text in paths["text"]]
    pairs = [(value, question.answer) for value, question in zip(values, questions, strict=True)]
    return pd.DataFrame({
        "question": ids,
        "answer": pd.Series(values, dtype=object),
        "correct": [protocol.grade(*pair) for pair in pairs],
        "exact": [protocol.task.grade(*pair) for pair in pairs],
        "finish": list(paths["finish"]),
        "text": [text[:SHORT_TEXT] for text in paths["text"]],
    })  # fmt: skip


def _stated(text: str) -> str | None:
    """Return the clause after the last statement of the answer, None where nothing states it."""
    for marker in _MARKERS:
        if (span := extraction.extract_after(text, marker)) is not None:
            return text[slice(*span)]
    return None


def _value(found: extraction.Answer | None) -> str | None:
    return None if found is None else found.value


def _close(value: str, gold: str) -> bool:
    """Tell whether two texts are numbers that agree but for rounding or a percent sign."""
    try:
        one, other = float(value), float(gold)
    except ValueError:
        return False
    return any(math.isclose(one, other * scale, rel_tol=TOLERANCE) for scale in (0.01, 1, 100))
