"""Contrastive estimation against rollouts: does a low score stand where rollouts find the critical token?

Every score is turned so that a large value means critical: 1 - s_t for several beta, and what needs no second
model: 1 - P_base(y_t), the base's entropy, 1 - P_p(y_t) (which is beta = 0), log P_n - log P_p, and chance.
The positions compared are those that rollouts can judge: all tokens of a response but the last.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.alignment import pairs as data
from replication.evaluation import paired
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import Estimate
from replication.evaluation.ranking import auroc
from replication.lm.scoring import score
from replication.settings import NotTestable
from replication.studies.alignment import Cell
from replication.studies.cdpo import Study
from replication.studies.cdpo_tokens import Found, Wrong, replaced, told

BETAS = (0.5, 1.0, 2.0)
OURS = "1 - s, beta = 1"
BASE, CHANCE = "1 - P of the base", "chance"
POSITIVE, LOG_RATIO, ENTROPY = "1 - P_p (beta = 0)", "log P_n - log P_p", "entropy of the base"
EDGES = (0.05, 0.2, 0.5, 0.8)  # borders of the levels in which 1 - s is shown
Scores = Mapping[str, Sequence[np.ndarray]]


def scores(study: Study, cell: Cell, responses: Sequence[Wrong]) -> dict[str, list[np.ndarray]]:
    """Return each score of the tokens of each response but the last: name -> (T - 1,) arrays.

    Raises:
        NotTestable: no responses, or a fine-tuned model that has nothing to learn from.
    """
    if not responses:
        raise NotTestable(f"No wrong response for {cell.label} has a critical token (n_trajectories).")
    prompts = [list(one.trajectory.prompt) for one in responses]
    texts = [list(one.trajectory.response) for one in responses]
    base = score(study.shared.model(study.base(cell)), [p + t for p, t in zip(prompts, texts, strict=True)],
                 start=[len(p) for p in prompts])  # fmt: skip
    contrasts = {beta: study.contrast(cell, prompts, texts, beta) for beta in BETAS}
    rng = np.random.default_rng(study.settings.seed)
    found = {f"1 - s, beta = {beta:g}": [1 - one.score for one in own] for beta, own in contrasts.items()}
    found |= {
        POSITIVE: [1 - np.exp(one.positive) for one in contrasts[1.0]],
        LOG_RATIO: [one.negative - one.positive for one in contrasts[1.0]],
        BASE: [1 - np.exp(one.logprob) for one in base],
        ENTROPY: [one.entropy for one in base],
        CHANCE: [rng.random(len(text)) for text in texts],
    }
    return {name: [values[:-1] for values in own] for name, own in found.items()}


def percentile(values: np.ndarray, index: int) -> float:
    """Return the share of the other positions that a position's score exceeds, ties counted half."""
    others = np.delete(values, index)
    return float(
        ((others < values[index]).sum() + 0.5 * (others == values[index]).sum()) / max(1, len(others))
    )


def hit(values: np.ndarray, index: int, k: int) -> float:
    """Return the chance that a position is among the k largest scores when ties are broken at random."""
    above, ties = int((values > values[index]).sum()), int((values == values[index]).sum())
    return float(np.clip((k - above) / ties, 0, 1))


def measures(found: Scores, indices: Sequence[int]) -> dict[str, pd.DataFrame]:
    """Return percentile, hit@1 and hit@3 of the critical token of each response, by score."""
    return {
        name: pd.DataFrame(
            [(percentile(v, i), hit(v, i, 1), hit(v, i, 3)) for v, i in zip(values, indices, strict=True)],
            columns=["percentile", "hit@1", "hit@3"],
        )
        for name, values in found.items()
    }


def table(found: Scores, indices: Sequence[int]) -> pd.DataFrame:
    """Return the measures of each score, and its area under the ROC curve over all positions."""
    names = [str(i) for i, values in enumerate(found[CHANCE]) for _ in values]
    flags = np.concatenate([np.arange(len(v)) == i for v, i in zip(found[CHANCE], indices, strict=True)])
    rows = [
        (
            name,
            mean(own["percentile"]),
            auroc(np.concatenate(found[name]), flags, names),
            mean(own["hit@1"]),
            mean(own["hit@3"]),
        )
        for name, own in measures(found, indices).items()
    ]
    return pd.DataFrame(rows, columns=["score", "percentile", "AUROC", "hit@1", "hit@3"])


def claims(found: Scores, indices: Sequence[int]) -> dict[str, Estimate]:
    """Return the estimates of the claims about agreement."""
    own = {name: table["percentile"].to_numpy() for name, table in measures(found, indices).items()}
    return {"C5a": mean(own[OURS]), "C5b": paired.difference(own[OURS], own[BASE])}


def joined(several: Sequence[Scores]) -> dict[str, list[np.ndarray]]:
    """Return the scores of several cells as one."""
    return {name: [values for own in several for values in own[name]] for name in several[0]}


# Without the tokens that contrastive estimation finds (Figure 5 of versions 1 and 2)


def lowest(found: Scores, name: str = OURS) -> list[int]:
    """Return the position of the largest score of each response."""
    return [int(np.argmax(values)) for values in found[name]]


def without(study: Study, own: Found, found: Scores) -> dict[str, pd.DataFrame]:
    """Return rollouts around the token that each of three scores takes for the most critical.

    The scores are contrastive estimation, 1 - P of the base, and chance; tables as `cdpo_tokens.replaced`.
    """
    responses = [one for one, _ in own.having]
    return {name: replaced(study, own.cell, responses, lowest(found, name)) for name in (OURS, BASE, CHANCE)}


def without_table(found: Mapping[str, pd.DataFrame], n: int) -> pd.DataFrame:
    """Return accuracy with the token kept, drawn anew and banned, by score."""
    rows = [
        (name, *(mean(arms[arm].to_numpy(float) / n) for arm in ("kept", "resampled", "replaced")))
        for name, arms in found.items()
    ]
    return pd.DataFrame(rows, columns=["token chosen by", "kept", "drawn anew", "banned"])


def banned_title(found: Sequence[Found], arms: Sequence[Mapping[str, pd.DataFrame]]) -> str:
    """Return right rollouts with the token of the largest 1 - s kept and banned, cell by cell, as a title."""
    parts = []
    for own, tables in zip(found, arms, strict=True):
        kept, banned = (100 * tables[OURS][arm].mean() / own.n for arm in ("kept", "replaced"))
        parts.append(f"{kept:.0f} to {banned:.0f} % ({own.cell.kind or own.cell.label})")
    return f"Right rollouts with the token of the largest 1 - s\nkept, then banned: {', '.join(parts)}"


def without_claims(found: Sequence[Mapping[str, pd.DataFrame]], n: int) -> dict[str, Estimate]:
    """Return the estimates of the claims about avoided tokens, cells together."""

    def gain(name: str) -> np.ndarray:
        return np.concatenate(
            [(own[name]["replaced"] - own[name]["kept"]).to_numpy(float) / n for own in found]
        )

    return {"C5d": mean_gain(gain(OURS)), "K4": paired.difference(gain(OURS), gain(CHANCE))}


def mean_gain(gains: np.ndarray) -> Estimate:
    """Return the mean of differences of rates, as a paired difference from nothing."""
    return paired.difference(gains, np.zeros_like(gains))


# Cost


def costs(study: Study, found: Sequence[Found]) -> pd.DataFrame:
    """Return what rollouts and contrastive estimation cost for the same responses, in sequences and tokens.

    Fine-tuning counts the tokens read, three times for forward and backward passes.
    """
    rows = []
    for own in found:
        table, responses = own.table, own.responses
        read = [len(one.trajectory.prompt) + len(one.trajectory.response) for one in responses]
        positions = int((table["length"] - 1).sum())
        tuned = [*study.positive_examples(own.cell), *study.negative_examples(own.cell)]
        training = sum(len(one.prompt) + len(one.response) for one in tuned)
        rows += [
            (
                own.cell.label,
                "rollouts, all positions (calculated)",
                positions * own.n,
                int(table["naive"].sum()),
            ),
            (own.cell.label, "rollouts, our search (generated)", None, int(table["generated"].sum())),
            (own.cell.label, "contrastive estimation, scoring", 2 * len(responses), 2 * sum(read)),
            (own.cell.label, "contrastive estimation, fine-tuning", 3 * len(tuned), 3 * training),
        ]
    return pd.DataFrame(rows, columns=["cell", "what", "sequences", "tokens"], dtype=object)


def cost_claim(table: pd.DataFrame, found: Sequence[Found], study: Study) -> Estimate:
    """Return tokens of contrastive estimation by those of rollouts, for as many responses as are learnt from.

    As in the paper the fine-tuning is spread over the training responses that are scored.
    """
    ratios = []
    for own in found:
        each = own.table["naive"].to_numpy(float)
        part = table[table["cell"] == own.cell.label].set_index("what")["tokens"]
        scoring = part["contrastive estimation, scoring"] / len(own.responses)
        tuning = part["contrastive estimation, fine-tuning"] / len(study.pairs(own.cell))
        ratios.append((scoring + tuning) / each)
    return mean(np.concatenate(ratios))


# What is shown


def data_table(study: Study) -> pd.DataFrame:
    """Return what became of the training questions of every cell, and the sizes of what is made of them."""
    rows = []
    for cell in study.cells:
        outcomes = data.report(study.sampled(cell), study.longest)["outcome"].value_counts()
        made = len(study.positive_examples(cell)), len(study.negative_examples(cell))
        rows.append((cell.label, *(int(outcomes.get(name, 0)) for name in data.OUTCOMES), *made,
                     len(study.pairs(cell)), len(study.watched(cell))))  # fmt: skip
    names = ["right responses", "wrong responses", "pairs learnt from", "pairs watched"]
    return pd.DataFrame(rows, columns=["cell", *data.OUTCOMES, *names])


def example(own: Found, found: Scores) -> tuple[list[str], list[float | None], str]:
    """Return one response to show behind its question: texts, 1 - s, and a title with its critical token."""
    response, index = own.having[0]
    values = [*found[OURS][0].tolist(), None]
    rows = [row for row in zip(response.pieces, values, strict=True) if row[0]]
    texts, levels = zip((response.question, None), *rows, strict=True)
    title = f'A wrong response; rollouts find token {index + 1}, "{response.pieces[index]}"'
    return list(texts), list(levels), title


def example_tokens(own: Found, found: Scores) -> tuple[pd.DataFrame, str]:
    """Return the scores of the tokens of the response of `example`, and what is to be known of it.

    Returns:
        A row per token: token, critical (1 - s, beta = 1), positive and negative (its probability under P_p
        and P_n), probability and entropy (nats) of the base; NaN for the last token. And the question with
        the critical token as text.
    """
    response, index = own.having[0]
    positive = 1 - found[POSITIVE][0]
    columns = {
        "critical": found[OURS][0], "positive": positive, "negative": positive * np.exp(found[LOG_RATIO][0]),
        "probability": 1 - found[BASE][0], "entropy": found[ENTROPY][0],
    }  # fmt: skip
    table = pd.DataFrame({name: [*values, np.nan] for name, values in columns.items()})
    return table.assign(token=list(response.pieces)), f"{response.question} {told(response, index)}."


def without_groups(
    found: Sequence[Found], arms: Sequence[Mapping[str, pd.DataFrame]]
) -> dict[str, dict[str, Estimate]]:
    """Return right rollouts with the chosen token kept and banned: cell and score -> bar -> estimate."""
    shown = {"kept": "kept", "replaced": "banned"}
    short = {OURS: "1 - s", BASE: "1 - P", CHANCE: "chance"}
    return {
        f"{short[name]}\n{own.cell.kind or own.cell.label}": {
            text: mean(table[arm].to_numpy(float) / own.n) for arm, text in shown.items()
        }
        for own, tables in zip(found, arms, strict=True)
        for name, table in tables.items()
    }
