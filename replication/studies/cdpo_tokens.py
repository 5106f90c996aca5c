"""Critical tokens of wrong responses: found by rollouts, replaced, and held against the first error.

The responses are samples of training questions, as in the paper: of each question that was also answered
rightly the first wrong one that gives an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from replication.alignment import replacement, search
from replication.alignment.critical_tokens import STRICT
from replication.alignment.rollouts import Sampling, Trajectory, grader
from replication.evaluation import paired, pass_at_k
from replication.evaluation.accuracy import mean, proportion
from replication.evaluation.claims import NOTHING, Estimate
from replication.lm.scoring import score
from replication.settings import NotTestable
from replication.studies.alignment import Cell
from replication.studies.cdpo import Study
from replication.testbed import solution_tokens, story_commitments
from replication.testbed.worlds import Problem

MODULES = ("replication.alignment.search", "replication.alignment.replacement", "replication.tasks.base")
AHEAD = 6  # positions of a search that are run at once
SHORTEST = 4  # tokens of a response
ANSWER = "The answer is"
ARMS = {"kept": "token kept, fresh rollouts", "resampled": "drawn anew, no ban", "replaced": "token banned"}


@dataclass(frozen=True)
class Wrong:
    """A wrong response.

    Attributes:
        trajectory: its ids and judge.
        pieces: text of each token, "" for the end of text.
        problem: what the oracle knows of the question, None where there is no oracle.
    """

    trajectory: Trajectory
    pieces: tuple[str, ...]
    problem: Problem | None

    @property
    def text(self) -> str:
        """The response."""
        return "".join(self.pieces)

    @property
    def question(self) -> str:
        """The question as text, its id where only that is known."""
        return self.problem.question if self.problem else self.trajectory.name

    @property
    def error(self) -> int | None:
        """The first token at which no correct solution begins like the response, None where unknown."""
        if self.problem is None:
            return None
        place = story_commitments.error(self.problem, self.text)
        return None if place is None else solution_tokens.token_at(self.pieces, place)

    @property
    def error_type(self) -> str:
        """What is wrong there, see `solution_tokens`."""
        place = story_commitments.error(self.problem, self.text) if self.problem else None
        return "" if place is None else solution_tokens.error_type(self.problem, self.text, place)

    @property
    def answer_starts(self) -> int:
        """The first token of the answer's sentence; the number of tokens where there is none."""
        place = self.text.find(ANSWER)
        return len(self.pieces) if place < 0 else solution_tokens.token_at(self.pieces, place)


def wrong(
    study: Study, cell: Cell, number: int, split: str = "train", paths: pd.DataFrame | None = None
) -> list[Wrong]:
    """Return wrong responses, at most one a question and `number` in all.

    Args:
        study: the run.
        cell: gives model and task.
        number: of responses.
        split: of the questions.
        paths: samples of the base to take instead of those that pairs are made of.
    """
    from replication.alignment import pairs

    lm, task = study.shared.model(cell.model), study.task(cell)
    n = int(study.sizes["n_sampled"])
    questions = {question.id: question for question in study.questions(cell, split, n)}
    problems = dict(zip(questions, study.problems(cell, split, n), strict=True)) if cell.kind else {}
    if paths is None:
        sampled = study.sampled(cell)
    else:
        known = study.prompts(lm, cell, list(questions.values()))
        sampled = pairs.collect(paths, dict(zip(questions, known, strict=True)))
    found = []
    for own in sampled:
        usable = [one for one in own.trajectories if not one.correct and one.answer and one.ended]
        if usable and any(one.correct for one in own.trajectories) and len(usable[0].tokens) >= SHORTEST:
            tokens = usable[0].tokens
            gold = questions[own.question].answer
            one = Trajectory(own.question, own.prompt, tokens, grader(task, gold))
            found.append(Wrong(one, pieces(lm.tokenizer, tokens), problems.get(own.question)))
    return found[:number]


def pieces(tokenizer: object, tokens: Sequence[int]) -> tuple[str, ...]:
    """Return the text of each token, "" for special ones."""
    special = set(tokenizer.all_special_ids)
    return tuple("" if token in special else tokenizer.decode([token]) for token in tokens)


def sampling(study: Study, cell: Cell) -> Sampling:
    """Return how rollouts are drawn: as the samples that pairs are made of."""
    task = study.task(cell)
    return Sampling(
        n=int(study.sizes["n_rollouts"]), temperature=float(study.sizes["temperature"]), top_p=1.0,
        max_new_tokens=int(study.sizes["max_new_tokens"]) or task.max_new_tokens, stop=task.stop,
        seed=study.settings.seed,
    )  # fmt: skip


def _key(study: Study, cell: Cell, responses: Sequence[Wrong], *more: object) -> dict[str, object]:
    """Return what determines rollouts."""
    texts = [
        (one.trajectory.name, list(one.trajectory.prompt), list(one.trajectory.response)) for one in responses
    ]
    return {"model": study.shared.model(study.base(cell)).fingerprint, "task": cell.task, "texts": texts,
            "sampling": sampling(study, cell), "more": list(more)}  # fmt: skip


def searches(
    study: Study, cell: Cell, responses: Sequence[Wrong], *, shared_tails: bool = True
) -> pd.DataFrame:
    """Return the critical token of each response and what it cost.

    Columns: name; critical (index, -1 for none) and rule; length T; generated, rolled and naive (tokens);
        seen (positions that the search came to).
    """

    def compute() -> pd.DataFrame:
        lm = study.shared.model(study.base(cell))
        found = search.find(lm, [one.trajectory for one in responses], sampling(study, cell),
                            shared_tails=shared_tails, ahead=AHEAD)  # fmt: skip
        rows = [
            (one.name, one.critical.index if one.critical else -1, one.critical.rule if one.critical else "",
             len(one.counts) + 1, one.generated, one.rolled, one.naive, int((one.tries > 0).sum()))
            for one in found
        ]  # fmt: skip
        names = ["name", "critical", "rule", "length", "generated", "rolled", "naive", "seen"]
        return pd.DataFrame(rows, columns=names)

    return study.trainings.store.frame(
        "critical", _key(study, cell, responses, shared_tails), compute, MODULES
    )


def replaced(study: Study, cell: Cell, responses: Sequence[Wrong], indices: Sequence[int]) -> pd.DataFrame:
    """Return right rollouts of n around a token of each response: name, index, and a column for each arm."""
    columns = ["name", "index", *ARMS, "same"]
    if not responses:
        return pd.DataFrame(columns=columns)

    def compute() -> pd.DataFrame:
        lm = study.shared.model(study.base(cell))
        found = replacement.replace(
            lm, [one.trajectory for one in responses], list(indices), sampling(study, cell)
        )
        rows = [(one.name, one.index, one.kept, one.resampled, one.replaced, one.same) for one in found]
        return pd.DataFrame(rows, columns=columns)

    key = _key(study, cell, responses, [int(index) for index in indices])
    return study.trainings.store.frame("replaced", key, compute, MODULES)


@dataclass(frozen=True)
class Found:
    """Critical tokens of a cell's wrong responses.

    Attributes:
        cell: the cell.
        responses: those looked at.
        table: as `searches`.
        arms: as `replaced`, for the responses with a critical token that can be replaced.
        n: rollouts per position.
    """

    cell: Cell
    responses: list[Wrong]
    table: pd.DataFrame
    arms: pd.DataFrame
    n: int

    def named(self, figure: str) -> str:
        """Return the name of this cell's part of a figure or table."""
        return f"{figure}_{self.cell.kind or 'task'}"

    @property
    def having(self) -> list[tuple[Wrong, int]]:
        """The responses that have a critical token, and its index."""
        pairs = zip(self.responses, self.table["critical"], strict=True)
        return [(one, int(index)) for one, index in pairs if index >= 0]

    def check(self) -> None:
        """Raise `NotTestable` when no response has a critical token."""
        if not self.having:
            raise NotTestable(
                f"None of {len(self.responses)} wrong responses for {self.cell.label} has a critical token: "
                "look at more of them (n_trajectories)."
            )


def critical(study: Study, cell: Cell) -> Found:
    """Return the critical tokens of a cell, with the three kinds of fresh rollouts around them.

    Raises:
        NotTestable: no question has both a right and a wrong response.
    """
    responses = wrong(study, cell, int(study.sizes["n_trajectories"]))
    if not responses:
        told = study.told(cell, study.sampled(cell))
        raise NotTestable(
            f"No wrong response of a question that was also answered rightly came of {told}: sample more "
            "answers (n_samples) or more questions (n_sampled)."
        )
    table = searches(study, cell, responses)
    having = [(one, int(i)) for one, i in zip(responses, table["critical"], strict=True) if i >= 0]
    arms = replaced(study, cell, [one for one, _ in having], [index for _, index in having])
    return Found(cell, responses, table, arms, int(study.sizes["n_rollouts"]))


# What is made of them


def existence_table(found: Sequence[Found]) -> pd.DataFrame:
    """Return how many responses have a critical token, by which rule, and where it lies."""
    rows = []
    for own in found:
        table = own.table
        place = [index / len(one.pieces) for one, index in own.having]
        early = [index < one.answer_starts for one, index in own.having]
        rows.append((own.cell.label, len(table), proportion(table["critical"] >= 0),
                     proportion(table["rule"] == STRICT),
                     *((mean(place), proportion(early)) if place else (None, None))))  # fmt: skip
    columns = ["cell", "responses", "with a critical token", "by both conditions", "place in the response",
               "before the answer's sentence"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def existence_claims(found: Sequence[Found]) -> dict[str, Estimate]:
    """Return the estimates of the claims about existence."""
    has = np.concatenate([own.table["critical"] >= 0 for own in found])
    early = [index < one.answer_starts for own in found for one, index in own.having]
    return {"C1": proportion(has), "K1": proportion(early) if early else NOTHING}


def curves(own: Found) -> dict[str, pd.DataFrame]:
    """Return pass@k of the three arms: k, value, low, high, n, by label."""
    own.check()
    series = {}
    for arm, label in ARMS.items():
        rows = [(k, e.value, e.low, e.high, e.n) for k, e in pass_at_k.curve(own.arms[arm], own.n).items()]
        series[label] = pd.DataFrame(rows, columns=["k", "value", "low", "high", "n"])
    return series


def pass_table(found: Sequence[Found]) -> pd.DataFrame:
    """Return pass@k of the arms in every cell."""
    rows = []
    for own in found:
        own.check()
        for arm, label in ARMS.items():
            rows.append((own.cell.label, label, *pass_at_k.curve(own.arms[arm], own.n).values()))
    ks = pass_at_k.powers_of_two(found[0].n)
    return pd.DataFrame(rows, columns=["cell", "rollouts", *(f"k = {k}" for k in ks)])


def replacement_claims(found: Sequence[Found]) -> dict[str, Estimate]:
    """Return the estimates of the claims about replaced critical tokens, all cells together."""
    n = found[0].n
    for own in found:
        own.check()
    arms = pd.concat([own.arms for own in found])
    rate = {arm: arms[arm].to_numpy(float) / n for arm in ARMS}
    return {
        "C2a": paired.difference(rate["replaced"], rate["kept"]),
        "C2b": pass_at_k.curve(arms["replaced"], n, [n])[n],
        "K2": mean(rate["kept"]),
        "K3": paired.difference(rate["replaced"], rate["resampled"]),
    }


def marked(own: Found) -> list[tuple[Wrong, int]]:
    """Return responses with both a critical and a first wrong token that is known."""
    return [(one, index) for one, index in own.having if one.error is not None]


def table_1(found: Sequence[Found], published: pd.DataFrame) -> pd.DataFrame:
    """Return the share of responses whose critical token is not the first wrong one, by kind of error."""
    known = published.set_index("error type")
    rows = []
    for kind in (*solution_tokens.ERROR_TYPES, "total"):
        row: list[object] = [kind]
        for own in found:
            pairs = [(one, i) for one, i in marked(own) if kind in ("total", one.error_type)]
            row += [len(pairs), proportion([i != one.error for one, i in pairs]) if pairs else None]
        rows.append((*row, *(f"{value:g}" for value in known.loc[kind])))
    mine = [f"{own.cell.kind or own.cell.label}: {what}" for own in found for what in ("count", "differ")]
    return pd.DataFrame(rows, columns=["error", *mine, *(f"published, {name}" for name in known.columns)])


def table_2(found: Sequence[Found]) -> pd.DataFrame:
    """Return what critical tokens are part of, and where they lie against the first wrong token."""
    rows = []
    for own in found:
        for kind in (*solution_tokens.ERROR_TYPES, "total"):
            pairs = [(one, i) for one, i in marked(own) if kind in ("total", one.error_type)]
            types = [solution_tokens.word_type(one.pieces, i) for one, i in pairs]
            rows.append((own.cell.kind, kind, *(types.count(name) for name in solution_tokens.WORD_TYPES),
                         *places(pairs).values()))  # fmt: skip
    return pd.DataFrame(
        rows, columns=["world", "error", *solution_tokens.WORD_TYPES, "before", "same", "after"]
    )


def places(pairs: Sequence[tuple[Wrong, int]]) -> Mapping[str, int]:
    """Return how many critical tokens lie before, at and after the first wrong one."""
    signs = [int(np.sign(index - one.error)) for one, index in pairs]
    return {"before": signs.count(-1), "same": signs.count(0), "after": signs.count(1)}


def error_claims(found: Sequence[Found]) -> dict[str, Estimate | str]:
    """Return the estimates of the claims about error tokens, or why there are none."""
    pairs = [pair for own in found for pair in marked(own)]
    if not pairs:
        reason = "The first wrong token is known only for questions that the testbed generates."
        return {"C3": reason, "C4": reason}
    signs = np.array([np.sign(index - one.error) for one, index in pairs], dtype=float)
    return {"C3": proportion(signs != 0), "C4": paired.difference(signs < 0, signs > 0)}


def shown(own: Found) -> tuple[Wrong, int]:
    """Return the response that is shown and its critical token: the first whose first wrong token is another.

    Raises:
        NotTestable: no response has a critical token.
    """
    own.check()
    apart = [pair for pair in marked(own) if pair[1] != pair[0].error]
    return (apart or own.having)[0]


def example(own: Found) -> tuple[list[str], list[str | None], str]:
    """Return one response to show behind its question: texts, "critical", "error" or "both", and a title."""
    response, index = shown(own)
    names: list[str | None] = [None] * len(response.pieces)
    names[index] = "critical"
    if response.error is not None:
        names[response.error] = "both" if response.error == index else "error"
    rows = [(piece, name) for piece, name in zip(response.pieces, names, strict=True) if piece]
    rows.insert(0, (response.question, None))
    return [piece for piece, _ in rows], [name for _, name in rows], told(response, index)


def told(response: Wrong, index: int) -> str:
    """Return which tokens of a response are the critical and the first wrong one, counted from 1."""
    text = f'A wrong response: critical is token {index + 1}, "{response.pieces[index]}"'
    place = response.error
    if place is None or place == index:
        return text if place is None else f"{text}, which is the first wrong one"
    return f'{text}; the first wrong one is token {place + 1}, "{response.pieces[place]}"'


def example_tokens(study: Study, own: Found) -> tuple[pd.DataFrame, str]:
    """Return what the base makes of the tokens of the response of `example`, and what is to be known of it.

    Returns:
        A row per token: token, probability, delta (largest minus second largest probability) and entropy
        (nats), each given everything before it; and the question with the marked tokens as text.
    """
    response, index = shown(own)
    one = response.trajectory
    texts = [[*one.prompt, *one.response]]
    found = score(study.shared.model(study.base(own.cell)), texts, start=[len(one.prompt)])[0]
    columns = {
        "probability": np.exp(found.logprob),
        "delta": found.top1 - found.top2,
        "entropy": found.entropy,
    }
    table = pd.DataFrame({"token": list(response.pieces)} | columns)
    return table, f"{response.question} {told(response, index)}."


def published_set(own: Found) -> str:
    """Return the published data set whose curve stands beside a cell's: MATH beside portions, else GSM8K."""
    return "MATH" if own.cell.kind == "portions" else "GSM8K"


def published_curves(published: pd.DataFrame, own: Found) -> dict[str, list[tuple[float, float]]]:
    """Return the published points of Figure 2 as fractions, see `published_set`."""
    column = f"{published_set(own)}, without"
    return {
        ARMS["replaced"]: list(zip(published["k"], published[column] / 100, strict=True)),
        ARMS["kept"]: list(zip(published["k"], published["both, with"] / 100, strict=True)),
    }
