"""Questions, prompts, answer extraction and grading behind one interface."""

from replication.tasks.base import Question, Task, load_task
from replication.tasks.extraction import Answer

__all__ = ["Answer", "Question", "Task", "load_task"]
