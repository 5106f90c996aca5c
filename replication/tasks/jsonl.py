"""Any jsonl file as a task: "jsonl:question=Body+Question,answer=Answer,kind=number"."""

from typing import get_args

from replication.settings import InputError
from replication.tasks import prompts
from replication.tasks.base import Kind, Task
from replication.tasks.sources import Layout, file_source, split_columns

SPLITS = {"test": ("test",), "train": ("train",), "validation": ("validation",)}
EXAMPLES = {"number": prompts.WORD_PROBLEMS, "latex": prompts.MATHEMATICS}


def jsonl(
    name: str,
    data_dir: str,
    *,
    question: str = "question",
    answer: str = "answer",
    kind: str = "number",
    options: str = "",
) -> Task:
    """Return the task of a jsonl file, or of a folder with test.jsonl (and train.jsonl, validation.jsonl).

    Args:
        name: specification.
        data_dir: the file or folder.
        question: column of the question; several joined by "+".
        answer: column of the gold answer; of "...#### 5" the part behind "####" counts.
        kind: "number", "option", "yesno" or "latex".
        options: allowed answers of the kind "option", parted by "|": "even|odd".
    """
    if kind not in get_args(Kind):
        raise InputError(f"Unknown kind of answer {kind!r}: choose one of {', '.join(get_args(Kind))}.")
    allowed = tuple(word.strip().lower() for word in options.split("|") if word.strip())
    if (kind == "option") != bool(allowed):
        raise InputError("Options belong to kind=option: write kind=option,options=even|odd.")
    if kind == "yesno":
        allowed = ("yes", "no")
    layout = Layout(split_columns(question), split_columns(answer), kind, allowed)
    source = file_source(name, data_dir, None, layout, SPLITS)
    fractions = kind == "number" and any("/" in item.answer for item in source("test", None, 0))
    return Task(
        name, kind, source, tuple(SPLITS), allowed, examples=EXAMPLES.get(kind, ()), fractions=fractions
    )


TASKS = {"jsonl": jsonl}
