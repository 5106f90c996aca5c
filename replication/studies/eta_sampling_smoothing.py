"""Is a model the truth, smoothed? The model of η-sampling's paper (arXiv 2210.15191) held against the truth.

P(v) = λ P*(v) + (1 - λ) Q(v) with Q nearly uniform. Outside the support of P* the model's probability is
(1 - λ) Q alone, so that its mass and its shape can be read off where the support is known.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from replication.decoding.eta_sampling import entropy, eta_threshold, switch_entropy
from replication.decoding.experiment import Experiment
from replication.evaluation import bootstrap
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import NOTHING, Estimate
from replication.lm.loading import LanguageModel
from replication.lm.scoring import logits_at
from replication.settings import InputError
from replication.studies import eta_sampling as study
from replication.studies import eta_sampling_texts as reading
from replication.studies.eta_sampling import EPSILON, ETA, HIGH, LOW, TOP_P
from replication.studies.samplers import Sampler
from replication.testbed import support as truth

MODULES = ("replication.studies.eta_sampling_smoothing", "replication.studies.support")
TOY_TRUE, TOY_VOCABULARY, TOY_LAMBDA = 20, 1000, 0.9
HAND = (0.5, 0.25, 0.125, 0.0625, 0.0625)
PREFIXES = ("My name", "My name is", "Donald", "Capitals: Paris is in France, Rome is in Italy, Accra is in",
            "The", " ".join(["The feeling!"] * 12))  # fmt: skip
"""What models without known texts are shown: the published prefixes, the list of capitals reworded."""
REPEATS = 12
RESAMPLES = 2000


# By hand


def hand_logits() -> Tensor:
    """Return the logits of the worked example, probabilities 1/2, 1/4, 1/8, 1/16, 1/16: (1, 5)."""
    return torch.tensor([HAND]).log()


def hand_table(values: Sequence[float] = (0.3, 0.2, 0.1, 0.05)) -> pd.DataFrame:
    """Return what η keeps of the worked example: ε, √ε exp(-h), η, tokens kept."""
    row = hand_logits()
    h = float(entropy(row.softmax(-1)))
    rows = [
        (f"{e:g}", f"{e**0.5 * np.exp(-h):.6f}", f"{float(eta_threshold(row, e)):.6f}",
         int(Sampler(ETA, e).keep(row).sum()))
        for e in values
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["ε", "√ε exp(-h)", "η", "kept"])


def switches(values: Sequence[float], factor: float = 1.0) -> pd.DataFrame:
    """Return the entropy (nats) from which η follows it, for published values and for scaled ones.

    Args:
        values: published ε.
        factor: what they are multiplied by.
    """
    rows = []
    for e in values:
        own = min(study.LARGEST, e * factor)
        rows.append((f"{e:g}", f"{switch_entropy(e):.2f}", f"{own:.4g}", f"{switch_entropy(own):.2f}"))
    return pd.DataFrame(rows, columns=["ε", "switch, nats", "ε scaled", "switch scaled, nats"])


# The toy mixture


def toy_logits() -> Tensor:
    """Return log(0.9 softmax(linspace(0, -4, 20)) + 0.1 uniform(1000)), true words first: (1, 1000)."""
    true = torch.zeros(TOY_VOCABULARY, dtype=torch.float64)
    true[:TOY_TRUE] = torch.linspace(0, -4, TOY_TRUE, dtype=torch.float64).softmax(-1)
    mixed = TOY_LAMBDA * true + (1 - TOY_LAMBDA) / TOY_VOCABULARY
    return mixed.log().float()[None]


def toy_table(samplers: Sequence[Sampler]) -> pd.DataFrame:
    """Return for every sampler the tokens kept of the toy, and the true and the false among them."""
    row = toy_logits()
    rows = []
    for one in samplers:
        keep = one.keep(row)[0]
        true = int(keep[:TOY_TRUE].sum())
        rows.append((one.label, int(keep.sum()), true, int(keep.sum()) - true))
    return pd.DataFrame(rows, columns=["sampler", "kept", "true words", "impossible words"])


TOY_SAMPLERS = (
    Sampler(EPSILON, 2e-4), Sampler(ETA, 2e-4), Sampler(TOP_P, 0.95), Sampler("min-p", 0.1),
    Sampler("min-p", 0.05), Sampler("top-nσ", 1.0), Sampler("top-nσ", 5.0), Sampler("top-nσ", 8.0),
)  # fmt: skip


# The model's probability outside the support


def smoothing(experiment: Experiment, model: str = "") -> pd.DataFrame:
    """Return what the model gives to impossible tokens at every known place of the test texts.

    Returns:
        A row per place: kind, text, bin (of the true entropy), entropy (true, nats), h (the model's, nats),
        valid, impossible (their probability, 1 - λ of the smoothing model), largest (the largest one's), and
        of `shape` cv, uniform and lognormal.

    Raises:
        InputError: a model whose texts are not known.
    """
    lm = experiment.model(model)
    if not reading.known(experiment, model):
        raise InputError(reading.NO_TRUTH)
    key = {"model": lm.fingerprint, "texts": reading.described(experiment, "test", model)}

    def compute() -> pd.DataFrame:
        parts = []
        for logits, true, place in reading.chunks(lm, reading.texts(experiment, "test", model)):
            p = logits.double().softmax(-1)
            outside = true == 0
            found = pd.DataFrame(
                {"h": entropy(p), "impossible": (p * outside).sum(-1), "largest": (p * outside).amax(-1)}
            )
            found = pd.concat([found, shape(p, outside)], axis=1)
            parts.append(pd.concat([place, found], axis=1))
        rows = pd.concat(parts, ignore_index=True)
        return rows.assign(bin=study.true_bin(rows["entropy"].to_numpy()))

    return experiment.store.frame("smoothing", key, compute, (*MODULES, *study.MODULES))


def shape(p: Tensor, outside: Tensor) -> pd.DataFrame:
    """Return how the probabilities of the impossible tokens are spread.

    With r = their probabilities divided by their mean: the narrowest uniform law that holds them all is
    [1 - δ, 1 + δ] for δ = max |r - 1| <= 1, else [0, max r]; the log-normal law has the mean and variance of
    ln r.

    Args:
        p: (N, V) float64 probabilities, all above 0.
        outside: (N, V) bool, at least two impossible tokens a row.

    Returns:
        A row per place: cv (standard deviation of r), uniform and lognormal (log-likelihoods per token).
    """
    n = outside.sum(-1).double()
    r = p / ((p * outside).sum(-1) / n)[:, None]
    cv = (((r - 1) ** 2 * outside).sum(-1) / n).sqrt()
    delta = ((r - 1).abs() * outside).amax(-1)
    width = torch.where(delta <= 1, 2 * delta, (r * outside).amax(-1))
    logs = torch.where(outside, r.clamp(min=torch.finfo(r.dtype).tiny).log(), torch.zeros_like(r))
    centre = logs.sum(-1) / n
    variance = (((logs - centre[:, None]) ** 2) * outside).sum(-1) / n
    normal = -centre - 0.5 * (2 * np.pi * np.e * variance).log()
    return pd.DataFrame({"cv": cv.numpy(), "uniform": -width.log().numpy(), "lognormal": normal.numpy()})


def learned(rows: pd.DataFrame | None) -> Estimate:
    """Return P1, the mean probability of the possible tokens, over texts; nothing without the truth."""
    if rows is None:
        return NOTHING
    return mean(1 - rows.groupby("text")["impossible"].mean().to_numpy())


def learned_from(experiment: Experiment) -> Estimate:
    """Return P1 of the run's model; nothing where the truth is unknown."""
    return learned(smoothing(experiment) if reading.known(experiment) else None)


def claims(rows: pd.DataFrame | None) -> dict[str, Estimate | str]:
    """Return C0a (mass on the impossible, high minus low entropy) and C0b (coefficient of variation)."""
    if rows is None:
        return dict.fromkeys(("C0a", "C0b"), reading.NO_TRUTH)
    table = rows.groupby(["text", "bin"])["impossible"].mean().unstack("bin").reindex(columns=[HIGH, LOW])
    medians = rows.groupby("text")["cv"].median().to_numpy()
    return {"C0a": _bin_gap(table.to_numpy(dtype=float)), "C0b": mean(medians)}


def _bin_gap(table: np.ndarray) -> Estimate:
    """Return the mean of the first column minus that of the second, NaN left out, texts resampled."""
    there = ~np.isnan(table)
    if not there.any(axis=0).all():
        return NOTHING
    drawn = bootstrap.counts(len(table), np.random.default_rng(0), RESAMPLES)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (drawn @ np.nan_to_num(table)) / (drawn @ there.astype(float))
    value = np.nanmean(table, axis=0)
    return bootstrap.around(float(value[0] - value[1]), means[:, 0] - means[:, 1], int(there.any(1).sum()))


def smoothing_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per bin of the true entropy.

    Args:
        rows: of `smoothing`.

    Returns:
        bin, texts, places, mass on impossible tokens, probability of the most probable of them (the threshold
        that would cut all noise: median and 99th percentile of the places), coefficient of variation
        (median), share of places where the log-normal law fits better than the uniform one.
    """
    found = []
    rows = rows.assign(better=(rows["lognormal"] > rows["uniform"]).astype(float))
    for name in study.TRUE_EDGES:
        own = rows[rows["bin"] == name]
        if own.empty:
            continue
        mass, better = (mean(own.groupby("text")[c].mean().to_numpy()) for c in ("impossible", "better"))
        largest = [f"{own['largest'].quantile(q):.2g}" for q in (0.5, 0.99)]
        head = (name, own["text"].nunique(), len(own), mass)
        found.append((*head, *largest, f"{own['cv'].median():.1f}", better))
    columns = ["entropy of the truth", "texts", "places", "mass on impossible", "largest impossible, median",
               "99th percentile", "coefficient of variation", "log-normal fits better"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)


def by_model(experiment: Experiment, names: Sequence[str]) -> pd.DataFrame:
    """Return a row per model: probability of the impossible, its largest token (99th percentile), spread."""
    rows = []
    for name in names:
        own = smoothing(experiment, name)
        mass = mean(own.groupby("text")["impossible"].mean().to_numpy())
        rows.append((name, mass, f"{own['largest'].quantile(0.99):.2g}", f"{own['cv'].median():.1f}"))
    return pd.DataFrame(
        rows,
        columns=[
            "model",
            "mass on impossible",
            "largest impossible, 99th percentile",
            "coefficient of variation",
        ],
    )


def outside(experiment: Experiment) -> np.ndarray:
    """Return ln r of the impossible tokens at the first known place of the first answer, see `shape`."""
    lm = experiment.model()
    text = truth.sample(lm.tokenizer, "answers", 1, experiment.settings.seed)[0]
    ((logits, true, _),) = reading.chunks(lm, [text])
    p = logits[0].double().softmax(-1)[true[0] == 0]
    return (p / p.mean()).log().numpy()


# Single distributions


def contexts(experiment: Experiment, prefixes: Sequence[str] = ()) -> dict[str, list[int]]:
    """Return what the single distributions are shown for: title -> tokens of the prefix.

    Args:
        experiment: the run.
        prefixes: texts; where none are given, places of held-out texts for a testbed model (a name, a number,
            a certain token, one that dominates, the first token of an answer, a repeated prompt) and
            `PREFIXES` for any other.
    """
    lm = experiment.model()
    if prefixes or not reading.known(experiment):
        return {_tail(text): lm.encode(text) for text in prefixes or PREFIXES}
    own = {kind: truth.sample(lm.tokenizer, kind, 20, experiment.settings.seed) for kind in reading.KINDS}
    chosen = {
        "a name": _place(own["biographies"], lambda values, h: h),
        "a number": _place(own["equations"], lambda values, h: h),
        "one token dominates": _place(own["biographies"], lambda values, h: len(values) * (0.01 < h < 0.5)),
        "certain": _place(own["worked"], lambda values, h: -h),
        "start of an answer": _place(own["answers"], lambda values, h: h),
    }
    found = {f"{name}: {_tail(lm.decode(ids[-8:]))}": ids for name, ids in chosen.items()}
    first = own["answers"][0].ids
    repeated = [*first[:16], *list(first[12:16]) * REPEATS]
    return found | {f"repeated: {_tail(lm.decode(repeated[-8:]))}": repeated}


def _place(texts: Sequence[truth.OracleText], wanted) -> list[int]:
    """Return the tokens in front of the place that `wanted(probabilities, entropy)` ranks first."""
    best, found = -np.inf, list(texts[0].ids[:1])
    for text in texts:
        for position in text.positions:
            values = np.array(list(position.probabilities.values()))
            score = float(wanted(values, float(-(values * np.log(values)).sum())))
            if score > best:
                best, found = score, list(text.ids[: position.index])
    return found


def _tail(text: str, most: int = 26) -> str:
    text = text.replace("\n", " ↵ ")
    return f"“…{text[-most:]}”" if len(text) > most else f"“{text}”"


def distributions(
    lm: LanguageModel, prefixes: Mapping[str, Sequence[int]], samplers: Sequence[Sampler]
) -> dict[str, tuple[pd.DataFrame, dict[str, int]]]:
    """Return per prefix the sorted probabilities of the next token, and how many of them each sampler keeps.

    Returns:
        title -> (frame with rank from 1 on, token and probability; label -> tokens kept).
    """
    ids = [list(own) for own in prefixes.values()]
    logits = logits_at(lm, ids, [[len(own)] for own in ids])
    found = {}
    for title, row in zip(prefixes, logits, strict=True):
        p, order = row[0].softmax(-1).sort(descending=True)
        tokens = [lm.decode([i]) for i in order[:20].tolist()] + [""] * max(0, len(p) - 20)
        frame = pd.DataFrame({"rank": np.arange(1, len(p) + 1), "token": tokens[: len(p)], "probability": p})
        found[title] = frame, {s.label: int(s.keep(row).sum()) for s in samplers}
    return found


def distribution_table(found: Mapping[str, tuple[pd.DataFrame, Mapping[str, int]]]) -> pd.DataFrame:
    """Return a row per prefix: the model's entropy, its three most probable tokens, tokens kept."""
    rows = []
    for title, (frame, cuts) in found.items():
        p = frame["probability"].to_numpy()
        h = float(-(p[p > 0] * np.log(p[p > 0])).sum())
        top = ", ".join(f"{row.token!r} {row.probability:.2f}" for row in frame.head(3).itertuples())
        rows.append({"prefix": title, "entropy, nats": f"{h:.2f}", "most probable": top} | dict(cuts))
    return pd.DataFrame(rows)
