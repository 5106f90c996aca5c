"""What truncation rules keep of one distribution, at several temperatures."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from replication.lm.loading import LanguageModel
from replication.lm.scoring import logits_at
from replication.studies.explorer import LIKELIEST, token_name
from replication.studies.samplers import Sampler

TEMPERATURES = (0.7, 1.0, 1.5, 2.0, 3.0)
SAMPLERS = (
    Sampler("top-k", 10), Sampler("top-p", 0.9), Sampler("min-p", 0.1), Sampler("top-nσ", 1.0),
    Sampler("ε", 1e-3), Sampler("η", 1e-3),
)  # fmt: skip


class NextToken(NamedTuple):
    """The distribution of one next token and what rules keep of it, as views of kept sets take them.

    Attributes:
        logits: (V,) raw logits.
        tokens: texts of the most probable tokens, by descending logit.
        kept: rows of `kept`, for these tokens.
        probabilities: temperature -> (n,) probabilities of these tokens.
    """

    logits: np.ndarray
    tokens: list[str]
    kept: pd.DataFrame
    probabilities: dict[float, np.ndarray]


def next_token(
    lm: LanguageModel,
    prefix: Sequence[int],
    samplers: Sequence[Sampler] = SAMPLERS,
    temperatures: Sequence[float] = TEMPERATURES,
) -> NextToken:
    """Return what each rule keeps of the distribution behind a prefix.

    Args:
        lm: a model.
        prefix: ids, at least one.
        samplers: rules with parameters.
        temperatures: all above 0.
    """
    logits = logits_at(lm, [list(prefix)], [[len(prefix)]])[0][0].float().numpy()[: lm.vocabulary]
    ids = np.argsort(-logits, kind="stable")[:LIKELIEST]
    names = [token_name(lm.tokenizer, int(i)) for i in ids]
    heights = {t: probabilities(logits, t)[ids] for t in temperatures}
    return NextToken(logits, names, kept(logits, ids, samplers, temperatures), heights)


def kept(
    logits: np.ndarray,
    ids: Sequence[int],
    samplers: Sequence[Sampler] = SAMPLERS,
    temperatures: Sequence[float] = TEMPERATURES,
) -> pd.DataFrame:
    """Return what each rule keeps of a distribution at each temperature.

    Args:
        logits: (V,) raw logits.
        ids: the tokens that are told one by one.
        samplers: rules with parameters.
        temperatures: all above 0.

    Returns:
        A row each: rule, value, temperature, count (tokens kept), mass (their probability at that
        temperature), kept (bool per entry of `ids`).
    """
    row, rows = torch.from_numpy(np.asarray(logits, dtype=np.float32))[None], []
    for sampler in samplers:
        for temperature in temperatures:
            keep = sampler.keep(row, temperature)[0].numpy()
            mass = float(probabilities(logits, temperature)[keep].sum())
            rows.append((sampler.rule, sampler.value, temperature, int(keep.sum()), mass, keep[list(ids)]))
    return pd.DataFrame(rows, columns=["rule", "value", "temperature", "count", "mass", "kept"])


def probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return the softmax (V,) float64 of logits at a temperature."""
    return (torch.from_numpy(np.asarray(logits)).double() / temperature).softmax(-1).numpy()


def least_certain(lm: LanguageModel, ids: Sequence[int], start: int) -> list[int]:
    """Return the tokens in front of the place from `start` on where the prediction has the largest entropy.

    Args:
        lm: a model.
        ids: of a text.
        start: first place that counts, at least 1 and before the end.
    """
    logits = logits_at(lm, [list(ids)], [range(start, len(ids))])[0].float()[:, : lm.vocabulary]
    place = start + int(torch.distributions.Categorical(logits=logits).entropy().argmax())
    return list(ids[:place])


def about(lm: LanguageModel, prefix: Sequence[int], most: int = 40) -> str:
    """Return what a view of one distribution is of, for its note: model, n and the end of the prefix."""
    text = lm.decode(list(prefix)).replace("\n", " ↵ ")
    end = f"…{text[-most:]}" if len(text) > most else text
    name = lm.name.rstrip("/").rpartition("/")[2]
    return f"Model {name}, n = 1 distribution, of the token that follows “{end}”."
