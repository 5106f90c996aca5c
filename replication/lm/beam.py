"""Beam search, through transformers' own `generate`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from replication.lm.paths import VALUES, frame
from replication.lm.scoring import score
from replication.lm.stops import Stops
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd

    from replication.lm.loading import LanguageModel

TOKEN_BUDGET = 2**15


def beam(
    lm: "LanguageModel",
    prompts: Sequence[Sequence[int]],
    *,
    ids: Sequence[str] | None = None,
    num_beams: int = 10,
    max_new_tokens: int,
    stop: Sequence[str] = (),
    length_penalty: float = 1.0,
    token_budget: int = TOKEN_BUDGET,
) -> "pd.DataFrame":
    """Return the path record of each prompt's best beam, in the order of prompts (columns: `paths.frame`).

    Args:
        lm: the model.
        prompts: ids of each prompt, none empty.
        ids: one distinct name per prompt; its number by default.
        num_beams: width of the search.
        max_new_tokens: largest number of tokens of a path.
        stop: strings that end a beam.
        length_penalty: exponent of the length that divides a beam's log-probability.
        token_budget: largest number of cache positions (prompts x beams x tokens) of a batch.

    Raises:
        InputError: an empty prompt, ids that do not match, or num_beams < 1.
    """
    names = [str(i) for i in (range(len(prompts)) if ids is None else ids)]
    if len(names) != len(prompts) or any(not len(prompt) for prompt in prompts):
        raise InputError("beam needs one id per prompt, and no prompt may be empty.")
    if num_beams < 1 or max_new_tokens < 1:
        raise InputError("beam needs num_beams >= 1 and max_new_tokens >= 1.")
    # Only prompts of one length share a batch: nothing is padded, so no result depends on its neighbours'
    # lengths.
    by_length: dict[int, list[int]] = {}
    for i, prompt in enumerate(prompts):
        by_length.setdefault(len(prompt), []).append(i)
    config = _config(lm, num_beams, max_new_tokens, length_penalty, stop)
    found: dict[int, list[int]] = {}
    for length, places in sorted(by_length.items()):
        size = max(1, token_budget // (num_beams * (length + max_new_tokens)))
        for start in range(0, len(places), size):
            batch = places[start : start + size]
            found |= zip(batch, _search(lm, [list(prompts[i]) for i in batch], config), strict=True)
    paths = [found[i] for i in range(len(prompts))]
    return _records(lm, [list(prompt) for prompt in prompts], paths, names, Stops(lm, stop))


def _config(
    lm: "LanguageModel", beams: int, new_tokens: int, length_penalty: float, stop: Sequence[str]
) -> object:
    """Return settings with every entry stated that a model's own generation settings could fill in."""
    from transformers import GenerationConfig

    # The four sampling settings are the library's defaults and unused here; other values make it warn.
    return GenerationConfig(
        do_sample=False, num_beams=beams, num_return_sequences=1, max_new_tokens=new_tokens, min_new_tokens=0,
        length_penalty=length_penalty, early_stopping=False, temperature=1.0, top_k=50, top_p=1.0, min_p=None,
        repetition_penalty=1.0, no_repeat_ngram_size=0, num_beam_groups=1, use_cache=True,
        return_dict_in_generate=False, output_scores=False, eos_token_id=sorted(lm.eos_ids) or None,
        pad_token_id=lm.pad_id, stop_strings=list(stop) or None,
        suppress_tokens=list(range(lm.choices, lm.width)) or None,
    )  # fmt: skip


@torch.inference_mode()
def _search(lm: "LanguageModel", prompts: list[list[int]], config: object) -> list[list[int]]:
    """Return the new tokens of each prompt's best beam, EOS included, for prompts of one length."""
    ids = torch.tensor(prompts, device=lm.device)
    options = {"tokenizer": lm.tokenizer} if config.stop_strings else {}
    output = lm.model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config, **options
    )
    return [_ended(lm, row) for row in output[:, ids.shape[1] :].tolist()]


def _ended(lm: "LanguageModel", tokens: list[int]) -> list[int]:
    """Return tokens up to their first EOS, included, without the padding of shorter rows behind it."""
    end = next((i for i, token in enumerate(tokens) if token in lm.eos_ids), None)
    return tokens if end is None else tokens[: end + 1]


def _records(
    lm: "LanguageModel", prompts: list[list[int]], paths: list[list[int]], names: list[str], stops: Stops
) -> "pd.DataFrame":
    """Return the table of paths, measured by a second pass over them."""
    paths = [_stopped(lm, path, stops) for path in paths]
    sequences = [prompt + path for prompt, path in zip(prompts, paths, strict=True)]
    scores = score(lm, sequences, start=[len(prompt) for prompt in prompts])
    records = []
    for name, prompt, path, values in zip(names, prompts, paths, scores, strict=True):
        at_end = bool(path) and path[-1] in lm.eos_ids
        text = lm.decode(path[:-1] if at_end else path)
        finish = "eos" if at_end else "stop" if stops.find(text) >= 0 else "length"
        record = {field: getattr(values, field) for field in VALUES}
        record |= {
            "question": name,
            "branch": 0,
            "tokens": np.array(path, dtype=np.int32),
            "text": stops.cut(text),
        }
        records.append(record | {"finish": finish, "prompt_tokens": len(prompt), "branch_step": 0})
    return frame(records)


def _stopped(lm: "LanguageModel", path: list[int], stops: Stops) -> list[int]:
    """Return the path up to the token that completes a stop string, without the padding behind it."""
    for end, token in enumerate(path):
        if stops.completes[token] and stops.find(lm.decode(path[: end + 1])) >= 0:
            return path[: end + 1]
    return path
