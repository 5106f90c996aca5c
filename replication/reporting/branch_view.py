"""The branches of one question, to be opened one by one: text, answer, and Δ token by token (Equation 1).

Made of `<details>`, which open without any script; the answer is marked in the text, and a score is a number
and a bar.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from replication.reporting.branches import bar, number
from replication.reporting.heat_map import number as shown
from replication.reporting.markdown import escape, escape_html, table, visible
from replication.reporting.view import (
    View,
    framed,
    lines_html,
    table_html,
    table_plain,
    token_html,
    token_text,
)
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd

BRANCHES = ("branch", "first", "probability", "text", "start", "end", "answer", "delta", "excluded")
TOKENS = ("branch", "token", "top1", "top2")
HEADER = ("answer token", "p1", "p2", "p1 - p2")
RIGHT = (1, 2, 3)


def branch_view(branches: "pd.DataFrame", tokens: "pd.DataFrame", *, title: str, note: str = "") -> View:
    """Return the branches of a question.

    Args:
        branches: a row per branch: branch (number), first (text of its first token), probability (of that
            token), text, start and end (characters of the answer, -1 without one), answer (None without one),
            delta (NaN without one), excluded ("" or why the branch takes no part); and, where the right
            answer is known, correct (bool).
        tokens: a row per answer token, in order: branch, token (text), top1 and top2 (the two largest
            probabilities at its place).
        title: plain text.
        note: plain text below it.

    Raises:
        InputError: a missing column, or no branch.
    """
    for frame, wanted in ((branches, BRANCHES), (tokens, TOKENS)):
        if missing := [name for name in wanted if name not in frame.columns]:
            raise InputError(f"A view of branches needs the column(s) {', '.join(missing)}.")
    if branches.empty:
        raise InputError("A view of branches needs at least one branch.")
    records = branches.to_dict("records")
    own = {record["branch"]: tokens[tokens["branch"] == record["branch"]] for record in records}
    surest = _surest(records)
    blocks = [_html(record, own[record["branch"]], record["branch"] == surest) for record in records]
    heading = f'<p class="tv-note">{escape_html(note)}</p>' if note else ""
    data = branches.merge(tokens, on="branch", how="left")
    return View(
        title,
        framed(title, heading + "".join(blocks), "tv-branches"),
        _markdown(records, own, title, note),
        _plain(records, own, title, note),
        data.assign(margin=data["top1"] - data["top2"]),
    )


def _surest(records: Sequence[dict[str, Any]]) -> object:
    """Return the branch to show open: the one with the largest Δ of those that take part, or the first."""
    part = [one for one in records if not one["excluded"] and number(one["delta"]) == number(one["delta"])]
    return max(part, key=lambda one: one["delta"])["branch"] if part else records[0]["branch"]


def _headline(record: dict[str, Any]) -> list[str]:
    """Return what is told of a branch in one line: plain texts."""
    score = number(record["delta"])
    answer = "no answer" if _missing(record["answer"]) else f"answer {record['answer']}"
    if not _missing(record["answer"]) and "correct" in record:
        answer += " ✔ right" if record["correct"] else " ✘ wrong"
    out = f"left out: {record['excluded']}" if record["excluded"] else ""
    delta = f"Δ {shown(score)} {bar(score)}".strip()
    first = f"“{token_text(record['first'])}” ({shown(number(record['probability']))})"
    return [part for part in (f"Branch {record['branch']}", first, delta, answer, out) if part]


def _missing(answer: object) -> bool:
    """Tell whether a branch has no answer; pandas may have made NaN of None."""
    return answer is None or answer != answer


def _html(record: dict[str, Any], tokens: "pd.DataFrame", opened: bool) -> str:
    """Return one branch as `<details>`."""
    head = " · ".join(map(escape_html, _headline(record)))
    before, inside, after = map(lines_html, parts(record))
    text = f"{before}<mark>{inside}</mark>{after}" if inside else before + after
    rows = [[escape_html(name) or token_html(token), *numbers] for name, token, *numbers in _rows(tokens)]
    table_ = table_html(HEADER, rows, RIGHT) if rows else "<p>No answer tokens, so no Δ.</p>"
    return (
        f"<details{' open' if opened else ''}><summary>{head}</summary>"
        f'<p class="tv-text">{text}</p>{table_}</details>'
    )


def parts(record: dict[str, Any]) -> tuple[str, str, str]:
    """Return the text before, inside and after the answer."""
    text, start, end = str(record["text"]), int(record["start"]), int(record["end"])
    return (text[:start], text[start:end], text[end:]) if 0 <= start < end else (text, "", "")


def _rows(tokens: "pd.DataFrame") -> list[list[str]]:
    """Return "", answer token, p1, p2 and margin as text; below several the mean margin, named instead."""
    found = [
        ["", one.token, shown(one.top1), shown(one.top2), shown(one.top1 - one.top2)]
        for one in tokens.itertuples()
    ]
    if len(found) > 1:
        found.append(["mean = Δ", "", "", "", shown(float((tokens["top1"] - tokens["top2"]).mean()))])
    return found


def _markdown(records: Sequence[dict[str, Any]], own: dict, title: str, note: str) -> str:
    """Return all branches as Markdown."""
    pieces = [f"**{escape(title)}**", escape(note)]
    for record in records:
        before, inside, after = map(escape, parts(record))
        text = f"{before}<b>{inside}</b>{after}" if inside else before + after
        pieces += [f"**{escape(' · '.join(_headline(record)))}**", text]
        found = _rows(own[record["branch"]])
        rows = [[name or escape(token_text(token)), *numbers] for name, token, *numbers in found]
        pieces += [table(list(map(escape, HEADER)), rows, RIGHT)] if rows else []
    return "\n\n".join(piece for piece in pieces if piece)


def _plain(records: Sequence[dict[str, Any]], own: dict, title: str, note: str) -> str:
    """Return all branches as text, the answer between ⟦ and ⟧."""
    pieces = [visible(title), visible(note)]
    for record in records:
        before, inside, after = map(visible, parts(record))
        pieces += [
            visible(" · ".join(_headline(record))),
            f"  {before}⟦{inside}⟧{after}" if inside else f"  {before}{after}",
        ]
        found = _rows(own[record["branch"]])
        rows = [[f"    {name or token_text(token)}", *numbers] for name, token, *numbers in found]
        pieces += [table_plain([f"    {HEADER[0]}", *HEADER[1:]], rows)] if rows else []
    return "\n".join(piece for piece in pieces if piece)
