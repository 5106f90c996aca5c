r"""Chain-of-Thought Reasoning Without Prompting (Wang and Zhou, NeurIPS 2024, arXiv 2402.10200).

Take the k most probable first tokens instead of one and go on greedily from each (`branch_decode`). On every
branch find the tokens of the final answer and score how surely they were decoded (`delta`):

    \Delta_{j,answer} = \frac{1}{|A_j|} \sum_{t \in A_j} [ p(x_t^1 | x_{<t}) - p(x_t^2 | x_{<t}) ]
    (1)

with `A_j` = span, the indices of the answer's tokens on branch j, and p(x_t^1), p(x_t^2) = top1, top2, the
two largest probabilities of the raw softmax over the whole vocabulary (not the probability of the emitted
token). Then take the branch that is surest (`select`) or the answer with the largest sum over branches
(`vote`):

    max path: \hat a = a_{j*}, j* = argmax_j \Delta_j
    aggregated: \hat a = argmax_a \tilde\Delta_a, \tilde\Delta_a = \sum_{j: a_j = a} \Delta_{j,a}
        (2)

Branch 0 is the greedy path. Everything behind `branch_decode` is a function of its records, so that another
reading of the paper needs no model: each point the paper leaves open is a field of `Rules`.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from replication.decoding import answers, continuation, ranking, reasoning, spans
from replication.settings import InputError

SCORES = ("delta", *ranking.COLUMNS)
CHOICES = {
    "span": ("last", "extend"),
    "occurrence": ("last", "first"),
    "first_token_margin": ("shared", "signed", "prob", "zero", "skip"),
    "score": SCORES,
    "aggregate": ("max", "sum"),
    "ties": answers.TIES,
    "fallback": ("greedy", "wrong"),
}


@dataclass(frozen=True)
class Rules:
    """How branches are read, scored and combined; the defaults are the paper's where it says, ours elsewhere.

    Attributes:
        span: "last" reads the last number or option of the response (the paper for Mistral); "extend" reads
            the continuation of " So the answer is" and finds it again in the branch (the paper for PaLM-2).
        occurrence: which occurrence "extend" scores when the branch holds the answer several times; not
            stated in the paper, "last" here.
        first_token_margin: margin at the forced token. "shared" is equation (1) as written: the same for
            every branch, whatever token was forced (default; Table 13 agrees); "signed" is p(forced) -
            largest other; "prob" is p(forced); "zero"; "skip" leaves the token out of the mean.
        exclude_empty: drop branches without text (appendix D).
        exclude_unfinished: drop branches that reached the maximal length (appendix D).
        exclude_question: drop branches that end in a question mark (appendix D).
        score: column that ranks the branches; "delta" is equation (1), the others are the rankings of
            Table 2, over the same branches.
        aggregate: "max" is the max path, "sum" the weighted vote of equation (2).
        ties: branch that wins between scores equal to six decimals; not stated, "smaller branch" here (the
            likelier first token).
        fallback: answer when every branch is excluded; not stated, the "greedy" branch's here, or "wrong".
        count_first_token: does the forced token count in the log-probability rankings? Not stated, yes here.
        count_end: do end of sequence and stop string count in the log-probability rankings? Not stated, yes
            here.
    """

    span: str = "last"
    occurrence: str = "last"
    first_token_margin: str = "shared"  # noqa: S105 - a token of text, no password
    exclude_empty: bool = True
    exclude_unfinished: bool = True
    exclude_question: bool = True
    score: str = "delta"
    aggregate: str = "max"
    ties: str = "smaller branch"
    fallback: str = "greedy"
    count_first_token: bool = True
    count_end: bool = True

    def __post_init__(self) -> None:
        """Refuse unknown words."""
        for name, allowed in CHOICES.items():
            if (given := getattr(self, name)) not in allowed:
                raise InputError(f"Rules needs {name} in {', '.join(allowed)}, got {given!r}.")


def branch_decode(
    lm: object,
    prompts: Sequence[Sequence[int]],
    ids: Sequence[str] | None = None,
    *,
    k: int = 10,
    branch_step: int = 0,
    max_new_tokens: int,
    **options: object,
) -> pd.DataFrame:
    """Return the path records of k branches per prompt (section 2.2; the paper takes k = 10, at step 0).

    Args:
        lm: the language model.
        prompts: token ids of each prompt.
        ids: question id of each prompt.
        k: number of first tokens, the most probable ones in descending order; branch 0 is the greedy path.
        branch_step: generated step at which the branches part; before it all share the greedy path.
        max_new_tokens: length at which a branch counts as unfinished.
        **options: further arguments of `replication.lm.engine.generate`, such as stop and seed.
    """
    from replication.lm import engine

    return engine.generate(
        lm,
        prompts,
        ids=ids,
        branches=k,
        first="top-k",
        branch_step=branch_step,
        do_sample=False,
        max_new_tokens=max_new_tokens,
        **options,
    )


def extend(
    lm: object,
    frame: pd.DataFrame,
    prompts: Mapping[str, Sequence[int]],
    *,
    phrase: str = continuation.PHRASE,
    max_new_tokens: int = 16,
    masses: bool = False,
    **options: object,
) -> pd.DataFrame:
    """Return the greedy continuation of every branch behind the phrase (section 2.2, appendix D).

    Args:
        lm: the language model.
        frame: records of the branches.
        prompts: token ids of each question's prompt.
        phrase: text put behind the branch; the paper leaves the glue open, a single space here.
        max_new_tokens: length of the continuation; the paper does not state it.
        masses: also take the probabilities of (yes, true) and (no, false) at the first continuation token,
            which yes/no tasks fall back on, as columns mass_yes and mass_no.
        **options: further arguments of `replication.lm.engine.generate`.

    Returns:
        Path records in the order of `frame`, with its question and branch.
    """
    from replication.lm import engine

    extended = continuation.extended_prompts(lm.tokenizer, frame, prompts, phrase)
    pairs = zip(frame["question"], frame["branch"], strict=True)
    ids = [f"{question}#{branch}" for question, branch in pairs]
    records = engine.generate(lm, extended, ids=ids, max_new_tokens=max_new_tokens, **options)
    records = records.assign(question=frame["question"].to_numpy(), branch=frame["branch"].to_numpy())
    if masses:
        found = continuation.next_masses(lm, extended, continuation.polarity_ids(lm.tokenizer))
        records = records.assign(mass_yes=found[:, 0], mass_no=found[:, 1])
    return records


def margin(logits: object) -> object:
    """Return p(x^1) - p(x^2), the term of equation (1), of raw logits (..., V), a torch tensor, as (...)."""
    top = logits.double().softmax(-1).topk(2, dim=-1).values  # (..., 2)
    return top[..., 0] - top[..., 1]


def margins(
    top1: np.ndarray,
    top2: np.ndarray,
    logprob: np.ndarray,
    policy: str = "shared",
    forced: int | np.ndarray | None = 0,
) -> np.ndarray:
    """Return the terms of equation (1), with the forced token treated by `policy`.

    Args:
        top1: (T,) largest probability at each step.
        top2: (T,) second largest.
        logprob: (T,) log-probability of the emitted token, nats.
        policy: see `Rules.first_token_margin`; "skip" gives NaN there.
        forced: index or indices of forced tokens; None when nothing was forced.

    Returns:
        (T,) float64; in [0, 1] except under "signed", where a forced token may reach -1.
    """
    top1, top2 = np.asarray(top1, dtype=np.float64), np.asarray(top2, dtype=np.float64)
    values = top1 - top2
    if policy == "shared" or forced is None or values.size == 0:
        return values
    own = np.exp(np.asarray(logprob, dtype=np.float64)[forced])
    if policy == "signed":
        is_largest = own >= top1[forced] - 1e-6  # float32 probabilities: a near-tie gives 0 either way
        values[forced] = np.where(is_largest, values[forced], own - top1[forced])
    else:
        values[forced] = {"prob": own, "zero": 0.0, "skip": np.nan}[policy]
    return values


def delta(margins: np.ndarray, span: np.ndarray) -> float:
    """Return equation (1), the mean of `margins` (T,) over the indices `span`, NaN left out; NaN for none."""
    values = np.asarray(margins, dtype=np.float64)[np.asarray(span, dtype=np.int64)]
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def score_branches(
    frame: pd.DataFrame,
    task: object,
    tokenizer: object,
    rules: Rules | None = None,
    *,
    gold: Mapping[str, str],
    extension: pd.DataFrame | None = None,
    has_cot: reasoning.Detector | None = None,
    offsets: spans.Offsets | None = None,
) -> pd.DataFrame:
    """Locate, score and grade the answer of every branch.

    Args:
        frame: path records of `branch_decode`.
        task: a `replication.tasks` task.
        tokenizer: the model's tokenizer.
        rules: the reading of the paper; None takes the defaults.
        gold: right answer of every question id in `frame`.
        extension: records of `extend`, row by row for `frame`; needed for span "extend".
        has_cot: tells from (text, first character of the answer) whether reasoning precedes it; None takes
            `reasoning.DETECTORS` by the task's kind.
        offsets: intervals of tokens for this tokenizer, kept by a caller that scores the same branches by
            several rules.

    Returns:
        One row per branch: question, branch, text, finish, answer, start, end (characters in text, -1: none),
        correct, span (indices into the tokens), excluded ("" or the reason), has_cot, first_logprob,
        and a column for each of `SCORES` (greater is better; NaN without answer tokens).

    Raises:
        InputError: span "extend" without the records it needs.
    """
    rules = rules or Rules()
    frame = frame.reset_index(drop=True)
    offsets = offsets or spans.Offsets(tokenizer)
    intervals = [offsets(tokens, text) for tokens, text in zip(frame["tokens"], frame["text"], strict=True)]
    if rules.span == "extend":
        if extension is None or len(extension) != len(frame):
            raise InputError("Rules(span='extend') needs extension=extend(lm, frame, ...), row for row.")
        located = continuation.locate(
            frame, intervals, extension.reset_index(drop=True), task, gold, offsets, rules.occurrence
        )
    else:
        located = _locate_last(frame, intervals, task, gold)
    ranks = ranking.columns(
        frame, located["span"], intervals, first_token=rules.count_first_token, end=rules.count_end
    )
    own = _deltas(frame, located["span"], rules.first_token_margin)
    scored = located.drop(columns="given").assign(
        text=frame["text"],
        finish=frame["finish"],
        has_cot=_reasoned(frame["text"], located, has_cot or reasoning.DETECTORS[task.kind]),
        delta=np.where(located["given"].isna(), own, located["given"]),
        **ranks,
    )
    return scored.assign(excluded=_excluded(scored, rules))


def _reasoned(texts: pd.Series, located: pd.DataFrame, detector: reasoning.Detector) -> list[bool]:
    """Apply the detector to every branch; one found in the continuation only follows the whole text."""
    rows = zip(texts, located["start"], located["answer"], strict=True)
    return [
        answer is not None and detector(text, start if start >= 0 else len(text))
        for text, start, answer in rows
    ]


def _deltas(frame: pd.DataFrame, owned: pd.Series, policy: str) -> np.ndarray:
    """Return `delta` (rows,) of every branch over its span, for all rows at once."""
    flat = ranking.Flat(frame)
    values = margins(flat["top1"], flat["top2"], flat["logprob"], policy, flat.forced)
    return flat.span_means(values, owned)


def _locate_last(frame: pd.DataFrame, intervals: list, task: object, gold: Mapping[str, str]) -> pd.DataFrame:
    """Read the last number or option; `given`, a score from elsewhere than the span, is NaN here."""
    found = answers.read_answers(frame, task, gold)
    rows = zip(intervals, found["start"], found["end"], strict=True)
    own = [spans.answer_span(interval, start, end) for interval, start, end in rows]
    return found.assign(span=pd.Series(own, dtype=object), given=np.nan)


def _excluded(located: pd.DataFrame, rules: Rules) -> np.ndarray:
    """Return the first reason (appendix D) why each branch takes no part, "" where it does."""
    text = located["text"].str.strip()
    reasons = {
        "empty": (text == "") & rules.exclude_empty,
        "unfinished": (located["finish"] == "length") & rules.exclude_unfinished,
        "question": text.str.endswith("?") & rules.exclude_question,
        "no answer": located["answer"].isna(),
        "no score": located["delta"].isna(),
    }
    return np.select([mask.to_numpy(dtype=bool) for mask in reasons.values()], list(reasons), default="")


def exclusions(branches: pd.DataFrame) -> pd.Series:
    """Return how many branches each rule removed, and under "kept" how many take part."""
    return branches["excluded"].replace("", "kept").value_counts().rename("branches")


def eligible(branches: pd.DataFrame) -> pd.DataFrame:
    """Return the branches that no rule excluded."""
    return branches[branches["excluded"] == ""]


def select(branches: pd.DataFrame, rules: Rules | None = None) -> pd.DataFrame:
    """Return the max path of every question: the answer of the branch with the largest `rules.score`.

    Args:
        branches: rows of `score_branches`.
        rules: score, ties and fallback are used; None takes the defaults.

    Returns:
        One row per question: question, answer, branch, score, correct; a fallback has score NaN.
    """
    rules = rules or Rules()
    rising = rules.ties == answers.TIES[0]
    used = eligible(branches).assign(rounded=branches[rules.score].round(answers.DECIMALS))
    used = used.sort_values(["rounded", "branch"], ascending=[False, rising], kind="stable")
    winners = used.drop_duplicates("question").rename(columns={rules.score: "score"})
    return answers.decided(winners, branches, rules.fallback)


def vote(branches: pd.DataFrame, rules: Rules | None = None) -> pd.DataFrame:
    """Return the aggregated answer of every question, equation (2), in the form of `select`.

    The score is the winner's total; the branch is the surest one that carries the winning answer (our
    choice).
    """
    rules = rules or Rules()
    totals = answers.tally(eligible(branches), rules.score, rules.ties)
    return answers.decided(totals.drop_duplicates("question"), branches, rules.fallback)


def majority(branches: pd.DataFrame, rules: Rules | None = None) -> pd.DataFrame:
    """Return the unweighted vote over the branches, in the form of `select`; the score counts votes."""
    rules = rules or Rules()
    totals = answers.tally(eligible(branches), None, rules.ties)
    return answers.decided(totals.drop_duplicates("question"), branches, rules.fallback)


def decide(branches: pd.DataFrame, rules: Rules | None = None) -> pd.DataFrame:
    """Return `select` or `vote`, as `rules.aggregate` says."""
    rules = rules or Rules()
    return select(branches, rules) if rules.aggregate == "max" else vote(branches, rules)


def votes(branches: pd.DataFrame, rules: Rules | None = None) -> pd.DataFrame:
    """Return the total of every answer (Table 9): question, answer, score, branch, best first."""
    rules = rules or Rules()
    return answers.tally(eligible(branches), rules.score, rules.ties)


def first_k(branches: pd.DataFrame, k: int) -> pd.DataFrame:
    """Return the branches that a run with `k` first tokens would have had (Figures 5 and 6)."""
    if k < 1:
        raise InputError(f"first_k needs k >= 1 (the paper goes up to 20), got {k}.")
    return branches[branches["branch"] < k]


def shuffle_scores(branches: pd.DataFrame, seed: int, score: str = "delta") -> pd.DataFrame:
    """Return a copy in which `score` is permuted among the eligible branches of each question, a control.

    The permutation of a question depends on `seed` and its id only, so neither order nor other questions
    matter.
    """
    values = branches[score].to_numpy(dtype=np.float64, copy=True)
    kept = np.flatnonzero((branches["excluded"] == "").to_numpy())
    kept = kept[np.argsort(branches["branch"].to_numpy()[kept], kind="stable")]
    codes, names = pd.factorize(branches["question"].to_numpy()[kept])
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=1))[:-1]
    for name, rows in zip(names, np.split(kept[order], ends), strict=False):  # one empty part without any
        rng = np.random.default_rng([seed, zlib.crc32(str(name).encode())])
        values[rows] = rng.permutation(values[rows])
    return branches.assign(**{score: values})
