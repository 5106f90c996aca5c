"""SVAMP: one-step word problems with varied structure (Patel et al. 2021, arXiv 2103.07191)."""

from replication.tasks import prompts
from replication.tasks.base import Task
from replication.tasks.sources import Hub, Layout, file_source, split_columns

SPLITS = {"test": ("test",), "train": ("train",), "validation": ("train",)}
QUESTIONS = (("question_concat",), ("Body", "Question"), ("question",))
ANSWERS = (("Answer",), ("answer",))


def svamp(name: str, data_dir: str, *, question: str = "", answer: str = "") -> Task:
    """Return the task, from hub `ChilleD/SVAMP` or a folder with test.jsonl and train.jsonl."""
    layout = Layout(
        split_columns(question) if question else QUESTIONS, split_columns(answer) if answer else ANSWERS
    )
    source = file_source(name, data_dir, Hub("ChilleD/SVAMP"), layout, SPLITS)
    return Task(name, "number", source, tuple(SPLITS), max_new_tokens=200, examples=prompts.WORD_PROBLEMS)


TASKS = {"svamp": svamp}
