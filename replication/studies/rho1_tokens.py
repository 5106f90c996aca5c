"""Token losses of trainings on the validation pages, laid out for statistics."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from replication.lm.stops import token_texts
from replication.pretraining.experiment import Trained
from replication.pretraining.packing import Blocks
from replication.studies.rho1 import LENGTH, ROWS, Study, gold, targets

NOISY, TARGET = "noisy", "target"
PARTS = (NOISY, TARGET)


@dataclass(frozen=True)
class Tokens:
    """The predicted tokens of one part of the validation pages, at every measured step.

    Attributes:
        steps: (C,) optimiser steps, the first 0.
        losses: (S, C, n) float64, nats, of S seeds.
        gold: (n,) what each token is, an index of `web.LABELS`, -1 for the end of a page.
        page: (n,) number of its page.
        reference: (n,) loss of the reference model, nats; NaN when it was not asked for.
        place: (n,) place in the flattened blocks of the position that predicts it.
        blocks: the blocks of the part.
    """

    steps: np.ndarray
    losses: np.ndarray
    gold: np.ndarray
    page: np.ndarray
    reference: np.ndarray
    place: np.ndarray
    blocks: Blocks

    @property
    def read(self) -> np.ndarray:
        """Processed tokens at each step."""
        return self.steps * ROWS * LENGTH

    @cached_property
    def base(self) -> np.ndarray:
        """(n,) losses of the base, before any training."""
        return self.losses[0, 0]

    def later(self) -> "Tokens":
        """Return the checkpoints of the training alone, without the base."""
        return Tokens(self.steps[1:], self.losses[:, 1:], self.gold, self.page, self.reference, self.place,
                      self.blocks)  # fmt: skip


def tokens(study: Study, runs: Sequence[Trained], part: str = NOISY, reference: bool = True) -> Tokens:
    """Return the token losses of runs of the same method, one a seed, all with the same checkpoints."""
    number = int(study.sizes["n_validation"])
    rows = slice(0, number) if part == NOISY else slice(number, 2 * number)
    blocks, whole = study.validation.rows(rows), study.validation
    valid = (targets(blocks) >= 0).ravel()
    place = np.flatnonzero(valid)
    kept = slice(rows.start * LENGTH, rows.stop * LENGTH)
    losses = np.stack([np.stack(run.losses["losses"].to_numpy())[:, kept][:, place] for run in runs])
    page = np.cumsum((blocks.positions == 0) & (blocks.labels < 0)).ravel()[place]
    scored = np.full(len(place), np.nan)
    if reference:
        scored = study.reference_losses(whole)["reference_loss"].ravel()[kept][place].astype(np.float64)
    return Tokens(
        steps=runs[0].losses["step"].to_numpy(),
        losses=losses.astype(np.float64),
        gold=gold(blocks).ravel()[place],
        page=np.unique(page, return_inverse=True)[1],
        reference=scored,
        place=place,
        blocks=blocks,
    )


def top(scores: np.ndarray, ratio: float) -> np.ndarray:
    """Return the mask of the top share of tokens by score, exactly as training selects: (..., n) bool."""
    import torch

    from replication.pretraining.rho1 import select

    rows = torch.from_numpy(scores.reshape(-1, scores.shape[-1]))
    valid = torch.ones((1, rows.shape[1]), dtype=torch.bool)
    return np.stack([select(row[None], valid, ratio)[0].numpy() for row in rows]).reshape(scores.shape)


def shown(study: Study, found: Tokens, values: np.ndarray, page: int) -> tuple[list[str], list]:
    """Return the texts of the predicted tokens of a page, and a value for each.

    Args:
        study: gives the tokenizer.
        found: the tokens.
        values: (n,) one per predicted token.
        page: number of the page.
    """
    names = token_texts(study.trainings.model(study.base))
    own = np.flatnonzero(found.page == page)
    ids = found.blocks.ids.ravel()[found.place[own] + 1]
    texts = [names[int(i)] if int(i) < len(names) else "" for i in ids]
    return texts, [values[i] for i in own]


def sample_page(found: Tokens) -> int:
    """Return the page with the most kinds of tokens, the first among equals: a sample worth showing."""
    kinds = [len(set(found.gold[found.page == page])) for page in range(int(found.page.max()) + 1)]
    return int(np.argmax(kinds))
