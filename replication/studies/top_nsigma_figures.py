"""Single steps and texts in pictures, and what the truth says of them (arXiv 2411.07641, Figures 1 and 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from replication.decoding.experiment import Experiment
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import Estimate
from replication.evaluation.ranking import auroc
from replication.lm.scoring import logits_at
from replication.studies import top_nsigma_support as known
from replication.studies.samplers import Sampler
from replication.studies.support import Evidence, held_out, read
from replication.studies.top_nsigma_logits import BULK, GRID, contexts, describe, greedy_run

LAWS = ("log-normal", "uniform", "log-uniform")
MODULES = ("replication.studies.top_nsigma_figures", "replication.lm.engine")
LARGEST = 100_000_000  # parameters of a model that is made a second time, untrained


@dataclass(frozen=True)
class Step:
    """One step of a generation: the text so far, (V,) float64 logits, and the text of every chosen token."""

    before: str
    logits: np.ndarray
    tokens: Mapping[int, str]


def figure_step(experiment: Experiment, model: str = "") -> Step:
    """Return the step with the largest entropy along the first greedy answer (choice A8)."""
    run = greedy_run(experiment, model)
    _, sequences, places = contexts(run, len(run.frame["tokens"].iloc[0]))
    logits = logits_at(run.lm, sequences[:1], places[:1])[0][:, : run.lm.vocabulary]
    place = int(describe(logits)["entropy"].argmax())
    row = logits[place].double()
    top = row.topk(min(20, len(row))).indices.tolist()
    before = run.lm.decode(sequences[0][: places[0][place]])
    return Step(before, row.numpy(), {i: run.lm.tokenizer.decode([i]) for i in top})


def lines_of(step: Step, n: float = 1.0) -> dict[str, float]:
    """Return the lines of Figure 1a: μ + 5σ, M - nσ and the maximum."""
    centre, sigma, largest = step.logits.mean(), step.logits.std(ddof=1), step.logits.max()
    return {
        "μ + 5σ": centre + BULK * sigma,
        f"M - {n:g}σ": largest - n * sigma,
        "maximum M": largest,
    }


def largest_probabilities(step: Step) -> pd.DataFrame:
    """Return the bars of Figure 1b: token (its text) and probability, most probable first."""
    p = torch.from_numpy(step.logits).softmax(-1)
    return pd.DataFrame(
        {"token": list(step.tokens.values()), "probability": [float(p[i]) for i in step.tokens]}
    )


def beside_published(step: Step, published: pd.DataFrame, bins: int = 60) -> pd.DataFrame:
    """Return the published numbers of Figure 1 beside those of a step.

    Args:
        step: the step.
        published: rows (quantity, value) in the order: height and place of the density's peak, μ + 5σ,
            maximum, σ, μ, σ-distance, then the largest probabilities.
        bins: of the density.
    """
    row = step.logits
    density, edges = np.histogram(row, bins, density=True)
    peak = int(density.argmax())
    centre, sigma, largest = row.mean(), row.std(ddof=1), row.max()
    ours = [density[peak], (edges[peak] + edges[peak + 1]) / 2, centre + BULK * sigma, largest, sigma, centre,
            (largest - centre) / sigma, *largest_probabilities(step)["probability"]]  # fmt: skip
    shown = [f"{value:.3f}" for value in ours[: len(published)]]
    printed = published["value"].map("{:g}".format)
    return pd.DataFrame({"quantity": published["quantity"], "published": printed, "here": shown})


def counts_above(step: Step, lines: Mapping[str, float]) -> dict[str, int]:
    """Return how many tokens lie on or above each line but the maximum's."""
    return {
        label: int((step.logits >= at).sum()) for label, at in lines.items() if not label.startswith("max")
    }


def threshold_curves(step: Step, samplers: Sequence[Sampler], temperatures: Sequence[float] = GRID) -> (
    dict[str, pd.DataFrame]
):  # fmt: skip
    """Return the smallest raw logit that each sampler keeps against T, for `sampler_plots.lines`."""
    logits = torch.from_numpy(step.logits).float()[None]
    found = {}
    for sampler in samplers:
        lowest = [float(logits[sampler.keep(logits, t)].min()) for t in temperatures]
        found[sampler.label] = pd.DataFrame(
            {"temperature": temperatures, "accuracy": lowest, "low": lowest, "high": lowest}
        )
    return found


def greedy_trace(experiment: Experiment, model: str = "") -> pd.DataFrame:
    """Return token, σ-distance and valid (NaN, unknown) along the first greedy answer (Figure 2a)."""
    run = greedy_run(experiment, model)
    _, sequences, places = contexts(run, len(run.frame["tokens"].iloc[0]))
    logits = logits_at(run.lm, sequences[:1], places[:1])[0][:, : run.lm.vocabulary]
    tokens = [run.lm.tokenizer.decode([sequences[0][i]]) for i in places[0]]
    return pd.DataFrame({"token": tokens, "distance": describe(logits)["distance"], "valid": np.nan})


def shown(step: Step, length: int = 60) -> str:
    """Return the end of the text before a step, as code for a caption."""
    return f"`…{step.before[-length:]}`".replace("\n", " ↵ ")


# Control: an untrained model


def untrained_sets(
    experiment: Experiment, chosen: Sequence[Sampler], limit: int = 500
) -> pd.DataFrame | None:
    """Return the mean number of tokens that rules keep at T = 1, of the model and of an untrained one.

    Args:
        experiment: the runs.
        chosen: samplers.
        limit: number of steps of the greedy answers that both read.

    Returns:
        A row per sampler; None where a second model of this size would not fit beside the first.
    """
    import transformers

    run = greedy_run(experiment)
    if run.lm.model.num_parameters() > LARGEST:
        return None
    with torch.random.fork_rng():
        torch.manual_seed(experiment.settings.seed)
        fresh = transformers.AutoModelForCausalLM.from_config(run.lm.model.config)
    fresh = replace(run.lm, model=fresh.float().eval().requires_grad_(False).to(run.lm.device))
    _, sequences, places = contexts(run, limit)
    rows: dict[str, list[Estimate]] = {sampler.label: [] for sampler in chosen}
    for lm in (run.lm, fresh):
        logits = torch.cat(logits_at(lm, sequences, places))[:, : lm.vocabulary]
        for sampler in chosen:
            rows[sampler.label].append(_by_text(sampler.keep(logits).sum(-1).double().numpy(), places))
    columns = ["sampler", "tokens that the model keeps", "tokens that an untrained model keeps"]
    return pd.DataFrame([(label, *cells) for label, cells in rows.items()], columns=columns)


def _by_text(values: np.ndarray, places: Sequence[Sequence[int]]) -> Estimate:
    """Return the mean over texts of each text's mean over its places."""
    ends = np.cumsum([len(own) for own in places])
    return mean(np.array([own.mean() for own in np.split(values, ends[:-1]) if len(own)]))


# With the true support


def known_places(experiment: Experiment) -> pd.DataFrame:
    """Return what the logits look like at the places whose truth is known, from the records.

    Returns:
        The columns of `Evidence.place`, distance (σ-distance), and a column per law of `noise_fits`.

    Raises:
        InputError: a model whose truth is not known.
    """
    run, lm = experiment.settings, experiment.model()
    key = {"model": lm.fingerprint, "n": run.sizes["n_texts"], "seed": run.seed}
    key |= {"places": run.sizes["n_places"]}

    def compute() -> pd.DataFrame:
        evidence = known.evidence(experiment)
        place = evidence.place.assign(distance=describe(evidence.logits)["distance"])
        return pd.concat([place, noise_fits(evidence)], axis=1)

    return experiment.store.frame("known_places", key, compute, MODULES)


def noise_fits(evidence: Evidence) -> pd.DataFrame:
    """Return how well three laws fit the probabilities of the impossible tokens of every place.

    Each law is fitted by maximum likelihood; the number is the log-likelihood of the probabilities in nats
    per token. "log-normal": Gaussian logits; "uniform": probabilities between 0 and the largest;
    "log-uniform": logits uniform between the smallest and the largest.
    """
    rows = []
    for logits, truth in zip(evidence.logits.double(), evidence.truth, strict=True):
        logp = logits.log_softmax(-1)[truth == 0]
        jacobian = -float(logp.mean())  # from the law of log p to that of p
        spread = float(logp.std(correction=0).log())
        span = float((logp.max() - logp.min()).log())
        normal = jacobian - 0.5 * np.log(2 * np.pi * np.e) - spread
        rows.append((normal, -float(logp.max()), jacobian - span))
    return pd.DataFrame(rows, columns=list(LAWS))


def noise_laws(places: pd.DataFrame) -> pd.DataFrame:
    """Return the fit of each law of `noise_fits`, a mean over texts."""
    per_text = places.groupby("text")[list(LAWS)].mean()
    cells = [(law, mean(per_text[law].to_numpy())) for law in LAWS]
    return pd.DataFrame(cells, columns=["law of the noise", "log-likelihood, nats per token"])


def known_trace(experiment: Experiment, kind: str = "worked") -> pd.DataFrame:
    """Return token, σ-distance and number of possible tokens along a held-out text of a kind (Figure 2a)."""
    lm, seed = experiment.model(), experiment.settings.seed
    text = held_out(lm, [kind], 1, seed)[0]
    evidence = read(lm, [text])
    tokens = [lm.tokenizer.decode([text.ids[i]]) for i in evidence.place["index"]]
    valid = evidence.place["valid"].astype(float)
    return pd.DataFrame({"token": tokens, "distance": describe(evidence.logits)["distance"], "valid": valid})


def sureness(places: pd.DataFrame) -> Estimate:
    """Return C7: the AUROC of the σ-distance for places with one possible token against several."""
    return auroc(places["distance"], places["valid"] == 1, places["text"])
