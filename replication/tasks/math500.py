"""MATH-500: the 500 problems of MATH (Hendrycks et al. 2021, arXiv 2103.03874) chosen in arXiv 2305.20050."""

from replication.tasks import prompts
from replication.tasks.base import Task
from replication.tasks.sources import Hub, Layout, file_source, split_columns

SPLITS = {"test": ("test",)}


def math500(name: str, data_dir: str, *, question: str = "problem", answer: str = "answer") -> Task:
    """Return the task, from hub `HuggingFaceH4/MATH-500` or a folder with test.jsonl."""
    layout = Layout(split_columns(question), split_columns(answer), "latex", level="level")
    source = file_source(name, data_dir, Hub("HuggingFaceH4/MATH-500"), layout, SPLITS)
    return Task(name, "latex", source, tuple(SPLITS), max_new_tokens=512, examples=prompts.MATHEMATICS)


TASKS = {"math500": math500}
