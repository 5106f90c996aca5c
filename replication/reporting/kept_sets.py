"""What truncation rules keep of one distribution, with sliders for the temperature and each rule's parameter.

The sliders need a script, `kept_sets.js`, which works out the kept sets from logits that lie in the page: all
of a small vocabulary; of a large one the largest, and the rest in narrow bins, so that counts beyond the
largest are close and not exact, which the page says. Without scripts the page shows the same sets at some
temperatures as worked out by the rules themselves.
"""

import html
import json
from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from replication.reporting.markdown import escape, escape_html, table, visible
from replication.reporting.view import HERE, View, framed, table_html, table_plain, token_html, token_text
from replication.settings import InputError

WHOLE = 4096  # logits of a vocabulary up to this size are all put into the page
SINGLE = 50  # of a larger one, these
BINS = 256
SHOWN = 20  # tokens of the live table
LISTED = 12  # tokens of the static one
SLIDERS = {
    "top-k": {"low": 1, "high": 100, "log": True, "whole": True},
    "top-p": {"low": 0.05, "high": 0.99},
    "min-p": {"low": 1e-3, "high": 1.0, "log": True},
    "top-nσ": {"low": 0.0, "high": 5.0},
    "ε": {"low": 1e-5, "high": 0.1, "log": True},
    "η": {"low": 1e-5, "high": 0.1, "log": True},
}
"""Range of each rule's slider."""
COLUMNS = ("rule", "value", "temperature", "count", "mass", "kept")


@cache
def script() -> str:
    """Return the script of the sliders."""
    return (HERE / "kept_sets.js").read_text(encoding="utf-8")


def kept_view(
    logits: np.ndarray,
    tokens: Sequence[str],
    kept: pd.DataFrame,
    *,
    title: str,
    note: str = "",
    png: bytes = b"",
) -> View:
    """Return the kept sets of one distribution.

    Args:
        logits: (V,) raw logits; -inf marks excluded tokens.
        tokens: texts of the most probable tokens, by descending logit, at least as many as are shown.
        kept: what the rules keep, a row per rule and temperature: rule, value (its parameter), temperature,
            count (number kept), mass (probability kept, at that temperature), kept (bool per entry of
            `tokens`).
        title: plain text.
        note: plain text below it.
        png: a picture of the same, b"" for none.

    Raises:
        InputError: a missing column, a rule without a slider, logits that are NaN, +inf or all -inf.
    """
    if missing := [name for name in COLUMNS if name not in kept.columns]:
        raise InputError(f"A view of kept sets needs the column(s) {', '.join(missing)}.")
    if unknown := sorted(set(kept["rule"]) - set(SLIDERS)):
        raise InputError(f"There is no slider for {', '.join(unknown)}: choose from {', '.join(SLIDERS)}.")
    packed = state(logits, tokens, dict(zip(kept["rule"], kept["value"], strict=True)))
    about = "" if packed["exact"] else f" Tokens beyond the {SINGLE} most probable ones are counted in bins."
    header, rows, which, lists = _static(kept, tokens)
    static = (
        f"<p>Kept tokens of {packed['size']} and their probability</p>{table_html(header, rows)}"
        f"<details><summary>Which of the most probable tokens are kept</summary>"
        f"{table_html(which, [[token_html(first), *rest] for first, *rest in lists])}"
        f'<p class="tv-note">{escape_html(_legend(kept))}</p></details>'
    )
    body = f'<p class="tv-note">{escape_html(note + about)}</p><div class="tv-static">{static}</div>'
    listed = [[escape(token_text(first)), *rest] for first, *rest in lists]
    return View(
        title,
        framed(title, body, "tv-kept", f' data-state="{_attribute(packed)}"') + _run(),
        f"**{escape(title)}**\n\n{escape(note)}\n\n{table(header, rows)}\n"
        f"{escape(_legend(kept))}\n\n{table(which, listed)}",
        "\n".join([visible(title), visible(note), table_plain(header, rows), _legend(kept),
                   table_plain(which, [[token_text(first), *rest] for first, *rest in lists])]),
        kept.drop(columns="kept"),
        png,
    )  # fmt: skip


def state(logits: np.ndarray, tokens: Sequence[str], values: dict[str, float]) -> dict[str, object]:
    """Return what the script reads: logits, tokens and sliders; JSON can hold it.

    Keys: logits (descending), tail ([mean logit, number] of each bin below them), sigma (standard deviation
    over all finite logits, divisor V - 1), size (number of finite logits), exact (whether all are given),
    tokens, temperature, sliders.

    Raises:
        InputError: logits that are NaN or +inf, or none that is finite.
    """
    finite = np.sort(logits[logits > -np.inf].astype(np.float64))[::-1]
    if not len(finite) or not np.isfinite(finite).all() or np.isnan(logits).any():
        raise InputError("Kept sets need logits without NaN and +inf, at least one of them finite.")
    exact = len(finite) <= WHOLE
    single, rest = (finite, finite[:0]) if exact else (finite[:SINGLE], finite[SINGLE:])
    sliders = [{"label": rule, "value": value} | SLIDERS[rule] for rule, value in values.items()]
    return {
        # Seven places: less than a float32 can tell apart.
        "logits": [float(f"{value:.7g}") for value in single],
        "tail": _bins(rest),
        "sigma": float(finite.std(ddof=1)) if len(finite) > 1 else 0.0,
        "size": len(finite),
        "exact": exact,
        "tokens": [token_text(text) for text in tokens[:SHOWN]],
        "temperature": 1.0,
        "sliders": sliders,
    }


def _bins(rest: np.ndarray) -> list[list[float]]:
    """Return [mean, number] of the bins of descending logits, largest first, empty bins left out."""
    if not len(rest):
        return []
    counts, edges = np.histogram(rest, BINS)
    sums, _ = np.histogram(rest, edges, weights=rest)
    filled = counts > 0
    pairs = zip(sums[filled] / counts[filled], counts[filled], strict=True)
    return [[float(f"{mean:.7g}"), int(number)] for mean, number in pairs][::-1]


def _attribute(packed: dict[str, object]) -> str:
    """Return the state as the value of an attribute in double quotes."""
    return html.escape(json.dumps(packed, ensure_ascii=True, separators=(",", ":")), quote=True)


def _run() -> str:
    """Return the script, which sets up every view of the page that is not set up yet."""
    return (
        f"<script>(() => {{\n{script()}\n"
        'document.querySelectorAll("div.tv-kept").forEach(keptView);\n})();</script>'
    )


def _static(
    kept: pd.DataFrame, tokens: Sequence[str]
) -> tuple[list[str], list[list[str]], list[str], list[list[str]]]:
    """Return header and rows of the table of sizes, and of that of tokens; cells safe but for tokens."""
    temperatures = sorted(kept["temperature"].unique())
    names = [f"T = {value:g}" for value in temperatures]
    rows, cells = [], {(one.rule, one.temperature): one for one in kept.itertuples()}
    rules = dict(zip(kept["rule"], kept["value"], strict=True))
    for rule, value in rules.items():
        own = [cells[rule, t] for t in temperatures]
        rows.append([f"{rule} = {value:.4g}", *(f"{one.count} ({100 * one.mass:.1f} %)" for one in own)])
    lists = [
        [text, *(_letters(rules, [cells[rule, t].kept[i] for rule in rules]) for t in temperatures)]
        for i, text in enumerate(tokens[:LISTED])
    ]
    return ["rule", *names], rows, ["token", *names], lists


def _letters(rules: Sequence[str] | dict[str, float], flags: Sequence[bool]) -> str:
    """Return a letter for each rule that keeps a token, a dot for each that does not: "kp·nεη"."""
    return "".join(_letter(rule) if flag else "·" for rule, flag in zip(rules, flags, strict=True))


def _letter(rule: str) -> str:
    """Return the letter of a rule, "n" for top-nσ and "m" for min-p."""
    return {"top-nσ": "n", "min-p": "m"}.get(rule, rule[-1])


def _legend(kept: pd.DataFrame) -> str:
    """Return what the letters mean."""
    rules = dict.fromkeys(kept["rule"])
    return "A letter: kept, a dot: cut. " + ", ".join(f"{_letter(rule)} = {rule}" for rule in rules)
