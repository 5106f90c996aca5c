"""Decoders that CoT-decoding is compared with (Wang and Zhou 2024, arXiv 2402.10200, Tables 3 and 4).

Greedy decoding, sampling with temperature 0.7, top-k sampling (k = 10), nucleus sampling (p = 0.9), beam
search (b = 10) and self-consistency without a reasoning prompt (10 sampled paths, unweighted majority).
Truncation is done by transformers' own processors. The paper does not state the temperature of top-k and
nucleus sampling (1.0 here), the number of samples per question (one path here; `samples` gives more, each an
independent draw), nor the temperature of self-consistency (0.7 here, as in the side study of its first
version).
"""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from replication.decoding import answers
from replication.settings import InputError

Arguments = dict[str, object]


def greedy() -> Arguments:
    """Return the engine's arguments for the greedy path."""
    return {"branches": 1, "do_sample": False}


def temperature(value: float = 0.7, samples: int = 1) -> Arguments:
    """Return the engine's arguments for sampling at a temperature (the paper takes 0.7)."""
    from transformers import TemperatureLogitsWarper

    return _sampling(samples, TemperatureLogitsWarper(float(value)))


def top_k(k: int = 10, samples: int = 1) -> Arguments:
    """Return the engine's arguments for sampling among the k likeliest tokens (the paper takes 10)."""
    from transformers import TopKLogitsWarper

    return _sampling(samples, TopKLogitsWarper(k))


def top_p(p: float = 0.9, samples: int = 1) -> Arguments:
    """Return the engine's arguments for nucleus sampling (the paper takes 0.9)."""
    from transformers import TopPLogitsWarper

    return _sampling(samples, TopPLogitsWarper(p))


def self_consistency(samples: int = 10, value: float = 0.7) -> Arguments:
    """Return the engine's arguments for the paths that self-consistency votes over (the paper takes 10)."""
    return temperature(value, samples)


def _sampling(samples: int, *processors: object) -> Arguments:
    return {"branches": samples, "do_sample": True, "temperature": 1.0, "processors": processors}


BASELINES: dict[str, Callable[..., Arguments]] = {
    "greedy": greedy,
    "temperature": temperature,
    "top-k": top_k,
    "top-p": top_p,
    "self-consistency": self_consistency,
}
"""What makes the engine's arguments of each baseline; "beam" has a search of its own."""


def decode(
    lm: object,
    name: str,
    prompts: Sequence[Sequence[int]],
    ids: Sequence[str] | None = None,
    *,
    max_new_tokens: int,
    stop: Sequence[str] = (),
    seed: int = 0,
    **options: object,
) -> pd.DataFrame:
    """Return the path records of a baseline.

    Args:
        lm: the language model.
        name: "beam" or a key of `BASELINES`.
        prompts: token ids of each prompt.
        ids: question id of each prompt.
        max_new_tokens: largest number of tokens of a path.
        stop: strings that end a path.
        seed: base of the random streams; greedy and beam ignore it.
        **options: of the baseline, such as samples or k; for beam those of `replication.lm.beam.beam`.

    Raises:
        InputError: an unknown name.
    """
    if name == "beam":
        from replication.lm.beam import beam

        return beam(lm, prompts, ids=ids, max_new_tokens=max_new_tokens, stop=stop, **options)
    if name not in BASELINES:
        raise InputError(f"Unknown decoder {name!r}: choose one of {', '.join([*BASELINES, 'beam'])}.")
    from replication.lm.engine import generate

    arguments = BASELINES[name](**options)
    return generate(lm, prompts, ids=ids, max_new_tokens=max_new_tokens, stop=stop, seed=seed, **arguments)


def majority(frame: pd.DataFrame, task: object, gold: Mapping[str, str]) -> pd.DataFrame:
    """Return the unweighted majority of every question's paths; of equals, the answer that came first.

    Paths without an answer do not vote.

    Args:
        frame: path records, branch numbers in the order of sampling.
        task: a `replication.tasks` task.
        gold: right answer of every question id in `frame`.

    Returns:
        One row per question: question, answer (None without any), branch, score (votes), correct.
    """
    read = answers.read_answers(frame.reset_index(drop=True), task, gold)
    votes = answers.tally(read[read["answer"].notna()])
    return answers.decided(votes.drop_duplicates("question"), read, fallback="wrong")
