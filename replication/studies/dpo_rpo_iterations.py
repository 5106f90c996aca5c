"""Iterative RPO: sample from the current model, pair right with wrong, train, and again.

Each iteration has training questions of its own; one iteration on all of their questions is what the
iterations are held against. So both learn from as many questions, pairs and steps, and only the samples of
the later iterations come from another model.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial

import numpy as np
import pandas as pd

from replication.alignment import dpo
from replication.alignment import pairs as data
from replication.alignment.experiment import Trained
from replication.alignment.objectives import Objective
from replication.alignment.pairs import Sampled
from replication.alignment.plans import Plan
from replication.alignment.preferences import Pair
from replication.evaluation import paired
from replication.evaluation.accuracy import majority_vote, mean, proportion
from replication.evaluation.claims import Estimate
from replication.lm.shards import each
from replication.settings import NotTestable
from replication.studies.dpo_rpo import BASE, Study
from replication.tasks.base import Question

ITERATIONS = 3
EPOCHS = 1.0  # over the pairs of an iteration, of which there are several a question
VOTE_TEMPERATURE = 0.8
ONCE = "1 iteration, pairs of all questions"
CHAIN, AT_ONCE = "iterations", "all pairs at once"  # as in the figure
PUBLISHED_ROWS = {
    BASE: "zero-shot CoT",
    "iteration 1": "iteration 1",
    "iteration 2": "iteration 2",
    "iteration 3": "iteration 3",
    ONCE: "1 iteration, 2x data",
}


class Loop:
    """The iterations of a study, a chain for each seed.

    Args:
        study: gives base, rates and answers.
    """

    def __init__(self, study: Study) -> None:
        self.study, self.family, self.sizes = study, study.family, study.sizes

    @cached_property
    def questions(self) -> list[list[Question]]:
        """The training questions of each iteration; of too few some come in several."""
        n = int(self.sizes["n_iterated"])
        found = self.family.questions(self.study.cell, "train", int(self.sizes["n_sampled"]))
        return [[found[(place * n + i) % len(found)] for i in range(n)] for place in range(ITERATIONS)]

    def samples(self, place: int, model: str, seed: int) -> list[Sampled]:
        """Return a model's samples of an iteration's questions; the base's are the family's own."""
        wanted = self.questions[place]
        if model == self.study.base:
            names = {question.id for question in wanted}
            return [own for own in self.family.sampled(self.study.cell) if own.question in names]
        paths = self.family.sample(model, self.study.cell, wanted, int(self.sizes["n_samples"]),
                                   temperature=float(self.sizes["temperature"]), seed=seed)  # fmt: skip
        lm = self.family.shared.model(self.study.cell.model)
        prompts = self.family.prompts(lm, self.study.cell, wanted)
        return data.collect(paths, dict(zip((q.id for q in wanted), prompts, strict=True)))

    def pairs(self, samples: Sequence[Sampled]) -> tuple[Pair, ...]:
        """Return the pairs of an iteration, `pairs_a_question` a question that has both sides."""
        return walked(samples, int(self.sizes["pairs_a_question"]), self.family.longest)

    def train(self, name: str, seed: int, start: str, samples: Sequence[Sampled]) -> Trained:
        """Return one iteration: DPO+NLL from a model, compared with that model.

        Raises:
            NotTestable: no question has both right and wrong answers.
        """
        pairs = self.pairs(samples)
        if not pairs:
            told = self.family.told(self.study.cell, samples)
            raise NotTestable(
                f"No preference pair for {name} came of {told}: sample more answers (n_samples) or questions."
            )
        return self.family.trainings.train(
            Plan(name, start, pairs, Objective("rpo"), self.study.hyper(EPOCHS), seed=seed)
        )

    @cached_property
    def chains(self) -> list[list[Trained]]:
        """The models after each iteration: a list of seeds per iteration."""
        found: list[list[Trained]] = []
        for place in range(ITERATIONS):
            starts = (
                [str(run.folder) for run in found[-1]] if found else [self.study.base] * len(self.study.seeds)
            )
            given = list(zip(self.study.seeds, starts, strict=True))
            found.append(each(partial(self._iteration, place), given))
        return found

    def _iteration(self, place: int, given: tuple[int, str]) -> Trained:
        """Return one training of an iteration, given its seed and the model that it starts from."""
        seed, start = given
        return self.train(f"iteration-{place + 1}-{seed}", seed, start, self.samples(place, start, seed))

    @cached_property
    def once(self) -> list[Trained]:
        """One iteration on the pairs of all questions, sampled from the base."""
        samples = [own for place in range(ITERATIONS) for own in self.samples(place, self.study.base, 0)]
        return each(lambda seed: self.train(f"once-{seed}", seed, self.study.base, samples), self.study.seeds)

    @property
    def models(self) -> dict[str, list[Trained]]:
        """All models of Table 1 by name."""
        return {f"iteration {i + 1}": runs for i, runs in enumerate(self.chains)} | {ONCE: self.once}

    # Votes

    def voted(self, model: str) -> np.ndarray:
        """Return whether the majority of samples is right at some test questions: (questions,) float64."""
        questions = self.family.questions(self.study.cell, "test", int(self.sizes["n_voted"]))
        paths = self.family.sample(model, self.study.cell, questions, int(self.sizes["n_votes"]),
                                   temperature=VOTE_TEMPERATURE)  # fmt: skip
        task, votes = self.family.task(self.study.cell), []
        for question in questions:
            answers = paths.loc[paths["question"] == question.id, "answer"].tolist()
            winner = majority_vote([one if isinstance(one, str) else None for one in answers])
            votes.append(float(winner is not None and task.grade(winner, question.answer)))
        return np.array(votes)

    @cached_property
    def votes(self) -> dict[str, np.ndarray]:
        """The votes of the base and of the first seed's last iteration."""
        last = f"iteration {ITERATIONS}"
        return {BASE: self.voted(self.study.base), last: self.voted(str(self.chains[-1][0].folder))}


def walked(samples: Sequence[Sampled], number: int, longest: int | None = None) -> tuple[Pair, ...]:
    """Return `number` pairs of each question with a right and a wrong response, lists walked in parallel.

    Args:
        samples: the samples of each question.
        number: pairs a question.
        longest: most tokens of prompt and response.

    A response without an answer counts as wrong, as its reward is 0; one that was cut off is not learnt.
    """
    found = []
    for own in samples:
        usable = [one for one in own.trajectories if own.usable(one, longest)]
        sides = [[one.tokens for one in usable if one.correct == right] for right in (True, False)]
        found += [Pair(own.question, own.prompt, *two) for two in dpo.walk(*sides, number)]
    return tuple(found)


def steps_table(loop: Loop) -> pd.DataFrame:
    """Return what each iteration reads and does, first seed: the steps of Figure 1 in numbers."""
    rows = []
    for place in range(ITERATIONS):
        start = loop.study.base if not place else str(loop.chains[place - 1][0].folder)
        samples = loop.samples(place, start, loop.study.seeds[0])
        graded = [one.correct for own in samples for one in own.trajectories]
        kept = loop.pairs(samples)
        answers = [len({one.answer for one in own.trajectories if one.answer}) for own in samples]
        counts = len({pair.question for pair in kept}), len(kept)
        shares = f"{100 * np.mean(graded):.0f} %", f"{np.mean(answers):.1f}"
        rows.append((f"iteration {place + 1}", len(samples), len(graded), *shares, *counts))
    columns = ["iteration", "questions", "samples", "right", "different answers a question",
               "questions with pairs", "pairs"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def table_1(loop: Loop, published: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of Table 1 on iterations: greedy accuracy and, where sampled, majority votes."""
    known = {row[0]: row[1:] for row in published.itertuples(index=False)}
    voted = {name: mean(votes) for name, votes in loop.votes.items()}
    rows = []
    for name in (BASE, *loop.models):
        runs = loop.models.get(name)
        own = mean(loop.study.base_right) if runs is None else loop.study.accuracy(runs)
        gain = None if runs is None else loop.study.gain(runs)
        shown = known.get(PUBLISHED_ROWS[name], (None, None))
        rows.append((name, own, gain, voted.get(name), *(None if x == "" else x for x in shown)))
    columns = ["model", "accuracy", "above the base", "majority vote", "published, greedy", "published, vote"]
    return pd.DataFrame(rows, columns=columns)


def by_seed(loop: Loop) -> pd.DataFrame:
    """Return the accuracy of every single model."""
    rows = [(name, *(proportion(column) for column in loop.study.right(runs).T))
            for name, runs in loop.models.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["model", *(f"seed {seed}" for seed in loop.study.seeds)])


def curve(loop: Loop) -> dict[str, pd.DataFrame]:
    """Return accuracy by iteration, 0 for the base, and that of one iteration on all questions as a line."""
    rows = [(0, mean(loop.study.base_right))]
    rows += [(place + 1, loop.study.accuracy(runs)) for place, runs in enumerate(loop.chains)]
    once = loop.study.accuracy(loop.once)
    return {CHAIN: _frame(rows), AT_ONCE: _frame([(place, once) for place, _ in rows[1:]])}


def published_points(published: pd.DataFrame) -> dict[str, list[tuple[float, float]]]:
    """Return the published greedy accuracies, percent, at the places of `curve`."""
    known = {row[0]: row[1] for row in published.itertuples(index=False)}
    names = [BASE, *(f"iteration {i + 1}" for i in range(ITERATIONS))]
    chain = [(place, known[PUBLISHED_ROWS[name]]) for place, name in enumerate(names)]
    return {CHAIN: chain, AT_ONCE: [(ITERATIONS, known[PUBLISHED_ROWS[ONCE]])]}


def _frame(rows: Sequence[tuple[int, Estimate]]) -> pd.DataFrame:
    """Return estimates by iteration as `plots.curves` takes them."""
    found = [(place, e.value, e.low, e.high, e.n) for place, e in rows]
    return pd.DataFrame(found, columns=["iteration", "accuracy", "low", "high", "n"])


def title(series: Mapping[str, pd.DataFrame]) -> str:
    """Return the accuracies that `curve` gives as the title of their figure."""
    chain, once = (100 * series[name]["accuracy"] for name in (CHAIN, AT_ONCE))
    later = ", ".join(f"{value:.0f}" for value in chain.iloc[1:])
    below = f"one training on all pairs {once.iloc[-1]:.0f} %"
    return f"Accuracy {chain.iloc[0]:.0f} %, by iterations {later} %;\n{below}"


def claims(loop: Loop) -> dict[str, Estimate]:
    """Return the estimates of the claims about iterations."""
    study = loop.study
    first, second, third = (study.right(runs) for runs in loop.chains)
    once = study.right(loop.once)

    def gap(a: np.ndarray, b: np.ndarray) -> Estimate:
        return paired.difference(a, b, resample_seeds=True)

    votes = loop.votes
    return {
        "C5a": gap(second, first),
        "C5b": gap(third, second),
        "C5c": gap(2 * second, first + third),
        "C5d": gap(third, once),
        "C5e": gap(once, first),
        "C5f": paired.difference(votes[f"iteration {ITERATIONS}"], votes[BASE]),
    }
