"""What the pictures of one step and one text show: titles and views (arXiv 2411.07641, Figures 1 and 2)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from replication.decoding.top_nsigma import noise_edge
from replication.studies import distributions
from replication.studies.explorer import LIKELIEST, token_name
from replication.studies.top_nsigma_figures import Step


def outlier(step: Step) -> str:
    """Return in words how far the maximum of a step lies from the mean, and how far noise would reach."""
    logits = step.logits
    distance = (logits.max() - logits.mean()) / logits.std(ddof=1)
    reach = noise_edge(len(logits))
    return f"Maximum {distance:.1f}σ above the mean; Gaussian noise reaches {reach:.1f}σ"


def concentration(step: Step, lines: Mapping[str, float]) -> str:
    """Return in words how many tokens lie on or above each line but the maximum's, and what they hold."""
    p = distributions.probabilities(step.logits, 1.0)
    found = []
    for label, line in lines.items():
        above = step.logits >= line
        if not label.startswith("max"):
            found.append(f"{label}: {above.sum()} hold {100 * p[above].sum():.1f} %")
    return f"Tokens above a line, and their probability at T = 1\n{'; '.join(found)}"


def sure_places(trace: pd.DataFrame) -> str:
    """Return in words the median σ-distance along a text, apart where one and where several may follow."""
    kinds = {"one possible token": trace["valid"] == 1, "several": trace["valid"] > 1}
    if trace["valid"].isna().all():
        kinds = {"all tokens": trace["valid"].isna()}
    found = [f"{name}: {trace.loc[own, 'distance'].median():.1f}" for name, own in kinds.items() if own.any()]
    return f"Median σ-distance of the maximum along one text: {'; '.join(found)}"


def kept_of(
    step: Step, tokenizer: object
) -> tuple[np.ndarray, list[str], pd.DataFrame, dict[float, np.ndarray]]:
    """Return what rules keep of a step, as `kept_sets.kept_view` and `kept_sets_plot.kept_plot` take it.

    Returns:
        Logits (V,), texts of the most probable tokens by descending logit, the rows of `distributions.kept`
        for them, and temperature -> their probabilities.
    """
    ids = np.argsort(-step.logits, kind="stable")[:LIKELIEST]
    names = [token_name(tokenizer, int(i)) for i in ids]
    heights = {t: distributions.probabilities(step.logits, t)[ids] for t in distributions.TEMPERATURES}
    return step.logits, names, distributions.kept(step.logits, ids), heights
