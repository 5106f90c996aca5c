"""The search for critical tokens: rollouts prefix by prefix with transformers' `generate`, and ours.

Wrong responses to word problems that the model solves now and then, N rollouts at temperature 1. The peer
calls `generate` once per prefix with N rows, which was faster than larger batches of prefixes, and scans the
counts of all positions. Ours walks from the end and stops where the token is settled, once with rollouts of
their own at every position and once with shared tails. Both sides end at the end-of-text token or at the
length limit. Each round has other trajectories than the one before; times are per trajectory.
"""

from functools import partial
from statistics import fmean

import torch
from torch import Tensor

from benchmarks.harness import Case, in_turn
from replication.alignment.critical_tokens import CriticalToken, critical_token
from replication.alignment.rollouts import Sampling, Trajectory, grader
from replication.alignment.search import Search, find
from replication.lm import engine
from replication.lm.loading import LanguageModel, load
from replication.lm.sampling import stream_keys, uniforms
from replication.lm.truncated import Rule, draw
from replication.tasks.base import load_task

MODEL, TASK, STYLE = "testbed-small", "stories:level=2", "zero_shot_cot"
N, TRIALS, QUESTIONS = 16, 8, 400
SAMPLING = Sampling(N, temperature=1.0, top_p=1.0, max_new_tokens=60)
# Positions of a trajectory run at once by ours, and trajectories of which the peer's counts are compared.
AHEAD, COMPARED = 4, 3
# What is asked of ours: times the peer's speed, and times fewer tokens than N T (T - 1) / 2.
TARGET, TOKENS_TARGET = 8.0, 4.0

Work = tuple[LanguageModel, list[Trajectory]]


def load_work(trajectories: int) -> Work:
    """Return the model and the first wrong response to each of so many problems with a right one as well."""
    lm, task = load(MODEL), load_task(TASK)
    questions = task.questions("validation", QUESTIONS, 0)
    judges = {question.id: grader(task, question.answer) for question in questions}
    prompts = [lm.encode(task.prompt(question, STYLE)) for question in questions]
    table = engine.generate(
        lm,
        prompts,
        ids=list(judges),
        branches=TRIALS,
        do_sample=True,
        max_new_tokens=SAMPLING.max_new_tokens,
    )
    table["right"] = [judges[name](text) for name, text in zip(table["question"], table["text"], strict=True)]
    ended = table[table["finish"] == "eos"]
    solved = ended.groupby("question")["right"].transform("any")
    wrong = ended[solved & ~ended["right"]].groupby("question", sort=False).first()
    asked = dict(zip(judges, prompts, strict=True))
    chosen = wrong["tokens"].items()
    return lm, [Trajectory(q, asked[q], tokens.tolist(), judges[q]) for q, tokens in chosen][:trajectories]


def cases(work: Work, rounds: int) -> list[Case]:
    """Return the cases on what `load_work` gives, an equal part of it in each round, one for the warm-up."""
    lm, trajectories = work
    size = max(1, len(trajectories) // rounds)
    chosen = [trajectories[:1], *(trajectories[i * size : (i + 1) * size] for i in range(rounds))]
    parts = [(lm, some or trajectories[:size]) for some in chosen]
    peer, shared = "search: generate, prefix by prefix", partial(ours, shared_tails=True)
    return [
        Case(peer, in_turn(parts, lambda part: by_generate(*part)), units=size),
        Case("search: ours", in_turn(parts, ours), peer, units=size),
        Case("search: ours, shared tails", in_turn(parts, shared), peer, TARGET, size),
    ]


def ours(work: Work, shared_tails: bool = False) -> list[Search]:
    """Return what the search from the end finds."""
    return find(*work, SAMPLING, shared_tails=shared_tails, ahead=AHEAD)


def check(work: Work) -> dict[str, float]:
    """Return the tokens that ours saves, and whether `generate` finds the same with the same draws."""
    lm, trajectories = work
    few = trajectories[:COMPARED]
    same = [
        mine.critical == theirs
        for mine, theirs in zip(ours((lm, few)), by_generate(lm, few, same=True), strict=True)
    ]
    plain, shared = ours(work), ours(work, shared_tails=True)
    naive = sum(one.naive for one in plain)
    return {
        "trajectories": len(trajectories),
        "mean tokens of a response": round(fmean(len(one.response) for one in trajectories), 1),
        "share of critical tokens as by generate with the same draws": sum(same) / len(same),
        "trajectories with a critical token": sum(one.critical is not None for one in shared),
        "naive tokens": naive,
        "naive by generated tokens": round(naive / sum(one.generated for one in plain), 2),
        "naive by generated tokens, shared tails": round(naive / sum(one.generated for one in shared), 2),
    }


def by_generate(
    lm: LanguageModel, trajectories: list[Trajectory], same: bool = False
) -> list[CriticalToken | None]:
    """Return the critical tokens by the counts of all positions; `same` takes the draws that ours takes."""
    return [
        critical_token([_count(lm, one, length, same) for length in range(1, len(one.response))], N)
        for one in trajectories
    ]


@torch.inference_mode()
def _count(lm: LanguageModel, one: Trajectory, length: int, same: bool) -> int:
    """Return the number of right rollouts after `length` tokens of a response."""
    ids = torch.tensor([[*one.prompt, *one.response[:length]]])
    draws = [_Draws(f"{one.name}@{length}", ids.shape[1])] if same else []
    output = lm.model.generate(
        input_ids=ids.expand(N, -1) if same else ids,
        attention_mask=torch.ones_like(ids.expand(N, -1) if same else ids),
        do_sample=not same,
        num_return_sequences=1 if same else N,
        temperature=None if same else SAMPLING.temperature,
        top_p=None,
        top_k=None if same else 0,
        num_beams=1,
        max_new_tokens=SAMPLING.max_new_tokens,
        pad_token_id=lm.pad_id,
        logits_processor=draws,
    )
    return sum(one.judge(lm.decode(row)) for row in output[:, len(one.prompt) :].tolist())


class _Draws:
    """A logits processor that leaves the token which ours draws with the random stream of that name."""

    def __init__(self, name: str, width: int) -> None:
        self.keys, self.width = stream_keys(SAMPLING.seed, [name] * N, range(N)), width

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores with one finite entry per row."""
        u = uniforms(self.keys, ids.shape[1] - self.width)
        tokens = draw(scores, Rule("none"), u, SAMPLING.temperature)
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens[:, None], 0.0)
