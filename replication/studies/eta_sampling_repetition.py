"""Repeated prompts and what samplers make of them (η-sampling, arXiv 2210.15191, repetition table).

A prompt's last tokens are repeated, which draws a model into a loop. A continuation counts as repetitive when
the model itself, without truncation, finds it far more predictable than text.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from transformers import SuppressTokensLogitsProcessor

from replication.decoding.experiment import Experiment, describe
from replication.evaluation import paired
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import Estimate
from replication.lm import engine
from replication.lm.scoring import score
from replication.studies import eta_sampling as study
from replication.studies import eta_sampling_texts as reading
from replication.studies.eta_sampling import EPSILON, ETA, TOP_P, TYPICAL
from replication.studies.samplers import Sampler

TAIL, TIMES = 4, 5
"""Tokens at the end of a prompt that are repeated, and how often more."""
SHARE = 1 / 3
"""Of the mean negative log-likelihood of held-out text: below it a continuation is repetitive."""
CHUNK = 50
MODULES = ("replication.lm.engine", "replication.decoding.baselines",
           "replication.studies.eta_sampling_repetition")  # fmt: skip
GREEDY = Sampler("top-k", 1)
COLUMNS = ("repetitive", "nll", "loop", "seen", "distinct", "ended")


def samplers(vocabulary: int) -> dict[str, Sampler]:
    """Return what is compared: the published parameters, plain sampling, and greedy decoding (top-k 1)."""
    own = study.published(vocabulary)
    return {"greedy": GREEDY, "sampling": Sampler()} | {r: own[r] for r in (TOP_P, TYPICAL, EPSILON, ETA)}


def prompts(experiment: Experiment, texts_file: str = "") -> list[list[int]]:
    """Return the first tokens of test questions (or of a file's paragraphs), as many as the profile says."""
    sizes = experiment.settings.sizes
    own = reading.plain_texts(
        experiment, experiment.model(), int(sizes["n_questions"]), "test", texts_file
    )  # fmt: skip
    return [list(text.ids[: int(sizes["prompt_tokens"])]) for text in own]


def repeated(prompt: Sequence[int]) -> list[int]:
    """Return a prompt with its last `TAIL` tokens `TIMES` times more."""
    return [*prompt, *list(prompt[-TAIL:]) * TIMES]


def threshold(experiment: Experiment, texts_file: str = "") -> tuple[float, float, int]:
    """Return the mean negative log-likelihood (nats per token) of validation texts, `SHARE` of it, and n."""
    lm, n = experiment.model(), int(experiment.settings.sizes["n_questions"])
    own = [list(text.ids) for text in reading.plain_texts(experiment, lm, n, "validation", texts_file)]
    key = {"model": lm.fingerprint, "texts": own}
    frame = experiment.store.frame(
        "held_out",
        key,
        lambda: pd.DataFrame({"nll": [-float(s.logprob.mean()) for s in score(lm, own)]}),
        ("replication.lm.scoring", *MODULES),
    )
    value = float(frame["nll"].mean())
    return value, SHARE * value, len(frame)


def continuations(
    experiment: Experiment,
    sampler: Sampler,
    prompts_: Sequence[Sequence[int]],
    limit: float,
    endless: bool = False,
) -> pd.DataFrame:
    """Return the measures of a sampler's continuations.

    Args:
        experiment: the run; gives the number of samples and the length.
        sampler: at temperature 1.
        prompts_: tokens of every prompt.
        limit: negative log-likelihood below which a continuation is repetitive, nats per token.
        endless: forbid the end token.

    Returns:
        A row per path: question, branch, nll (mean, nats per new token), repetitive, loop (share of the
        length limit that equals the token `TAIL` places before), seen (share of 4-grams that came before),
        distinct (different pairs of tokens, of all pairs), ended (by the end token), tokens, text.
    """
    run, lm = experiment.settings, experiment.model()
    length = int(run.sizes["max_new_tokens"])
    samples = 1 if sampler == GREEDY else int(run.sizes["samples"])
    ends = SuppressTokensLogitsProcessor(sorted(lm.eos_ids))
    processors = ((ends,) if endless else ()) + sampler.processors()
    options = {"branches": samples, "max_new_tokens": length, "seed": run.seed, "do_sample": True}
    items = [(str(number), list(prompt)) for number, prompt in enumerate(prompts_)]

    def draw(own: Sequence[tuple[str, list[int]]]) -> pd.DataFrame:
        ids, given = [name for name, _ in own], [prompt for _, prompt in own]
        return engine.generate(lm, given, ids=ids, processors=processors, **options)

    rules = [describe(p) for p in sampler.processors()]
    key = {"model": lm.fingerprint, "processors": rules, "endless": endless, **options}
    modules = {m for p in processors if (m := type(p).__module__).startswith("replication.")}
    paths = experiment.store.stage(
        "continuations", key, items, draw, chunk=CHUNK, modules=(*MODULES, *sorted(modules))
    )
    return measures(paths, dict(items), length, limit)


def measures(
    paths: pd.DataFrame, prompts_: Mapping[str, Sequence[int]], length: int, limit: float
) -> pd.DataFrame:
    """Return the measures of path records, see `continuations`."""
    rows = []
    for path in paths.itertuples():
        new = np.asarray(path.tokens)
        nll = -float(np.mean(path.logprob)) if len(new) else float("nan")
        grams = list(zip(*(new[i:] for i in range(TAIL)), strict=False))
        pairs = list(pairwise(new))
        rows.append(
            {
                "question": path.question,
                "branch": path.branch,
                "nll": nll,
                "repetitive": nll < limit,
                "loop": in_loop(prompts_[path.question], new, length),
                "seen": 1 - len(set(grams)) / len(grams) if grams else 0.0,
                "distinct": len(set(pairs)) / len(pairs) if pairs else 1.0,
                "ended": path.finish == "eos",
                "tokens": len(new),
                "text": path.text,
            }
        )
    return pd.DataFrame(rows)


def in_loop(prompt: Sequence[int], new: Sequence[int], length: int) -> float:
    """Return the tokens of a continuation that equal the token `TAIL` before, as a share of a length."""
    whole = [*list(prompt)[-TAIL:], *new]
    return sum(int(token == before) for token, before in zip(new, whole, strict=False)) / length


def runs(
    experiment: Experiment,
    prompts_: Sequence[Sequence[int]],
    limit: float,
    endless: bool = False,
    names: Sequence[str] = (),
) -> dict[str, pd.DataFrame]:
    """Return `continuations` of the samplers of `samplers` by their labels; greedy keeps its name.

    Args:
        experiment: the run.
        prompts_: as in `continuations`.
        limit: as in `continuations`.
        endless: as in `continuations`.
        names: keys of `samplers`; all by default.
    """
    chosen = samplers(experiment.model().vocabulary)
    return {
        (name if name == "greedy" else s.label): continuations(experiment, s, prompts_, limit, endless)
        for name, s in chosen.items()
        if not names or name in names
    }


def by_prompt(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column's mean over the paths of each prompt: (prompts,) float64."""
    return rows.groupby("question", sort=False)[column].mean().to_numpy(dtype=float)


def table(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row per sampler: shares with intervals over prompts, mean likelihood and length."""
    rows = []
    for label, own in found.items():
        shares = [mean(by_prompt(own, c)) for c in ("repetitive", "loop", "seen", "distinct", "ended")]
        rows.append((label, *shares, f"{own['nll'].mean():.2f}", f"{own['tokens'].mean():.0f}"))
    header = ["sampler", "repetitive", "in the loop", "4-grams seen before", "distinct pairs", "ended"]
    return pd.DataFrame(rows, columns=[*header, "NLL, nats", "new tokens"])


def shares(found: Mapping[str, pd.DataFrame], column: str) -> pd.DataFrame:
    """Return a column's share per sampler: bin (the sampler), accuracy (the share), low, high, n."""
    cells = {label: mean(by_prompt(own, column)) for label, own in found.items()}
    rows = [(label, e.value, e.low, e.high, e.n) for label, e in cells.items()]
    return pd.DataFrame(rows, columns=["bin", "accuracy", "low", "high", "n"])


def trapped(found: Mapping[str, pd.DataFrame], vocabulary: int) -> Estimate:
    """Return P2, the share of new tokens in the loop under top-p."""
    return mean(by_prompt(found[samplers(vocabulary)[TOP_P].label], "loop"))


def claims(found: Mapping[str, pd.DataFrame], vocabulary: int) -> dict[str, Estimate]:
    """Return C4a (repetitive) and C4b (in the loop), top-p minus η on the same prompts."""
    own = samplers(vocabulary)
    cells = [found[own[rule].label] for rule in (TOP_P, ETA)]
    return {
        claim: paired.difference(*(by_prompt(cell, column) for cell in cells))
        for claim, column in (("C4a", "repetitive"), ("C4b", "loop"))
    }


def examples(found: Mapping[str, pd.DataFrame], names: Sequence[str], n: int = 3) -> pd.DataFrame:
    """Return the first continuations of some samplers: prompt, sampler, verdict, text."""
    rows = [
        (row.question, label, row.repetitive, row.text[:160])
        for label in names
        for row in found[label][found[label]["branch"] == 0].head(n).itertuples()
    ]
    frame = pd.DataFrame(rows, columns=["prompt", "sampler", "repetitive", "continuation"])
    return frame.sort_values("prompt", kind="stable", ignore_index=True)
