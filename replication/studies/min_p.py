"""Min-p sampling (arXiv 2407.01082) against temperature: critical temperature, runs, diversity, order.

High temperatures are told by the model at hand: T_c is where the probability of the largest logit over all V
tokens begins to drown, (M - μ) / ln V at a place; "hot" is the smallest temperature of the main table's grids
that is at least `HOT` times its median.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from replication.decoding.experiment import Experiment
from replication.decoding.truncation import critical_temperature
from replication.evaluation import paired
from replication.evaluation.claims import Estimate
from replication.lm.scoring import logits_at
from replication.lm.shards import each
from replication.settings import InputError
from replication.studies import samplers
from replication.studies.samplers import Sampler

RAW = (0.7, 1.0, 1.5, 2.0, 3.0)
"""Temperatures of the published main table."""
PUBLISHED_CRITICAL = 1.8
"""T_c that stands for the published models, known for LLaMA-3 only."""
HOT, NEAR = 1.5, 1.2
P, TOP_P = 0.1, 0.9
MIN_P, NUCLEUS, PLAIN = Sampler("min-p", P), Sampler("top-p", TOP_P), Sampler()
FURTHER = (Sampler("min-p", 0.05), Sampler("min-p", 0.2), Sampler("min-p", 0.3),
           Sampler("top-k", 10), Sampler("top-k", 20))  # fmt: skip
NO_LADDER = "Needs models of one family in several sizes: give them as `ladder`."
BLOCK = 8  # texts whose logits are held at once
SCORING = ("replication.studies.min_p", "replication.lm.engine", "replication.lm.scoring")


@dataclass(frozen=True)
class Heat:
    """Temperatures of one model.

    Attributes:
        critical: T_c, the median over places.
        low: lower quartile of the places' values.
        high: upper quartile.
        places: number of places.
    """

    critical: float
    low: float
    high: float
    places: int

    @property
    def rescaled(self) -> tuple[float, ...]:
        """The published temperatures times T_c / 1.8, two decimals."""
        return tuple(round(t * self.critical / PUBLISHED_CRITICAL, 2) for t in RAW)

    @property
    def grid(self) -> tuple[float, ...]:
        """All temperatures of both grids, ascending."""
        return tuple(sorted({*RAW, *self.rescaled}))

    @property
    def near(self) -> float:
        """`NEAR` times T_c, two decimals: beyond it, but not yet hot."""
        return round(NEAR * self.critical, 2)

    @property
    def hot(self) -> float:
        """The smallest of them that is at least `HOT` times T_c."""
        return min(t for t in self.grid if t >= HOT * self.critical)


def prompted(experiment: Experiment, **where: object) -> dict[str, object]:
    """Return options of a run: the profile's prompt style unless another is given."""
    return {"style": str(experiment.settings.sizes["style"])} | where


def wide_k(experiment: Experiment) -> int:
    """Return the k of the main table: the profile's, or a tenth of the vocabulary where that is 0."""
    return int(experiment.settings.sizes["top_k"]) or max(1, round(experiment.model().vocabulary / 10))


def main_samplers(experiment: Experiment) -> tuple[Sampler, ...]:
    """Return the four samplers of the main table: none, top-k, top-p and min-p."""
    return (PLAIN, Sampler("top-k", wide_k(experiment)), NUCLEUS, MIN_P)


def contexts(experiment: Experiment, n: int, model: str = "") -> list[tuple[list[int], int]]:
    """Return greedy answers to n questions of the tuning split: (ids with the prompt, length of the prompt).

    Answers without a token are left out.
    """
    run = experiment.sample(temperature=0, **_tuning(experiment, n, model))
    found = []
    for question, tokens in zip(run.frame["question"], run.frame["tokens"], strict=True):
        prompt = list(run.prompts[question])
        if len(tokens):
            found.append((prompt + [int(token) for token in tokens], len(prompt)))
    return found


def _tuning(experiment: Experiment, n: int, model: str) -> dict[str, object]:
    """Return the options of a run on n questions of the tuning split."""
    split = samplers.tuning_split(experiment.task)
    return prompted(experiment, n=n, split=split, model=model)


def heat(experiment: Experiment, model: str = "") -> Heat:
    """Return a model's critical temperature, by teacher forcing on its greedy answers.

    The real vocabulary counts, not the padding of the logits beyond it. The places' values are kept on disk.

    Raises:
        InputError: all answers are empty.
    """
    sizes = experiment.settings.sizes
    n, lm = int(sizes["n_small"]), experiment.model(model)
    key = experiment.asked(**_tuning(experiment, n, model)).key | {"length": sizes["max_new_tokens"]}

    def places() -> pd.DataFrame:
        values: list[float] = []
        found = contexts(experiment, n, model)
        for block in (found[start : start + BLOCK] for start in range(0, len(found), BLOCK)):
            asked = [range(start, len(ids)) for ids, start in block]
            for logits in logits_at(lm, [ids for ids, _ in block], asked):
                values += critical_temperature(logits[:, : lm.vocabulary].float()).flatten().tolist()
        return pd.DataFrame({"critical": values})

    values = experiment.store.frame("critical_temperature", key, places, SCORING)["critical"]
    if not len(values):
        raise InputError(
            "All greedy answers are empty, so there is no T_c: use another model or prompt style."
        )
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return Heat(float(middle), float(low), float(high), len(values))


def runs(
    experiment: Experiment, chosen: Sequence[Sampler], temperatures: Sequence[float], **where: object
) -> pd.DataFrame:
    """Return `samplers.outcomes` of some samplers under the profile's prompt style."""
    return samplers.outcomes(experiment, chosen, temperatures, **prompted(experiment, **where))


def at(frame: pd.DataFrame, temperatures: Sequence[float]) -> pd.DataFrame:
    """Return the rows at some temperatures."""
    return frame[frame["temperature"].isin(temperatures)]


def relative(curves: Mapping[str, pd.DataFrame], critical: float) -> dict[str, pd.DataFrame]:
    """Return curves with the column relative, T / T_c."""
    return {name: rows.assign(relative=rows["temperature"] / critical) for name, rows in curves.items()}


def mean_gap(frame: pd.DataFrame, first: Sampler, second: Sampler, temperatures: Sequence[float]) -> Estimate:
    """Return the accuracy of one sampler minus another's, averaged over temperatures, in pairs."""
    means = [
        np.mean([samplers.by_question(samplers.cell(frame, one.label, t)) for t in temperatures], axis=0)
        for one in (first, second)
    ]
    return paired.difference(*means)


def minus_greedy(frame: pd.DataFrame, sampler: Sampler, temperature: float, greedy: pd.DataFrame) -> Estimate:
    """Return the accuracy of a cell minus that of the greedy path on the same questions."""
    cell = samplers.cell(frame, sampler.label, temperature)
    return paired.difference(samplers.by_question(cell), samplers.by_question(greedy))


# The order of temperature and truncation (control K2)


def before(p: float, temperature: float) -> Sampler:
    """Return the sampler that applies min-p before the temperature.

    Its kept set is that of logits at T = 1: l >= M + ln p, which on logits divided by T reads
    l / T >= M / T + ln p^(1/T). So it is min-p with p^(1/T) behind the temperature.
    """
    return Sampler("min-p", p ** (1 / temperature))


def before_runs(
    experiment: Experiment, p: float, temperatures: Sequence[float], **where: object
) -> pd.DataFrame:
    """Return the outcomes of min-p before the temperature, under one label."""
    different = list(dict.fromkeys(temperatures))
    parts = each(lambda t: runs(experiment, [before(p, t)], [t], **where), different)
    return pd.concat(parts, ignore_index=True).assign(sampler=f"min-p {p:g} before the temperature", value=p)


def before_minus_after(early: pd.DataFrame, late: pd.DataFrame, temperature: float) -> Estimate:
    """Return the accuracy of min-p before the temperature minus after it, in pairs."""
    own = samplers.by_question(at(early, [temperature]))
    return paired.difference(own, samplers.by_question(samplers.cell(late, MIN_P.label, temperature)))


# Sizes (claim C2)


def size_runs(
    experiment: Experiment, models: Sequence[str], temperatures: Sequence[float] = (1.0,)
) -> dict[str, tuple[Heat, pd.DataFrame]]:
    """Return for every model its temperatures and the outcomes at `temperatures` and at its own hot one."""

    def one(model: str) -> tuple[Heat, pd.DataFrame]:
        own = heat(experiment, model)
        grid = tuple(dict.fromkeys((*temperatures, own.hot)))
        return own, runs(experiment, (PLAIN, NUCLEUS, MIN_P), grid, model=model)

    return dict(zip(models, each(one, models), strict=True))


def size_table(sizes: Mapping[str, tuple[Heat, pd.DataFrame]]) -> pd.DataFrame:
    """Return a row per model and temperature: T_c, T, accuracy of every sampler, the gap and n."""
    rows = []
    for model, (own, frame) in sizes.items():
        for t in sorted(frame["temperature"].unique()):
            cells = {name: samplers.cell(frame, name, t) for name in frame["sampler"].unique()}
            gap = samplers.gap(frame, (MIN_P.label, t), (NUCLEUS.label, t))
            shown = {name: samplers.estimate(cell) for name, cell in cells.items()}
            rows.append({"model": model, "T_c": own.critical, "T": t} | shown | {"min-p minus top-p": gap})
    return pd.DataFrame(rows)


def size_claim(sizes: Mapping[str, tuple[Heat, pd.DataFrame]]) -> Estimate | str:
    """Return C2, the smallest gap over the sizes, or why it cannot be had."""
    if len(sizes) < 2:
        return NO_LADDER
    gaps = {}
    for model, (own, frame) in sizes.items():
        one, other = (samplers.by_question(samplers.cell(frame, s.label, own.hot)) for s in (MIN_P, NUCLEUS))
        gaps[model] = one - other
    return paired.smallest(gaps)[1]


# Quality and diversity (claim C3b)


def solutions(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how many different solutions each question got.

    Args:
        frame: rows of `samplers.outcomes`, several paths a question.

    Returns:
        A row per sampler, temperature and question: correct (share of right paths), distinct (different
        finished texts with an answer, per path drawn), right (the right ones among them, per path drawn),
        answers (different answers, per path drawn). White space is collapsed before texts are compared.
    """
    keys = ["sampler", "temperature", "question"]
    rows = frame.assign(trace=frame["text"].map(lambda text: " ".join(text.split())))
    groups = rows.groupby(keys, sort=False)
    paths = groups.size()
    done = rows[rows["finished"] & rows["answer"].notna()]
    counts = {
        "distinct": done.groupby(keys)["trace"].nunique(),
        "right": done[done["correct"]].groupby(keys)["trace"].nunique(),
        "answers": done.groupby(keys)["answer"].nunique(),
    }
    shares = {name: count.reindex(paths.index, fill_value=0) / paths for name, count in counts.items()}
    return pd.DataFrame({"correct": groups["correct"].mean()} | shares).reset_index()


def trade_off(found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return per sampler the temperature, distinct solutions and accuracy with its interval, by temperature.

    Args:
        found: rows of `solutions`.
    """
    curves = samplers.curves(found)
    distinct = samplers.curves(found, "distinct")
    return {name: rows.assign(distinct=distinct[name]["accuracy"]) for name, rows in curves.items()}


def right_gap(found: pd.DataFrame, first: Sampler, second: Sampler, temperature: float) -> Estimate:
    """Return the distinct right solutions per path of one sampler minus another's, in pairs."""
    cells = [samplers.cell(found, s.label, temperature) for s in (first, second)]
    return paired.difference(*(samplers.by_question(cell, "right") for cell in cells))


# What transformers does by itself


def default_top_k(experiment: Experiment, temperature: float, n: int = 16) -> pd.DataFrame:
    """Return how many tokens `generate` leaves in the middle of greedy answers, with and without top_k.

    Returns:
        A row per setting: rule, setting, mean and largest number of tokens with a finite score, contexts.
    """
    lm = experiment.model()
    prefixes = [ids[: (start + len(ids)) // 2 + 1] for ids, start in contexts(experiment, n)]
    rows = []
    for rule, options in (("sampling", {}), (MIN_P.label, {"min_p": P})):
        for setting, more in (("default", {}), ("top_k = 0", {"top_k": 0})):
            left = [_finite(lm, ids, temperature=temperature, **options, **more) for ids in prefixes]
            rows.append((rule, setting, float(np.mean(left)), max(left), len(left)))
    return pd.DataFrame(rows, columns=["rule", "setting", "tokens left, mean", "largest", "contexts"])


@torch.inference_mode()
def _finite(lm: object, ids: Sequence[int], **options: float) -> int:
    """Return the number of finite scores after one step of `generate`."""
    row: Tensor = torch.tensor([list(ids)], device=lm.device)
    out = lm.model.generate(
        row, attention_mask=torch.ones_like(row), do_sample=True, max_new_tokens=1, pad_token_id=lm.pad_id,
        output_scores=True, return_dict_in_generate=True, **options,
    )  # fmt: skip
    return int(torch.isfinite(out.scores[0]).sum())
