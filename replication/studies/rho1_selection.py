"""Which tokens selective training keeps, what becomes of their losses, and whether they are worth keeping."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from replication.evaluation import clusters
from replication.evaluation.bootstrap import around
from replication.evaluation.claims import Estimate
from replication.lm.shards import grid
from replication.pretraining.trajectories import AccuracyLaw, accuracy_law
from replication.settings import InputError
from replication.studies.rho1 import RATIO, Study, targets
from replication.studies.rho1_tokens import NOISY, TARGET, Tokens, shown, tokens, top
from replication.testbed.web import LABELS, QUESTION, USEFUL, WRONG

METHODS = ("CLM", "SLM")
SETS = ("selected", "target", "unselected")
WORTH = (LABELS.index(QUESTION), LABELS.index(USEFUL))
WRONG_LABEL, RANDOM_LABEL = LABELS.index(WRONG), LABELS.index("random")
PICKED = 5  # checkpoints whose selections are followed, in Figures 7 and 8
RESAMPLES = 2000
EDGES = (-1.0, -0.1, 0.1, 1.0)  # of the five levels of excess loss that are shown, nats


def learners(study: Study, part: str = NOISY) -> dict[str, Tokens]:
    """Return the token losses of plain and of selective training, all seeds."""
    makers = {"CLM": study.clm, "SLM": study.slm}
    runs = grid(lambda name, seed: makers[name](seed), makers, study.seeds)
    return {name: tokens(study, own, part) for name, own in runs.items()}


def fixed_mask(found: Tokens) -> np.ndarray:
    """Return the tokens with the largest excess loss of the base over the reference model: (n,) bool."""
    return top(found.base - found.reference, RATIO)


def own_masks(found: Tokens) -> np.ndarray:
    """Return what each learner would select of the validation tokens at each step: (S, C, n) bool."""
    return top(found.losses - found.reference, RATIO)


def loss(found: Tokens, step: int, mask: np.ndarray, resamples: int = RESAMPLES) -> Estimate:
    """Return the mean loss of the tokens of a mask, (n,) or (S, n), at the step of that place."""
    sums = clusters.by_cluster(found.page, found.losses[:, step] * mask, mask)
    return clusters.statistic(sums, clusters.ratio, resamples=resamples)


def change(first: Tokens, second: Tokens, mask: np.ndarray, step: int = -1, other: int = -1) -> Estimate:
    """Return the mean loss of masked tokens, first minus second, each at its step; seeds are paired."""
    sums = clusters.by_cluster(
        first.page, first.losses[:, step] * mask, mask, second.losses[:, other] * mask, mask
    )
    return clusters.statistic(sums, clusters.gap)


def loss_panels(noisy: dict[str, Tokens], target: dict[str, Tokens]) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the curves of Figure 6: a panel per set of tokens, a line per method."""
    mask = fixed_mask(noisy["CLM"])
    everything = np.ones(len(target["CLM"].page), dtype=bool)
    parts = {"selected": (noisy, mask), "target": (target, everything), "unselected": (noisy, ~mask)}
    return {
        name: {method: _curve(found[method], own) for method in METHODS}
        for name, (found, own) in parts.items()
    }


def _curve(found: Tokens, mask: np.ndarray) -> pd.DataFrame:
    """Return the loss of masked tokens at every step: read (tokens), value, low, high, n."""
    rows = []
    for place, read in enumerate(found.read):
        e = loss(found, place, mask, 500)
        rows.append((read, e.value, e.low, e.high, e.n))
    return pd.DataFrame(rows, columns=["read", "value", "low", "high", "n"])


def loss_table(noisy: dict[str, Tokens], target: dict[str, Tokens]) -> pd.DataFrame:
    """Return start and end of the curves of Figure 6."""
    mask = fixed_mask(noisy["CLM"])
    everything = np.ones(len(target["CLM"].page), dtype=bool)
    rows = []
    parts = (("selected", noisy, mask), ("target", target, everything), ("unselected", noisy, ~mask))
    for name, found, own in parts:
        for method in METHODS:
            rows.append((name, method, loss(found[method], 0, own), loss(found[method], -1, own)))
    return pd.DataFrame(rows, columns=["tokens", "method", "loss at the start", "loss at the end"])


def published_losses(published: pd.DataFrame, read: np.ndarray) -> dict[str, dict[str, list]]:
    """Return the published ends of Figure 6, as points at the first and the last checkpoint of this run.

    Args:
        published: rows of tokens, model, loss at the start and at the end; downstream is our target.
        read: (C,) processed tokens at the checkpoints.

    Returns:
        Set of tokens -> (method -> [(processed tokens, nats)]).
    """
    found: dict[str, dict[str, list]] = {}
    for name, method, first, last in published.itertuples(index=False):
        own = found.setdefault("target" if name == "downstream" else name, {})
        own[method] = [(float(read[0]), float(first)), (float(read[-1]), float(last))]
    return found


def loss_claims(noisy: dict[str, Tokens], target: dict[str, Tokens]) -> dict[str, Estimate]:
    """Return the estimates of the claims of Figure 6."""
    mask = fixed_mask(noisy["CLM"])
    everything = np.ones(len(target["CLM"].page), dtype=bool)
    clm, slm = noisy["CLM"], noisy["SLM"]
    return {
        "C6a": change(target["CLM"], target["SLM"], everything),
        "C6b": change(clm, slm, mask),
        "C6c": change(slm, clm, ~mask),
        "C6d": change(slm, slm, ~mask, -1, 0),
    }


# Against the gold labels


def quality_table(found: Tokens) -> pd.DataFrame:
    """Return, by gold label, its share of all tokens and the share that is kept early and late."""
    masks = own_masks(found)
    rows = []
    for label, name in enumerate(LABELS):
        there = found.gold == label
        if not there.any():
            continue
        kept = [_kept(found, masks[:, step], there) for step in (0, len(found.steps) // 2, -1)]
        rows.append((name, _share(found, there), *kept))
    columns = ["tokens", "of all", "kept at the start", "kept halfway", "kept at the end"]
    return pd.DataFrame(rows, columns=columns)


def _kept(found: Tokens, mask: np.ndarray, there: np.ndarray) -> Estimate:
    sums = clusters.by_cluster(found.page, mask & there, there)
    return clusters.statistic(sums, clusters.ratio)


def _share(found: Tokens, mask: np.ndarray) -> Estimate:
    sums = clusters.by_cluster(found.page, mask, np.ones(len(found.page)))
    return clusters.statistic(sums, clusters.ratio)


def quality_claims(found: Tokens) -> dict[str, Estimate]:
    """Return the estimates of the controls that hold the last selection against the gold labels."""
    kept, one = own_masks(found)[:, -1], np.ones(len(found.page))
    worth = np.isin(found.gold, WORTH)
    precision = clusters.by_cluster(found.page, kept & worth, kept, worth, one)
    found_kept = {
        name: clusters.by_cluster(found.page, kept & (found.gold == label), found.gold == label)
        for name, label in (("K6b", WRONG_LABEL), ("K6c", RANDOM_LABEL))
    }
    return {
        "K6a": clusters.statistic(precision, clusters.gap),
        **{name: clusters.statistic(sums, clusters.ratio) for name, sums in found_kept.items()},
    }


# The selection over time


def picked(found: Tokens, number: int = PICKED) -> list[int]:
    """Return the places of evenly spread checkpoints, neither the first nor the last."""
    last = len(found.steps) - 1
    return sorted({max(1, min(last - 1, round(last * (i + 0.5) / number))) for i in range(number)})


def perplexity_panels(found: Tokens) -> dict[str, dict[str, pd.DataFrame]]:
    """Return, by the checkpoint of a selection, the perplexity of its tokens over the training (Figure 8).

    The column `own` marks that checkpoint.

    Each panel has the learner's own selection and that of the learner of the next seed.
    """
    masks = own_masks(found)
    panels = {}
    for place in picked(found):
        own, other = masks[:, place], np.roll(masks[:, place], 1, axis=0)
        lines = {"own selection": own} | ({"another seed's selection": other} if len(masks) > 1 else {})
        name = f"chosen at {found.read[place] / 1000:.0f} thousand tokens"
        panels[name] = {
            label: _perplexity(found, mask).assign(own=found.read == found.read[place])
            for label, mask in lines.items()
        }
    return panels


def _perplexity(found: Tokens, mask: np.ndarray) -> pd.DataFrame:
    """Return exp of the mean loss of (S, n) masked tokens at every checkpoint."""
    curve = _curve(found, mask)
    for column in ("value", "low", "high"):
        curve[column] = np.exp(curve[column])
    return curve


def bump(found: Tokens, masks: np.ndarray) -> Estimate:
    """Return the loss of chosen tokens at their checkpoint minus the mean at its two neighbours."""
    return clusters.statistic(_bump_sums(found, masks), clusters.ratio)


def _bump_sums(found: Tokens, masks: np.ndarray) -> np.ndarray:
    """Return the sums of bumps and of chosen tokens by page and seed."""
    inner = masks[:, 1:-1]
    curvature = found.losses[:, 1:-1] - (found.losses[:, :-2] + found.losses[:, 2:]) / 2
    return clusters.by_cluster(found.page, (curvature * inner).sum(1), inner.sum(1))


def time_claims(found: Tokens) -> dict[str, Estimate | str]:
    """Return the estimates of the claims about the bump and about the selection that settles."""
    masks = own_masks(found)
    own = _bump_sums(found, masks)
    claims: dict[str, Estimate | str] = {"C8a": clusters.statistic(own, clusters.ratio)}
    if len(masks) > 1:
        both = np.concatenate([own, _bump_sums(found, np.roll(masks, 1, axis=0))], axis=2)
        claims["K5"] = clusters.statistic(both, clusters.gap)
    else:
        claims["K5"] = "It needs the learners of two seeds."
    claims["C8b"] = settling(found)
    return claims


def turnover(found: Tokens) -> np.ndarray:
    """Return which tokens are kept at one checkpoint only of two successive ones: (S, C - 1, n) bool."""
    masks = own_masks(found)
    return masks[:, 1:] != masks[:, :-1]


def turnover_curve(found: Tokens) -> pd.DataFrame:
    """Return the share of tokens that change between successive checkpoints."""
    changed, one = turnover(found), np.ones(len(found.page))
    rows = []
    for place in range(changed.shape[1]):
        sums = clusters.by_cluster(found.page, changed[:, place], one)
        e = clusters.statistic(sums, clusters.ratio, resamples=500)
        rows.append((found.read[place + 1], e.value, e.low, e.high, e.n))
    return pd.DataFrame(rows, columns=["read", "value", "low", "high", "n"])


def settling(found: Tokens) -> Estimate:
    """Return the share of changing tokens in the first third of the training minus the last third."""
    changed = turnover(found)
    third = max(1, changed.shape[1] // 3)
    one = np.full(len(found.page), float(third))
    first, last = changed[:, :third].sum(1), changed[:, -third:].sum(1)
    return clusters.statistic(clusters.by_cluster(found.page, first, one, last, one), clusters.gap)


# Accuracy and loss


def accuracies(study: Study, found: Tokens) -> np.ndarray:
    """Return the accuracy of selective training on the watched questions at every step: (S, C)."""
    number = int(study.sizes["n_watch"])
    rows = []
    for seed in study.seeds:
        answers = study.slm(seed).answers
        watched = answers[answers["question"].isin([q.id for q in study.questions[:number]])]
        rows.append(watched.groupby("step")["correct"].mean().reindex(found.steps).to_numpy(dtype=float))
    return np.stack(rows)


def loss_points(study: Study, found: Tokens) -> dict[str, pd.DataFrame]:
    """Return Figure 7: for selected and unselected tokens of each picked checkpoint, loss and accuracy.

    Returns:
        "selected" and "unselected" -> columns chosen (processed tokens), seed, step, loss, accuracy.
    """
    masks, right = own_masks(found), accuracies(study, found)
    points: dict[str, list] = {"selected": [], "unselected": []}
    for place in picked(found):
        for seed in range(len(masks)):
            for name, mask in (("selected", masks[seed, place]), ("unselected", ~masks[seed, place])):
                means = found.losses[seed][1:, mask].mean(axis=1)
                for step, (value, accuracy) in enumerate(zip(means, right[seed, 1:], strict=True), 1):
                    points[name].append((found.read[place], seed, found.steps[step], value, accuracy))
    columns = ["chosen", "seed", "step", "loss", "accuracy"]
    return {name: pd.DataFrame(rows, columns=columns) for name, rows in points.items()}


def correlation(points: pd.DataFrame) -> Estimate:
    """Return the rank correlation of loss and accuracy over checkpoints, mean over selections and seeds.

    The interval resamples selections' seeds and, within a series, checkpoints.
    """
    series = np.stack([own[["loss", "accuracy"]].to_numpy() for _, own in points.groupby(["chosen", "seed"])])
    number, marks, _ = series.shape
    rng = np.random.default_rng(0)
    chosen, places = np.empty((RESAMPLES, number), int), np.empty((RESAMPLES, marks), int)
    for row in range(RESAMPLES):
        chosen[row] = rng.integers(0, number, number)
        places[row] = rng.integers(0, marks, marks)  # the same checkpoints for all: they are common
    resampled = series[:, places].reshape(number * RESAMPLES, marks, 2)
    values = np.take_along_axis(_spearman(resampled).reshape(number, RESAMPLES).T, chosen, axis=1)
    return around(float(_spearman(series).mean()), values.mean(axis=1), marks)


def _spearman(pairs: np.ndarray) -> np.ndarray:
    """Return the rank correlations (n,) of pairs (n, m, 2); 0 where either column is constant."""
    ranks = rankdata(pairs, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    spread = np.sqrt((ranks**2).sum(axis=1).prod(axis=1))  # (n,)
    together = ranks.prod(axis=2).sum(axis=1)
    return np.divide(together, spread, out=np.zeros_like(spread), where=spread > 0)


def laws(points: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return Eq. 7 fitted to each set of tokens, plain and with a third parameter; seeds pooled."""
    rows = []
    for name, own in points.items():
        for chosen, group in own.groupby("chosen"):
            for scaled in (False, True):
                law = _law(group, scaled)
                if law is not None:
                    variant = "s log(a L + c)" if scaled else "log(a L + c)"
                    rows.append(
                        (name, f"{chosen / 1000:.0f}", variant, law.a, law.c, law.s, law.slope, law.rmse)
                    )
    columns = ["tokens", "chosen at, thousand", "law", "a", "c", "s", "dAcc/dL", "error"]
    return pd.DataFrame(rows, columns=columns)


def _law(group: pd.DataFrame, scaled: bool) -> AccuracyLaw | None:
    """Return the fitted law, None where it does not fit these points at all."""
    try:
        return accuracy_law(group["loss"], group["accuracy"], scaled)
    except InputError:
        return None


def middle(points: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the points of the selection made halfway, which the figure shows."""
    chosen = sorted(points["selected"]["chosen"].unique())
    place = chosen[len(chosen) // 2]
    return {name: own[own["chosen"] == place] for name, own in points.items()}


def fits(points: dict[str, pd.DataFrame]) -> dict[str, AccuracyLaw]:
    """Return Eq. 7 fitted to each set of points, where it fits at all."""
    found = {name: _law(own, False) for name, own in points.items()}
    return {name: law for name, law in found.items() if law is not None}


# Maps


def score_levels(found: Tokens, step: int, seed: int = 0) -> np.ndarray:
    """Return the excess loss of every token at a step for one learner: (n,) nats."""
    return found.losses[seed, step] - found.reference


def page_scores(study: Study, found: Tokens, page: int, step: int = -1, seed: int = 0) -> pd.DataFrame:
    """Return a row per token of a page, as heat maps take it: token, loss, reference, excess (nats)."""
    own = found.losses[seed, step]
    columns = {"excess": own - found.reference, "loss": own, "reference": found.reference}
    texts, _ = shown(study, found, own, page)
    values = {name: shown(study, found, column, page)[1] for name, column in columns.items()}
    return pd.DataFrame({"token": texts} | values)


def panels_of_training(found: Tokens) -> list[int]:
    """Return the places of the steps at 0, 33, 66 and 100 % of the training (Figure 14)."""
    last = len(found.steps) - 1
    return sorted({0, round(last / 3), round(2 * last / 3), last})


def level_changes(found: Tokens, edges: Sequence[float] = EDGES) -> pd.DataFrame:
    """Return the share of tokens that change their score level between successive panels of Figure 14.

    Args:
        found: tokens of selective training.
        edges: ascending edges of the score levels, nats.
    """
    places = panels_of_training(found)
    levels = [np.digitize(found.losses[:, place] - found.reference, edges) for place in places]
    rows = []
    for number, (before, after) in enumerate(pairwise(levels), 1):
        moved = np.abs(after - before)
        parts = [_share(found, moved >= least) for least in (1, 2)]
        rows.append((f"panel {number} to {number + 1}", *parts))
    return pd.DataFrame(rows, columns=["between", "another level", "more than one level away"])


def parts(study: Study) -> tuple[dict[str, Tokens], dict[str, Tokens]]:
    """Return the token losses on noisy and on clean validation pages."""
    return learners(study, NOISY), learners(study, TARGET)


def pipeline(study: Study) -> pd.DataFrame:
    """Return the three steps of Figure 4 with the sizes of this run and what came of each."""
    noisy, clean, reference = study.noisy, study.clean, study.reference
    losses = study.reference_losses()["reference_loss"]
    scored = losses[targets(noisy) >= 0].astype(np.float64)
    rows = [
        ("1. train the reference model", f"{clean.targets:,} clean tokens, three passes",
         f"loss {reference.log['loss_all'].iloc[-1]:.2f} nats at the end"),
        ("2. score the corpus", f"{noisy.targets:,} noisy tokens", f"mean loss {scored.mean():.2f} nats"),
        ("3. train on selected tokens", f"{study.slm(study.seeds[0]).tokens:,} positions read",
         f"{100 * RATIO:.0f} % of the tokens count"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["step", "reads", "gives"])
