"""MultiArith: 600 two-step word problems (Roy and Roth 2015, arXiv 1608.01413).

The hub's copy is divided into train and test; published rates are shares of all 600, so "test" is both parts.
"""

from replication.tasks import prompts
from replication.tasks.base import Task
from replication.tasks.sources import Hub, Layout, file_source, split_columns

SPLITS = {"test": ("train", "test")}
ANSWERS = (("final_ans",), ("answer",))


def multiarith(name: str, data_dir: str, *, question: str = "question", answer: str = "") -> Task:
    """Return the task, from hub `ChilleD/MultiArith`, or train.jsonl and test.jsonl, or one jsonl file."""
    layout = Layout(split_columns(question), split_columns(answer) if answer else ANSWERS)
    source = file_source(name, data_dir, Hub("ChilleD/MultiArith"), layout, SPLITS)
    return Task(name, "number", source, tuple(SPLITS), max_new_tokens=200, examples=prompts.WORD_PROBLEMS)


TASKS = {"multiarith": multiarith}
