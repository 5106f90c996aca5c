"""Answers with a tool: generation stops at a call, the tool's result is put in, generation goes on."""

from collections.abc import Callable, Sequence

import pandas as pd

from replication.lm import engine
from replication.lm.loading import LanguageModel

MOST_PAUSES = 12  # of one answer


def generate(
    lm: LanguageModel,
    prompts: Sequence[str],
    ids: Sequence[str],
    *,
    tool: Callable[[str], str | None],
    trigger: str,
    stop: Sequence[str],
    max_new_tokens: int,
) -> pd.DataFrame:
    """Return greedy answers in which every call of the tool is carried out.

    Args:
        lm: the model.
        prompts: text of each prompt.
        ids: a distinct name for each.
        tool: returns what belongs behind a text that ends in an open call, None where none is open.
        trigger: what ends a call; generation pauses behind it.
        stop: strings that end an answer.
        max_new_tokens: tokens between two calls, and after the last.

    Returns:
        One row per prompt: question, text (answer with calls and results), calls (how many).
    """
    texts, calls = dict.fromkeys(ids, ""), dict.fromkeys(ids, 0)
    waiting = dict(zip(ids, prompts, strict=True))
    for _ in range(MOST_PAUSES + 1):
        if not waiting:
            break
        encoded = [lm.prompt(prompt, texts[name]) for name, prompt in waiting.items()]
        paths = engine.generate(
            lm, encoded, ids=list(waiting), max_new_tokens=max_new_tokens, stop=(trigger, *stop)
        ).set_index("question")
        for name in list(waiting):
            texts[name] += paths.loc[name, "text"]
            if not _paused(lm, paths.loc[name], trigger):
                del waiting[name]
                continue
            result = tool(texts[name] + trigger)
            texts[name] += trigger + (result or "")  # no open call: the trigger is plain text
            calls[name] += result is not None
    rows = [(name, texts[name], calls[name]) for name in ids]
    return pd.DataFrame(rows, columns=["question", "text", "calls"])


def _paused(lm: LanguageModel, path: pd.Series, trigger: str) -> bool:
    """Tell whether a path ended at the trigger: its tokens hold what its text leaves out."""
    return path["finish"] == "stop" and lm.decode(path["tokens"])[len(path["text"]) :].startswith(trigger)
