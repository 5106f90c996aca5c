"""An answer read off a forced continuation (" So the answer is") and found again in the path before it.

Shared by the decoding methods that locate answers as Chain-of-Thought Reasoning Without Prompting does (Wang
and Zhou 2024, arXiv 2402.10200, section 2.2 and appendix D): the continuation only names the answer; what is
scored are the same tokens inside the original path.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.decoding import answers, spans
from replication.settings import InputError
from replication.tasks import extraction

PHRASE = f" {extraction.MARKER}"
_INSIDE_NUMBER = re.compile(r"\d[.,]?$|(?:^|[^\d)\]\s])\s*-$")
_NUMBER_GOES_ON = re.compile(r"[.,]?\d")


def phrase_ids(tokenizer: object, phrase: str = PHRASE) -> list[int]:
    """Return the ids that add `phrase` to a text; SentencePiece brings the space itself.

    Raises:
        InputError: the tokenizer cannot add this phrase behind other text.
    """
    before = tokenizer.encode("0", add_special_tokens=False)
    for candidate in (phrase, phrase.lstrip(" ")):
        ids = tokenizer.encode(candidate, add_special_tokens=False)
        if tokenizer.decode(before + ids, clean_up_tokenization_spaces=False).endswith("0" + phrase):
            return list(ids)
    raise InputError(f"The tokenizer cannot add the phrase {phrase!r} behind a text: give another phrase.")


def extended_prompts(
    tokenizer: object, frame: pd.DataFrame, prompts: Mapping[str, Sequence[int]], phrase: str = PHRASE
) -> list[list[int]]:
    """Return, as ids, prompt + path (without stop string and end of sequence) + phrase of every record."""
    offsets, tail = spans.Offsets(tokenizer), phrase_ids(tokenizer, phrase)
    extended = []
    for question, tokens, text in zip(frame["question"], frame["tokens"], frame["text"], strict=True):
        kept = spans.text_tokens(offsets(tokens, text), len(text))
        extended.append([*map(int, prompts[question]), *map(int, tokens[:kept]), *tail])
    return extended


def align(
    tokens: np.ndarray, wanted: np.ndarray, text: str, offsets: np.ndarray, occurrence: str = "last"
) -> np.ndarray:
    """Find the continuation's answer tokens inside a path, by token id.

    A number inside a longer one does not count ("8" in "18", "1,8" or "8.5"), nor 5 in the number -5, nor a
    word inside a longer word.

    Args:
        tokens: (T,) ids of the path.
        wanted: (n,) ids of the answer in the continuation.
        text: the path's text, cut at its stop string.
        offsets: (T, 2) character intervals of `tokens` in `text`.
        occurrence: "last" (the choice here; the paper leaves it open) or "first".

    Returns:
        (n,) indices into `tokens`; (0,) when the answer is not there.
    """

    def bounded(first: int) -> bool:
        start, end = offsets[first, 0], offsets[first + len(wanted) - 1, 1]
        run = text[start:end]
        core = run.strip()
        start, end = start + len(run) - len(run.lstrip()), end - len(run) + len(run.rstrip())
        return bool(core) and stands_alone(text, start, end)

    found = spans.pick(spans.occurrences(tokens, wanted), bounded, occurrence)
    return np.empty(0, dtype=np.int64) if found is None else np.arange(found, found + len(wanted))


def stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether the characters [start, end) are a whole number or word, not a part of a longer one."""
    before, core, after = text[:start], text[start:end], text[end:]
    if core[0].isdigit() and _INSIDE_NUMBER.search(before):
        return False
    if core[-1].isdigit() and _NUMBER_GOES_ON.match(after):
        return False
    if core[0].isalpha() and before[-1:].isalnum():
        return False
    return not (core[-1].isalpha() and after[:1].isalnum())


def polarity_ids(tokenizer: object) -> tuple[list[int], list[int]]:
    """Return the ids that spell yes or true, and no or false, case and outer spaces ignored."""
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    sides = [extraction.yes_no_masses({text: 1.0})[0] for text in texts]
    return tuple([token for token, side in enumerate(sides) if side == word] for word in ("yes", "no"))


def masses(logits: object, groups: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the probability that the next token belongs to each group.

    Args:
        logits: (..., V) raw next-token logits, a torch tensor.
        groups: token ids per group, as `polarity_ids` returns them.

    Returns:
        (..., len(groups)) float64 in [0, 1], from a softmax over the full vocabulary.
    """
    probabilities = logits.double().softmax(-1)
    return np.stack([probabilities[..., list(group)].sum(-1).cpu().numpy() for group in groups], axis=-1)


def next_masses(
    lm: object, prompts: Sequence[Sequence[int]], groups: Sequence[Sequence[int]], batch: int = 16
) -> np.ndarray:
    """Return `masses` (n, len(groups)) of the token that follows each prompt.

    Args:
        lm: a `replication.lm.loading.LanguageModel`.
        prompts: token ids, any lengths >= 1.
        groups: token ids per group.
        batch: rows of similar length that run together.
    """
    import torch

    from replication.lm.session import Session

    order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
    result = np.zeros((len(prompts), len(groups)))
    with torch.inference_mode():
        for first in range(0, len(order), batch):
            rows = order[first : first + batch]
            result[rows] = masses(Session(lm, [prompts[row] for row in rows], 0).logits, groups)
    return result


def locate(
    frame: pd.DataFrame,
    intervals: Sequence[np.ndarray],
    extension: pd.DataFrame,
    task: object,
    gold: Mapping[str, str],
    offsets: spans.Offsets,
    occurrence: str = "last",
) -> pd.DataFrame:
    """Read each path's answer off its continuation and find it again in the path (appendix D).

    Where the path does not hold it: numbers and LaTeX have no span and no score; options are scored by the
    mean margin over the continuation's first clause; yes/no questions by |mass(yes, true) - mass(no, false)|,
    which also answers.

    Args:
        frame: path records.
        intervals: (T, 2) character intervals of each path's tokens.
        extension: records of the continuations, row by row for `frame`.
        task: a `replication.tasks` task.
        gold: right answer of every question id.
        offsets: intervals of the model's tokenizer.
        occurrence: which occurrence in the path counts, "last" or "first".

    Returns:
        The columns of `answers.read_answers` (start and end in the path, -1 where it is not there), span
        (indices into the path's tokens) and given (the score where it does not come from the path, else NaN).
    """
    clauses = [extraction.clause(text) for text in extension["text"]]
    texts = [text[:end] for text, (_, end) in zip(extension["text"], clauses, strict=True)]
    found = answers.read_answers(extension.assign(text=texts), task, gold)
    values, owned, bounds, given = list(found["answer"]), [], [], []
    for row, interval in enumerate(intervals):
        ids, text = np.asarray(extension["tokens"][row]), frame["text"][row]
        places = offsets(ids, extension["text"][row])
        wanted = ids[spans.answer_span(places, found["start"][row], found["end"][row])]
        span = align(np.asarray(frame["tokens"][row]), wanted, text, interval, occurrence)
        score = np.nan
        if not span.size and task.kind == "yesno":
            values[row], score = _mass_answer(extension, row)
        elif not span.size and task.kind == "option" and wanted.size:
            inside = spans.answer_span(places, *clauses[row])
            margins = np.asarray(extension["top1"][row]) - np.asarray(extension["top2"][row])
            score = float(margins[inside].mean())
        owned.append(span)
        bounds.append((interval[span[0], 0], interval[span[-1], 1]) if span.size else (-1, -1))
        given.append(score)
    starts, ends = np.array(bounds, dtype=np.int64).reshape(-1, 2).T
    return found.assign(
        answer=pd.Series(values, dtype=object),
        correct=answers.grade_all(found["question"], values, task, gold),
        start=starts,
        end=ends,
        span=pd.Series(owned, dtype=object),
        given=np.array(given, dtype=np.float64),
    )


def _mass_answer(extension: pd.DataFrame, row: int) -> tuple[str | None, float]:
    if "mass_yes" not in extension:
        raise InputError("Yes/no tasks need extend(..., masses=True), as not every branch holds its answer.")
    return extraction.yes_no_masses({"yes": extension["mass_yes"][row], "no": extension["mass_no"][row]})
