"""The testbed's six worlds as tasks: "stories", "parity", "expressions", "coins", "lies", "counting".

Options choose the difficulty, as in "stories:level=3,kind=chain", "expressions:depth=0,length=3" or
"coins:level=2"; `canonical=1` keeps to the wording of the published data sets. Questions are generated, so
`questions` draws as many as asked for (`SAMPLE` for None) from the split's share, which is disjoint from the
other splits. `data_dir` is not used.
"""

from functools import lru_cache

from replication.tasks import numbers, prompts
from replication.tasks.base import Question, Source, Task
from replication.tasks.extraction import NO, YES

SPLITS = ("test", "validation", "train")
SAMPLE = 200
PARITIES = ("even", "odd")


def stories(name: str, data_dir: str, *, level: int | None = None, kind: str = "") -> Task:
    """Return word problems with `level` steps (1 to 5) of one `kind`, mixed by default."""
    source = _source(name, level=level, kind=kind or None)
    return Task(
        name, "number", source, SPLITS, max_new_tokens=60, examples=prompts.WORD_PROBLEMS, generated=True
    )


def parity(name: str, data_dir: str, *, level: int | None = None, canonical: int = 0) -> Task:
    """Return questions about the parity of invented persons' birth years; 100 for None, one a person."""
    source = _source(name, usual=100, level=level, canonical=bool(canonical) or None)
    return Task(
        name, "option", source, SPLITS, PARITIES, max_new_tokens=60, examples=prompts.PARITY, generated=True
    )


def expressions(
    name: str,
    data_dir: str,
    *,
    level: int | None = None,
    depth: int | None = None,
    length: int | None = None,
    canonical: int = 0,
) -> Task:
    """Return bare expressions of a depth (0 to 2) and a length (operands in a bracket, 2 to 4)."""
    shape = {"level": level, "depth": depth, "length": length, "canonical": bool(canonical) or None}
    source = _source(name, **shape)
    return Task(
        name,
        "number",
        source,
        SPLITS,
        max_new_tokens=80,
        examples=prompts.EXPRESSIONS,
        bare=True,
        generated=True,
    )


def coins(name: str, data_dir: str, *, level: int | None = None, canonical: int = 0) -> Task:
    """Return coin flips with `level` persons."""
    return _yes_no(name, prompts.COINS, level, canonical)


def lies(name: str, data_dir: str, *, level: int | None = None, canonical: int = 0) -> Task:
    """Return webs of lies with `level` persons."""
    return _yes_no(name, prompts.LIES, level, canonical)


def counting(name: str, data_dir: str, *, level: int | None = None, canonical: int = 0) -> Task:
    """Return object counting with `level` kinds of things."""
    source = _source(name, level=level, canonical=bool(canonical) or None)
    return Task(name, "number", source, SPLITS, max_new_tokens=80, examples=prompts.COUNTING, generated=True)


def _yes_no(name: str, examples: prompts.Examples, level: int | None, canonical: int) -> Task:
    source = _source(name, level=level, canonical=bool(canonical) or None)
    return Task(
        name, "yesno", source, SPLITS, (YES, NO), max_new_tokens=80, examples=examples, generated=True
    )


def _source(name: str, usual: int = SAMPLE, **options: int | str | bool | None) -> Source:
    """Return the source of a world's questions; one is drawn now, so that wrong options are told now."""
    chosen = {key: value for key, value in options.items() if value is not None}

    def draw(split: str, n: int | None, seed: int) -> list[Question]:
        return list(_drawn(name, split, n or usual, seed, tuple(chosen.items())))

    draw("test", 1, 0)
    return draw


@lru_cache(maxsize=64)  # a notebook asks the same questions of many models and decoders
def _drawn(
    name: str, split: str, n: int, seed: int, options: tuple[tuple[str, int | str | bool], ...]
) -> tuple[Question, ...]:
    """Return questions of a world; the name is the task's, the world its first part."""
    from replication.testbed import worlds

    problems = worlds.sample(name.partition(":")[0], split, n, seed, **dict(options))
    return tuple(
        Question(f"{name}-{split}-{index}", problem.question, _gold(problem.answer), problem.level)
        for index, problem in enumerate(problems)
    )


def _gold(answer: str) -> str:
    """Return an answer in the spelling of the extraction."""
    return numbers.normalise(answer) or answer.lower()


TASKS = {
    "stories": stories,
    "parity": parity,
    "expressions": expressions,
    "coins": coins,
    "lies": lies,
    "counting": counting,
}
