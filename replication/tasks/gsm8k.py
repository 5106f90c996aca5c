"""GSM8K: grade-school word problems (Cobbe et al. 2021, arXiv 2110.14168); the gold answer follows "####".

The test split has 1,319 questions, the training split 7,473. There is no published validation split:
"validation" is the training split, which no model of this package is trained on.
"""

from replication.tasks import prompts
from replication.tasks.base import Task
from replication.tasks.sources import Hub, Layout, file_source, split_columns

SPLITS = {"test": ("test",), "train": ("train",), "validation": ("train",)}


def gsm8k(name: str, data_dir: str, *, question: str = "question", answer: str = "answer") -> Task:
    """Return the task, from hub `openai/gsm8k` (main) or a folder with test.jsonl and train.jsonl."""
    layout = Layout(split_columns(question), split_columns(answer))
    source = file_source(name, data_dir, Hub("openai/gsm8k", "main"), layout, SPLITS)
    return Task(name, "number", source, tuple(SPLITS), max_new_tokens=200, examples=prompts.WORD_PROBLEMS)


TASKS = {"gsm8k": gsm8k}
