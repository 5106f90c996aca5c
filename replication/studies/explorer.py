"""What the explorer shows of one prompt and one model: branches, measures of tokens, kept sets.

The prompt is the reader's own, or a question of a task. Everything is measured with the functions that the
papers' notebooks use; nothing is judged, and nothing is averaged: n is one prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from replication import settings
from replication.alignment.contrastive import check_models, score_responses
from replication.decoding import cot_decoding as cot
from replication.decoding.experiment import Run
from replication.decoding.spans import Offsets
from replication.lm.loading import LanguageModel, load
from replication.lm.scoring import TokenScores, logits_at, score
from replication.settings import InputError, Settings
from replication.tasks import prompts
from replication.tasks.base import Question, Task, load_task

NAME = "explorer"
PLAIN = "plain"
K = 10
LIKELIEST = 50  # tokens of a distribution that are told one by one


def start(
    *,
    profile: str = "cpu",
    model: str = "testbed",
    task: str = "",
    data_dir: str = "",
    seed: int = 0,
    device: str = "auto",
    results_dir: str = "",
) -> Settings:
    """Check the common parameters and return the run, whose folder is that of a paper with the tool's name.

    Raises:
        InputError: an unknown profile or device, a negative seed, a data folder that does not exist, or
            results that cannot be written.
    """
    if profile not in settings.PROFILES:
        raise InputError(f"Unknown profile {profile!r}: choose one of {', '.join(settings.PROFILES)}.")
    if seed < 0:
        raise InputError(f"The seed needs to be >= 0, got {seed}.")
    if data_dir and not Path(data_dir).expanduser().exists():
        raise InputError(f"The data folder {data_dir!r} does not exist: give an existing one as data_dir.")
    results = settings.results_root(results_dir)
    settings.check_writable(results)
    default = "gsm8k" if profile == "paper" else "stories"
    device = settings.resolve_device(device)
    return Settings(NAME, profile, model, task or default, data_dir, seed, device, results, default)


@dataclass(frozen=True)
class Text:
    """A prompt with one response, token by token.

    Attributes:
        ids: of prompt and response.
        pieces: the text of each token; joined they are the text of both.
        start: place of the first token of the response.
    """

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    start: int


class Explorer:
    """One prompt in front of one model.

    Args:
        run: model, task, seed and device.
        prompt: the text to go on from; "" takes a question of the task.
        question: number of that question, 0 the first.
        style: how the text is put to the model: one of `prompts.STYLES`, or "plain": as it is.
        k: branches; 0 takes 10.
        lm: the run's model where it is loaded already.

    Raises:
        InputError: an unknown style, a number out of range, a model or task that cannot be loaded.
    """

    def __init__(
        self,
        run: Settings,
        prompt: str = "",
        question: int = 0,
        style: str = "direct",
        k: int = 0,
        lm: LanguageModel | None = None,
    ) -> None:
        if style not in (*prompts.STYLES, PLAIN):
            raise InputError(f"Unknown style {style!r}: choose {', '.join(prompts.STYLES)} or {PLAIN}.")
        if question < 0 or k < 0:
            raise InputError(f"question and k need to be 0 or more, got {question} and {k}.")
        self.run, self.style, self.k = run, style, k or K
        self.task: Task = load_task(run.task, run.data_dir)
        self.question = self._own(prompt) if prompt.strip() else self._of_task(question)
        self.own = bool(prompt.strip())
        self.lm = lm or load(run.model, run.device)
        self.prompt = self.question.text if style == PLAIN else self.task.prompt(self.question, style)
        self.prompt_ids = (self.lm.encode if style == PLAIN else self.lm.prompt)(self.prompt)

    def _own(self, prompt: str) -> Question:
        return Question("prompt", prompt, "")

    def _of_task(self, number: int) -> Question:
        found = self.task.questions("test", number + 1, self.run.seed)
        if len(found) <= number:
            raise InputError(f"{self.task.name} has {len(found)} questions: take a smaller number.")
        return found[number]

    def about(self) -> pd.DataFrame:
        """Return what is looked at: a row per fact."""
        rows = [
            ("model", self.run.model.rstrip("/").rpartition("/")[2]),
            ("tokens the model knows", str(self.lm.width)),
            ("prompt", self.prompt),
            ("tokens of the prompt", str(len(self.prompt_ids))),
            ("from", "given" if self.own else f"{self.task.name}, {self.question.id}"),
            ("right answer", "not known" if self.own else self.question.answer),
            ("branches", str(self.k)),
        ]
        return pd.DataFrame(rows, columns=["what", "value"])

    @property
    def caption(self) -> str:
        """What every view is of, for its caption: model, prompt, n, seed."""
        name = self.run.model.rstrip("/").rpartition("/")[2]
        source = "a given prompt" if self.own else f"{self.question.id} (seed {self.run.seed})"
        return f"Model {name}, {source}, {self.style}, n = 1 prompt, greedy."

    @cached_property
    def _paths(self) -> pd.DataFrame:
        return cot.branch_decode(
            self.lm, [self.prompt_ids], [self.question.id], k=min(self.k, self.lm.width),
            max_new_tokens=self.task.max_new_tokens, stop=self.task.stop, seed=self.run.seed,
        )  # fmt: skip

    @cached_property
    def scored(self) -> pd.DataFrame:
        """The branches as `cot_decoding.score_branches` returns them; none is correct for an own prompt."""
        gold = {self.question.id: self.question.answer}
        return cot.score_branches(self._paths, self.task, self.lm.tokenizer, gold=gold)

    @cached_property
    def surest(self) -> int:
        """Number of the branch with the largest Δ of those that take part, 0 without any."""
        used = cot.eligible(self.scored).dropna(subset="delta")
        return int(used.loc[used["delta"].idxmax(), "branch"]) if len(used) else 0

    def branches(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the branches and their answer tokens, as `reporting.branch_view.branch_view` takes them."""
        table, tokens = branch_tables(self._paths, self.scored, self.lm.tokenizer)
        return (table.drop(columns="correct") if self.own else table), tokens

    def text(self, branch: int = -1) -> Text:
        """Return the prompt with the response of a branch, the surest for -1.

        Raises:
            InputError: no such branch.
        """
        number = self.surest if branch < 0 else branch
        rows = self._paths[self._paths["branch"] == number]
        if rows.empty:
            raise InputError(f"There is no branch {number}: choose from 0 to {len(self._paths) - 1}.")
        response = [int(token) for token in rows.iloc[0]["tokens"]]
        parts = [_pieces(self.lm.tokenizer, ids) for ids in (self.prompt_ids, response)]
        return Text((*self.prompt_ids, *response), (*parts[0], *parts[1]), len(self.prompt_ids))

    def tokens(self, text: Text) -> pd.DataFrame:
        """Return what the model thinks of every token of a text, given those before it.

        Returns:
            A row per token: token (text), probability, delta (top-1 minus top-2), entropy (nats), loss
            (nats); NaN for the first token, which follows nothing.
        """
        found = score(self.lm, [text.ids])[0]
        values = {
            "probability": np.exp(found.logprob),
            "delta": found.top1 - found.top2,
            "entropy": found.entropy,
            "loss": -found.logprob,
        }
        columns = {name: _from(text, found, own) for name, own in values.items()}
        return pd.DataFrame({"token": text.pieces} | columns)

    def excess(self, text: Text, reference: str) -> pd.DataFrame | str:
        """Return `tokens` with reference (loss of another model, nats) and excess (loss minus that).

        A sentence instead, where there is no other model or it does not read the same tokens.
        """
        if not reference:
            return "No reference model is given, so there is no excess loss."
        other = load(reference, self.run.device)
        try:
            check_models(self.lm, other)
        except InputError:
            return (
                f"{self.lm.name} and {reference} do not share a tokenizer, so their losses are of different "
                "tokens: give a reference model of the same family."
            )
        found = score(other, [text.ids])[0]
        table = self.tokens(text).assign(reference=_from(text, found, -found.logprob))
        return table.assign(excess=table["loss"] - table["reference"])

    def critical(self, text: Text, positive: str, negative: str, beta: float = 1.0) -> pd.DataFrame | str:
        """Return the contrastive estimation of every token of the response.

        Returns:
            A row per token of the response: token, critical (1 - s, near 1 where the token is critical),
            positive and negative (its probability under either model), kl (nats). Or a sentence, where there
            is no pair of models or it does not read the same tokens.
        """
        if not (positive and negative):
            return "No pair of models is given, so there is no critical-token score."
        pair = [load(name, self.run.device) for name in (positive, negative)]
        try:
            for one in pair:
                check_models(self.lm, one)
        except InputError:
            return f"{positive} and {negative} need the tokenizer of {self.lm.name}: fine-tune both from it."
        response = text.ids[text.start :]
        found = score_responses(*pair, [text.ids[: text.start]], [response], beta)[0]
        probabilities = np.exp(found.positive), np.exp(found.negative)
        columns = dict(zip(("positive", "negative"), probabilities, strict=True))
        pieces = text.pieces[text.start :]
        return pd.DataFrame({"token": pieces, "critical": 1 - found.score} | columns | {"kl": found.kl})

    def distribution(self, text: Text, step: int) -> np.ndarray:
        """Return the raw logits (V,) float32 that predict token `step` of the response.

        Raises:
            InputError: a step that the response does not have.
        """
        length = len(text.ids) - text.start
        if not 0 <= step < length:
            raise InputError(f"The response has {length} tokens: step needs 0 to {length - 1}, got {step}.")
        logits = logits_at(self.lm, [text.ids], [[text.start + step]])[0][0].numpy()
        # Rows behind the tokenizer's ids pad the vocabulary to a round size and belong to no token.
        return logits[: max(self.lm.vocabulary, 1)]

    def likeliest(self, logits: np.ndarray, count: int = LIKELIEST) -> tuple[np.ndarray, list[str]]:
        """Return ids and texts of the most probable tokens, by descending logit."""
        order = np.argsort(-logits, kind="stable")[:count]
        return order, [token_name(self.lm.tokenizer, int(i)) for i in order]


def branch_tables(
    paths: pd.DataFrame, scored: pd.DataFrame, tokenizer: object
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the branches of one question and their answer tokens, as views of branches take them.

    Args:
        paths: a row per branch with branch, tokens (ids), top1 and top2 (per token).
        scored: the same branches as `cot_decoding.score_branches` returns them.
        tokenizer: of the model.
    """
    by_branch = paths.set_index("branch")
    first = [token_name(tokenizer, int(by_branch.loc[number, "tokens"][0])) for number in scored["branch"]]
    columns = ["branch", "text", "start", "end", "answer", "delta", "excluded", "correct"]
    table = scored[columns].assign(first=first, probability=np.exp(scored["first_logprob"]))
    rows = []
    for number, span in zip(scored["branch"], scored["span"], strict=True):
        path = by_branch.loc[number]
        pieces = _pieces(tokenizer, [int(token) for token in path["tokens"]])
        rows += [(number, pieces[i], float(path["top1"][i]), float(path["top2"][i])) for i in span]
    return table, pd.DataFrame(rows, columns=["branch", "token", "top1", "top2"])


def of_question(run: Run, scored: pd.DataFrame, question: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `branch_tables` of one question of a run of branches and its scored branches."""
    paths, own = (frame[frame["question"] == question] for frame in (run.frame, scored))
    return branch_tables(paths, own, run.lm.tokenizer)


def token_name(tokenizer: object, token: int) -> str:
    """Return the text of one token; its own spelling where it is a piece of a character or has no text."""
    text = tokenizer.decode([token], clean_up_tokenization_spaces=False)
    if text and "\ufffd" not in text:
        return text
    return str(tokenizer.convert_ids_to_tokens(token) or f"id {token}")


def _pieces(tokenizer: object, ids: Sequence[int]) -> tuple[str, ...]:
    """Return the text of each token, joined the text of all: what tokens share goes to the first of them."""
    offsets = Offsets(tokenizer)
    text, reached, found = offsets.decode(list(ids)), 0, []
    for start, end in offsets(ids):
        begin = max(int(start), reached)
        found.append(text[begin : int(end)])
        reached = max(reached, int(end))
    return tuple(found)


def _from(text: Text, found: TokenScores, values: np.ndarray) -> np.ndarray:
    """Return values (n,) of the tokens from `found.start` on as one per token, NaN before."""
    return np.concatenate([np.full(found.start, np.nan), values.astype(np.float64)])[: len(text.ids)]
