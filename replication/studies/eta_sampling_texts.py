"""The texts that a model reads in the study of η-sampling: with known next tokens, or any others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from replication.decoding.experiment import Experiment
from replication.lm.loading import LanguageModel
from replication.lm.scoring import logits_at
from replication.settings import InputError
from replication.studies import samplers, support
from replication.testbed import models
from replication.testbed import support as truth

KINDS = ("answers", "worked", "equations", "biographies")
PLACES_AT_ONCE = 2**23  # logits (places x vocabulary) that are worked on together
NO_TRUTH = (
    "The truth is known only for generated texts and models trained on just that corpus: use a testbed model "
    "of the ladder (testbed-small, testbed, testbed-large, testbed-wide)."
)


@dataclass(frozen=True)
class Text:
    """A text without known truth: its tokens and where it comes from."""

    ids: tuple[int, ...]
    kind: str


def known(experiment: Experiment, model: str = "") -> bool:
    """Tell whether the model was trained on the texts whose truth is known, and on no others."""
    return models.reads_ladder(experiment.model(model).name)


def texts(
    experiment: Experiment, split: str = "test", model: str = "", n: int = 0, texts_file: str = ""
) -> list[truth.OracleText] | list[Text]:
    """Return texts in the model's tokens.

    Args:
        experiment: the run.
        split: of the texts.
        model: name, "" for the run's own.
        n: texts of each kind; 0 takes the profile's. Without known texts four times as many questions.
        texts_file: a file of texts separated by blank lines, read in place of the generated ones.

    Returns:
        Texts with known truth for a testbed model; else paragraphs of the file, or the task's questions.
    """
    lm, run = experiment.model(model), experiment.settings
    n = n or int(run.sizes["n_texts"])
    if known(experiment, model) and not texts_file:
        return [text for kind in KINDS for text in truth.sample(lm.tokenizer, kind, n, run.seed, split=split)]
    return plain_texts(experiment, lm, len(KINDS) * n, split, texts_file)


def described(
    experiment: Experiment, split: str = "test", model: str = "", n: int = 0, texts_file: str = ""
) -> object:
    """Return what tells the texts of `texts` from others, without making them where that takes long."""
    if known(experiment, model) and not texts_file:
        n = n or int(experiment.settings.sizes["n_texts"])
        return [list(KINDS), n, split, experiment.settings.seed]
    return [text.ids for text in texts(experiment, split, model, n, texts_file)]


def plain_texts(
    experiment: Experiment, lm: LanguageModel, n: int, split: str = "test", texts_file: str = ""
) -> list[Text]:
    """Return n paragraphs of a file, or n questions of the run's task, cut to the model's length.

    Of a file's paragraphs the split "test" is the first half and any other the second half.

    Raises:
        InputError: a file that cannot be read or holds fewer than two paragraphs.
    """
    if texts_file:
        found = _paragraphs(texts_file)
        half = len(found) // 2
        chosen, kind = (found[:half] if split == "test" else found[half:])[:n], "file"
    else:
        split = split if split == "test" else samplers.tuning_split(experiment.task)
        asked = experiment.task.questions(split, n, experiment.settings.seed)
        chosen, kind = [experiment.task.prompt(question) for question in asked], "questions"
    most = min(lm.context or 1024, 1024)
    return [Text(tuple(lm.encode(text)[:most]), kind) for text in chosen]


def _paragraphs(path: str) -> list[str]:
    try:
        content = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The texts file {path!r} cannot be read: give a UTF-8 text file.") from error
    found = [part.strip() for part in content.split("\n\n") if part.strip()]
    if len(found) < 2:
        raise InputError(f"The texts file {path!r} needs paragraphs separated by blank lines, at least two.")
    return found


def chunks(
    lm: LanguageModel, given: Sequence[truth.OracleText] | Sequence[Text]
) -> Iterator[tuple[Tensor, Tensor | None, pd.DataFrame]]:
    """Yield a few texts at a time.

    Yields:
        logits (N, V) float32; the truth (N, V) or None; a row per place: kind, text (number), index, entropy
        (of the truth, nats, NaN where unknown), valid (number of possible tokens, NaN where unknown).
    """
    start = 0
    while start < len(given):
        stop, size = start, 0
        while stop < len(given) and (stop == start or size + len(given[stop].ids) <= _most(lm)):
            size += len(given[stop].ids)
            stop += 1
        own = given[start:stop]
        if isinstance(own[0], Text):
            logits, place = _unknown(lm, own)
            yield logits, None, place.assign(text=place["text"] + start)
        else:
            seen = support.read(lm, own)
            yield seen.logits, seen.truth, seen.place.assign(text=seen.place["text"] + start)
        start = stop


def _most(lm: LanguageModel) -> int:
    return max(1, PLACES_AT_ONCE // lm.width)


def _unknown(lm: LanguageModel, own: Sequence[Text]) -> tuple[Tensor, pd.DataFrame]:
    """Return the logits of every token but the first, and their places."""
    places = [list(range(1, len(text.ids))) for text in own]
    logits = torch.cat(logits_at(lm, [text.ids for text in own], places))
    rows = [(text.kind, i, p) for i, text in enumerate(own) for p in places[i]]
    place = pd.DataFrame(rows, columns=["kind", "text", "index"])
    return logits, place.assign(entropy=np.nan, valid=np.nan)
