"""The logits of every step of a model's own greedy answers (Top-nσ, arXiv 2411.07641, claims 1 to 3).

They show the shape of real logits, the critical temperature, and which kept sets move with the temperature.
The question is the unit of all intervals: its steps are averaged first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
import torch
from scipy.special import ndtr
from torch import Tensor

from replication.decoding.experiment import Experiment, Run
from replication.decoding.top_nsigma import noise_edge
from replication.evaluation.accuracy import mean
from replication.evaluation.bootstrap import around, resampled_means
from replication.evaluation.claims import Estimate
from replication.lm.loading import LanguageModel
from replication.lm.scoring import logits_at
from replication.settings import InputError
from replication.studies.samplers import Sampler
from replication.testbed import corpus, grown, models, training

GRID = (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0)
"""Temperatures of the measurements on given texts."""
ANSWERS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
"""Temperatures of the runs that generate answers, a part of `GRID`."""
HOT = 1.5
"""From how many critical temperatures on a temperature is called hot; the published T = 3 is 1.67 of them."""
STYLE = "zero_shot_cot"
NSIGMA, MIN_P, TOP_P = Sampler("top-nσ", 1.0), Sampler("min-p", 0.1), Sampler("top-p", 0.9)
SETS = (TOP_P, MIN_P, Sampler("top-k", 20), NSIGMA)
"""Rules whose kept sets are counted at every temperature."""
SHAPE = ("mean", "sigma", "distance", "critical", "gap", "skewness", "kurtosis")
BULK = 5.0  # the paper's line, μ + 5σ
BLOCK = 2**24  # logits worked on at once
# Training documents that tell which tokens a testbed model has seen: the first of each of its streams, and
# the most streams. A stream is read for 50 steps, about 2,800 documents: for the wide model nearly all.
DOCUMENTS, STREAMS = 2800, 14
MODULES = ("replication.studies.top_nsigma_logits", "replication.lm.engine")
SEEN = ("replication.testbed.corpus", "replication.testbed.models")


@dataclass(frozen=True)
class Heat:
    """The temperatures that the claims speak of.

    Attributes:
        critical: T_c, the median of (M - μ)/ln V over the steps of the greedy answers.
        cell: T_c with one decimal, at least 0.1, the temperature of runs "at T_c".
        hot: smallest of `ANSWERS` from `HOT` T_c on; the largest one where none reaches that far.
        reach: largest of `ANSWERS` divided by T_c (precondition P2).
    """

    critical: Estimate
    cell: float
    hot: float
    reach: Estimate

    @property
    def three(self) -> tuple[float, ...]:
        """T = 1, T_c and hot, ascending, each once."""
        return tuple(sorted({1.0, self.cell, self.hot}))

    def __str__(self) -> str:
        """Return T_c with its interval, and hot as a multiple of it."""
        c = self.critical
        hot = f"hot is T = {self.hot:g} = {self.hot / c.value:.2f} T_c"
        return f"T_c = {c.value:.2f} [{c.low:.2f}, {c.high:.2f}]; {hot}"


def greedy_run(experiment: Experiment, model: str = "") -> Run:
    """Return the greedy step-by-step answers to the run's questions."""
    return experiment.sample(
        temperature=0, n=int(experiment.settings.sizes["n_questions"]), style=STYLE, model=model
    )


def contexts(run: Run, limit: int) -> tuple[list[str], list[list[int]], list[list[int]]]:
    """Return the texts that are read again: prompts with their greedy answers.

    Args:
        run: greedy paths.
        limit: largest number of steps; later questions are left out.

    Returns:
        Question ids, token ids of prompt and answer, and the places of the answer's tokens in them.
    """
    names, sequences, places, total = [], [], [], 0
    for row in run.frame.itertuples():
        if total >= limit:
            break
        prompt = run.prompts[row.question]
        own = list(range(len(prompt), len(prompt) + len(row.tokens)))[: limit - total]
        total += len(own)
        names.append(row.question)
        sequences.append([*prompt, *(int(i) for i in row.tokens)])
        places.append(own)
    return names, sequences, places


def seen(experiment: Experiment, model: str = "") -> Tensor | None:
    """Return (V,) bool, the tokens in a sample of a testbed model's own training text, from the records.

    None for other models, whose training text is not known.
    """
    lm = experiment.model(model)
    if lm.name not in models.names():
        return None
    recipe = grown.recipe(grown.in_force(lm.name))
    key = {"model": lm.fingerprint, "recipe": recipe, "documents": DOCUMENTS, "streams": STREAMS}

    def compute() -> pd.DataFrame:
        found = set(lm.eos_ids)
        for number in range(min(STREAMS, -(-recipe.steps // training.CHUNK))):
            stream = corpus.documents(1000 * recipe.data_seed + number, recipe.mix)
            texts = [document.text for document in islice(stream, DOCUMENTS)]
            found.update(i for ids in lm.tokenizer(texts)["input_ids"] for i in ids)
        return pd.DataFrame({"token": sorted(found)})

    tokens = experiment.store.frame("tokens_seen", key, compute, SEEN)["token"]
    mask = torch.zeros(lm.vocabulary, dtype=torch.bool)
    mask[torch.tensor(tokens.to_numpy())] = True
    return mask


def describe(logits: Tensor, known: Tensor | None = None) -> pd.DataFrame:
    """Return what each row of raw logits looks like.

    Args:
        logits: (N, V) float32, finite, rows of the vocabulary only.
        known: (V,) bool, tokens that the model has seen in training.

    Returns:
        A row each with mean, sigma (V - 1), maximum, distance (σ-distance (M - μ)/σ), critical
        ((M - μ)/ln V), top (softmax mass above μ + 5σ), top_n1 (above M - σ) and the numbers of these
        tokens, count and count_n1; entropy (nats); gap (largest distance of the distribution function of the
        logits up to μ + 5σ from the normal one), skewness and kurtosis (excess) of these; and the columns of
        `SHAPE` with the ending _seen, over the known tokens alone (NaN where they are not known).
    """
    wide = logits.double()
    frame, high = _shape(wide)
    p, near = wide.softmax(-1), wide >= (wide.amax(-1) - wide.std(-1))[:, None]
    columns = {
        "maximum": wide.amax(-1),
        "top": (p * high).sum(-1),
        "top_n1": (p * near).sum(-1),
        "count": high.sum(-1).double(),
        "count_n1": near.sum(-1).double(),
        "entropy": -(p * p.clamp(min=1e-300).log()).sum(-1),
    }
    frame = frame.assign(**{name: column.numpy() for name, column in columns.items()})
    if known is not None and known.sum() > 1:
        part = _shape(wide[:, known])[0]
    else:
        part = pd.DataFrame(np.nan, index=frame.index, columns=list(SHAPE))
    return pd.concat([frame, part.add_suffix("_seen")], axis=1).assign(row=range(len(frame)))


def _shape(wide: Tensor) -> tuple[pd.DataFrame, Tensor]:
    """Return the columns `SHAPE` of rows of float64 logits, and which logits lie above μ + 5σ."""
    centre, sigma, largest = wide.mean(-1), wide.std(-1), wide.amax(-1)
    high = wide > (centre + BULK * sigma)[:, None]
    rows = zip(wide.numpy(), high.numpy(), strict=True)
    bulks = np.array([bulk_shape(row[~above]) for row, above in rows]).reshape(-1, 3)
    found = [centre, sigma, (largest - centre) / sigma, (largest - centre) / np.log(wide.shape[1])]
    columns = np.column_stack([*(column.numpy() for column in found), bulks])
    return pd.DataFrame(columns, columns=list(SHAPE)), high


def bulk_shape(values: np.ndarray) -> tuple[float, float, float]:
    """Return how far standardised values are from normal.

    Returns:
        Largest gap of the distribution functions (the statistic of Kolmogorov and Smirnov), skewness, and
        excess kurtosis.
    """
    z = np.sort((values - values.mean()) / values.std())
    steps = np.arange(len(z) + 1) / len(z)
    normal = ndtr(z)
    gap = max((steps[1:] - normal).max(), (normal - steps[:-1]).max())
    return float(gap), float((z**3).mean()), float((z**4).mean() - 3)


def kept_sizes(logits: Tensor, samplers: Sequence[Sampler], temperatures: Sequence[float]) -> pd.DataFrame:
    """Return the size of every kept set, and whether it is the first temperature's.

    Returns:
        A row per row of the logits, sampler and temperature: row, sampler, temperature, kept, same (the very
        tokens that are kept at the first temperature).
    """
    parts = []
    for sampler in samplers:
        first = sampler.keep(logits, temperatures[0])
        for temperature in temperatures:
            keep = sampler.keep(logits, temperature)
            columns = {"kept": keep.sum(-1).numpy(), "same": (keep == first).all(-1).numpy()}
            frame = pd.DataFrame({"row": np.arange(len(logits)), **columns})
            parts.append(frame.assign(sampler=sampler.label, temperature=float(temperature)))
    return pd.concat(parts, ignore_index=True)


def _blocks(lm: LanguageModel, sequences: list[list[int]], places: list[list[int]]) -> list[range]:
    """Return ranges of texts whose logits fit into memory together."""
    blocks, start, size = [], 0, 0
    for i, own in enumerate(places):
        if i > start and (size + len(own)) * lm.width > BLOCK:
            blocks.append(range(start, i))
            start, size = i, 0
        size += len(own)
    return [*blocks, range(start, len(sequences))]


def _key(experiment: Experiment, model: str) -> dict[str, object]:
    """Return what determines the greedy texts that are read again, for the records."""
    sizes = experiment.settings.sizes
    asked = experiment.asked(n=int(sizes["n_questions"]), style=STYLE, model=model)
    return asked.key | {name: sizes[name] for name in ("n_places", "max_new_tokens")}


def steps(experiment: Experiment, model: str = "") -> pd.DataFrame:
    """Return `describe` of every step of the greedy answers, with question and step, from the records."""

    def compute() -> pd.DataFrame:
        known = seen(experiment, model)
        return _over_blocks(experiment, model, lambda logits: describe(logits, known))

    return experiment.store.frame("logit_steps", _key(experiment, model), compute, MODULES)


def kept_sets(
    experiment: Experiment,
    samplers: Sequence[Sampler] = SETS,
    temperatures: Sequence[float] = GRID,
    model: str = "",
) -> pd.DataFrame:
    """Return `kept_sizes` at every step of the greedy answers, with question and step, from the records."""
    key = _key(experiment, model)
    key |= {"samplers": [s.label for s in samplers], "temperatures": list(temperatures)}

    def compute() -> pd.DataFrame:
        return _over_blocks(experiment, model, lambda logits: kept_sizes(logits, samplers, temperatures))

    return experiment.store.frame("logit_sets", key, compute, (*MODULES, "replication.studies.samplers"))


def _over_blocks(
    experiment: Experiment, model: str, measure: Callable[[Tensor], pd.DataFrame]
) -> pd.DataFrame:
    """Return a measure of blocks of logits; its column row becomes question and step."""
    run = greedy_run(experiment, model)
    names, sequences, places = contexts(run, int(experiment.settings.sizes["n_places"]))
    parts = []
    for block in _blocks(run.lm, sequences, places):
        own = [places[i] for i in block]
        rows = [(names[i], step) for i, here in zip(block, own, strict=True) for step in range(len(here))]
        logits = torch.cat(logits_at(run.lm, [sequences[i] for i in block], own))[:, : run.lm.vocabulary]
        found = measure(logits)
        place = pd.DataFrame(rows, columns=["question", "step"]).iloc[found["row"].to_numpy()]
        parts.append(pd.concat([place.reset_index(drop=True), found.drop(columns="row")], axis=1))
    return pd.concat(parts, ignore_index=True)


# Estimates


def over_questions(frame: pd.DataFrame, column: str) -> Estimate:
    """Return the mean of a column over questions, of each question's mean over its steps."""
    return mean(frame.groupby("question", sort=False)[column].mean().to_numpy(dtype=float))


def quantiles(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean with interval and quantiles over steps of what `describe` measures."""
    names = {
        "mean": "mean μ",
        "sigma": "standard deviation σ",
        "maximum": "maximum M",
        "distance": "σ-distance (M - μ)/σ",
        "critical": "(M - μ)/ln V",
        "top": "softmax mass above μ + 5σ",
        "count": "tokens above μ + 5σ",
        "top_n1": "softmax mass above M - σ",
        "count_n1": "tokens above M - σ",
        "gap": "largest gap to the normal distribution",
        "skewness": "skewness of the bulk",
        "kurtosis": "excess kurtosis of the bulk",
        "sigma_seen": "seen tokens only: σ",
        "distance_seen": "seen tokens only: σ-distance",
        "critical_seen": "seen tokens only: (M - μ)/ln V",
        "gap_seen": "seen tokens only: largest gap to the normal distribution",
        "skewness_seen": "seen tokens only: skewness of the bulk",
        "kurtosis_seen": "seen tokens only: excess kurtosis of the bulk",
    }
    rows = []
    for column, label in names.items():
        if frame[column].notna().all():
            five = frame[column].quantile([0.05, 0.25, 0.5, 0.75, 0.95])
            rows.append((label, over_questions(frame, column), *five))
    return pd.DataFrame(rows, columns=["quantity", "mean", "5 %", "25 %", "median", "75 %", "95 %"])


def beyond_noise(frame: pd.DataFrame, vocabulary: int) -> Estimate:
    """Return C1a: the mean σ-distance minus √(2 ln V), which V Gaussian numbers reach."""
    e, edge = over_questions(frame, "distance"), noise_edge(vocabulary)
    return Estimate(e.value - edge, e.low - edge, e.high - edge, e.n)


def invariance(frame: pd.DataFrame, sampler: Sampler = NSIGMA) -> Estimate:
    """Return C3a: the share of steps whose kept set is the same at all temperatures; n counts questions.

    Questions are resampled, without pseudo-questions (choice A13): the interval has width zero when no step
    of any question differs.
    """
    own = frame[frame["sampler"] == sampler.label]
    same = own.groupby(["question", "step"], sort=False)["same"].all().groupby("question", sort=False)
    steps = np.column_stack([same.sum(), same.size()]).astype(float)  # (questions, 2)
    drawn = resampled_means(steps, np.random.default_rng(0))
    return around(steps[:, 0].sum() / steps[:, 1].sum(), drawn[:, 0] / drawn[:, 1], len(steps))


def growth(frame: pd.DataFrame, hot: float, samplers: Sequence[Sampler] = (TOP_P, MIN_P)) -> Estimate:
    """Return C3e: the share of steps where all these samplers keep more tokens when hot than at T = 1."""
    grown = []
    for sampler in samplers:
        own = frame[frame["sampler"] == sampler.label].set_index(["question", "step"])
        kept = {t: own.loc[own["temperature"] == t, "kept"] for t in (1.0, hot)}
        grown.append(kept[hot] > kept[1.0])
    both = pd.concat(grown, axis=1).all(axis=1)
    return mean(both.groupby("question", sort=False).mean().to_numpy(dtype=float))


def size_curves(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return per sampler the columns temperature, accuracy (mean kept size over questions), low, high."""
    found = {}
    for sampler, own in frame.groupby("sampler", sort=False):
        rows = []
        for temperature, cell in own.groupby("temperature"):
            e = over_questions(cell, "kept")
            rows.append((temperature, e.value, e.low, e.high, e.n))
        found[str(sampler)] = pd.DataFrame(rows, columns=["temperature", "accuracy", "low", "high", "n"])
    return found


def critical_temperature(
    frame: pd.DataFrame, column: str = "critical", resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Return T_c: the median of (M - μ)/ln V over steps, questions resampled for the interval."""
    groups = [own.to_numpy() for _, own in frame.groupby("question", sort=False)[column]]
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(groups), (resamples, len(groups)))
    medians = [np.median(np.concatenate([groups[i] for i in row])) for row in drawn]
    low, high = np.quantile(medians, [0.025, 0.975])
    value = float(frame[column].median())
    return Estimate(value, min(value, float(low)), max(value, float(high)), len(groups))


def heat(experiment: Experiment, model: str = "") -> Heat:
    """Return the temperatures that the claims speak of, measured on the model's greedy answers."""
    e = critical_temperature(steps(experiment, model))
    top = ANSWERS[-1]
    hot = next((t for t in ANSWERS if t >= HOT * e.value), top)
    reach = Estimate(top / e.value, top / e.high, top / e.low, e.n)
    return Heat(e, max(round(e.value, 1), 0.1), hot, reach)


def vocabularies(experiment: Experiment, names: Sequence[str]) -> pd.DataFrame:
    """Return σ-distance, noise reach and T_c of several models; a missing checkpoint is left out.

    Two rows for a model whose training text is known: over its whole vocabulary, and over the tokens seen in
    it alone.
    """
    rows = []
    for name in names:
        try:
            lm = experiment.model(name)
        except InputError:
            continue
        own, known = steps(experiment, name), seen(experiment, name)
        kinds = {"all": ("", lm.vocabulary)}
        if known is not None:
            kinds["seen in training"] = ("_seen", int(known.sum()))
        for kind, (ending, size) in kinds.items():
            distance = over_questions(own, f"distance{ending}")
            t_c = critical_temperature(own, f"critical{ending}")
            rows.append((lm.name.rstrip("/").rpartition("/")[2], kind, size, distance, noise_edge(size), t_c))
    header = ["model", "tokens", "number", "σ-distance", "reach of noise, √(2 ln V)", "T_c"]
    return pd.DataFrame(rows, columns=header)
