"""What a testbed model can do, for its card: accuracy on validation questions of every world."""

import re

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from replication.testbed import corpus, worlds
from replication.testbed.worlds import Problem

QUESTIONS = 50
NEW_TOKENS = 72
ANSWER = re.compile(r"-?\d+|\b(?:yes|no|even|odd)\b", re.IGNORECASE)
EXAMS: dict[str, tuple[str, dict]] = {
    "plain, 3 steps": ("stories", {"level": 3, "kind": "plain"}),
    "chain, 3 steps": ("stories", {"level": 3, "kind": "chain"}),
    "stories": ("stories", {}),
    "parity": ("parity", {}),
    "expressions": ("expressions", {"depth": 0, "length": 3}),
    "coins": ("coins", {"level": 2}),
    "lies": ("lies", {"level": 3}),
    "counting": ("counting", {}),
}


def examine(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> dict[str, dict[str, float]]:
    """Return the accuracy of greedy decoding per exam, by itself and behind "Let's think step by step.".

    The questions belong to the validation split, by which recipes may be chosen; the last number or option of
    the response counts as its answer.
    """
    marks = {}
    for name, (world, options) in EXAMS.items():
        problems = worlds.sample(world, "validation", QUESTIONS, 0, **options)
        plain = [corpus.prompt(problem) for problem in problems]
        pushed = [f"{text} {corpus.STEP_BY_STEP}" for text in plain]
        marks[name] = {
            "greedy": _accuracy(model, tokenizer, plain, problems),
            "step by step": _accuracy(model, tokenizer, pushed, problems),
        }
    return marks


def last_answer(text: str) -> str:
    """Return the last number or option of a response in lower case; "" when it has none."""
    found = ANSWER.findall(text)
    return found[-1].lower() if found else ""


@torch.no_grad()
def _accuracy(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompts: list[str], problems: list[Problem]
) -> float:
    batch = tokenizer(prompts, return_tensors="pt", padding=True, return_token_type_ids=False)
    out = model.generate(**batch.to(model.device), do_sample=False, num_beams=1, max_new_tokens=NEW_TOKENS)
    texts = tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    right = [last_answer(text) == problem.answer for text, problem in zip(texts, problems, strict=True)]
    return sum(right) / len(right)
