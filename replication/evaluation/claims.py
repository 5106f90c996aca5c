"""Claims become verdicts: an estimate with its interval is held against the rule written down before the run.

Thresholds are on the scale of the estimate (fractions, not percent). For "greater", with `null` <= `margin`:

    reproduced       low  > margin
    partly           low  > null                      (the direction is shown, the size is not)
    not reproduced   high < margin  or  high <= null
    inconclusive     anything else: the interval spans the margin

"less" is the mirror image. "within" asks for the whole interval inside [low, high]; an interval outside is
"not reproduced", one that crosses an end is "inconclusive". Without data the verdict is "not testable", and
so it is without room: when even the largest value that could have been measured (both sides right in every
question, say) would not show the direction, and the interval does not show the opposite.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from replication.files import write_atomic
from replication.papers import Claim, Paper, Precondition
from replication.settings import InputError

REPRODUCED = "reproduced"
PARTLY = "partly"
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"
NOT_TESTABLE = "not testable"
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, INCONCLUSIVE, NOT_TESTABLE)
LOCK_SECONDS = 60


@dataclass(frozen=True)
class Estimate:
    """A measured number with its 95 % interval.

    Attributes:
        value: point estimate, NaN when nothing could be measured.
        low: lower end of the interval.
        high: upper end of the interval.
        n: number of independent units (questions) behind it.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def usable(self) -> bool:
        """Whether there is anything to judge: at least one unit and no NaN."""
        return self.n > 0 and not any(math.isnan(x) for x in (self.value, self.low, self.high))

    def __neg__(self) -> "Estimate":
        """Return the estimate of the opposite quantity, such as second - first from first - second."""
        return Estimate(-self.value, -self.high, -self.low, self.n)


NOTHING = Estimate(math.nan, math.nan, math.nan, 0)


@dataclass(frozen=True)
class ClaimResult:
    """One entry of `claims.json`; the fields are a contract with readers of the results."""

    paper: str
    claim: str
    statement: str
    source: str
    published: str
    measured: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    test: str
    verdict: str
    reason: str
    notebook: str


def judge(test: Mapping[str, Any], estimate: Estimate, room: float | None = None) -> tuple[str, str]:
    """Return the verdict and a sentence that gives the numbers, the margin and what follows.

    Args:
        test: `kind` and its thresholds, see the module's text; a missing `null` is 0, a missing `margin` is
            the null value.
        estimate: the measurement.
        room: the most extreme value that the measurement could have taken in the direction of a one-sided
            claim, such as 1 - accuracy of what is to be beaten; None where that is not at issue.

    Raises:
        InputError: an unknown kind of test.
    """
    kind = test["kind"]
    if kind not in ("greater", "less", "within"):
        raise InputError(f"A test's kind needs to be greater, less or within, got {kind!r}.")
    if not estimate.usable:
        return NOT_TESTABLE, f"Nothing could be measured (n = {estimate.n})."
    if kind == "within":
        verdict, why = _judge_within(test, estimate)
    elif room is not None and (why := _no_room(test, estimate, room)):
        verdict = NOT_TESTABLE
    else:
        verdict, why = _judge_one_sided(test, estimate)
    return verdict, f"Measured {numbers(estimate, *_thresholds(test))}: {why}."


def within_reach(test: Mapping[str, Any], estimate: Estimate, slack: float) -> set[str]:
    """Return the verdicts that the rule could give if each end of the interval moved by up to `slack`.

    Another kind of processor rounds differently, which turns a few sampled answers; a verdict that stands
    close to a threshold may turn with them.
    """
    if not estimate.usable:
        return {NOT_TESTABLE}
    moves = (-slack, 0.0, slack)
    moved = [Estimate(estimate.value, estimate.low + a, estimate.high + b, estimate.n)
             for a in moves for b in moves if estimate.low + a <= estimate.high + b]  # fmt: skip
    return {judge(test, one)[0] for one in moved}


def _judge_one_sided(test: Mapping[str, Any], estimate: Estimate) -> tuple[str, str]:
    """Return verdict and reason for "greater" and, through a change of sign, "less"."""
    up = test["kind"] == "greater"
    null, margin = _thresholds(test)
    sign = 1 if up else -1
    low, high = (estimate.low, estimate.high) if up else (-estimate.high, -estimate.low)
    side, start = ("above", "below") if up else ("below", "above")
    decimals = _decimals(estimate, null, margin)
    null_text, margin_text = plain(null, decimals), plain(margin, decimals)
    if low > sign * margin:
        return REPRODUCED, f"the whole interval lies {side} the margin {margin_text}"
    if low > sign * null:
        return PARTLY, f"the interval lies {side} {null_text} but not {side} the margin {margin_text}"
    if high <= sign * null:
        return NOT_REPRODUCED, f"no part of the interval lies {side} {null_text} (margin {margin_text})"
    if high < sign * margin:
        return NOT_REPRODUCED, f"the whole interval lies {start} the margin {margin_text}"
    spanned = f"the margin {margin_text}" if null == margin else f"{null_text} and the margin {margin_text}"
    return INCONCLUSIVE, f"the interval spans {spanned}, more data would be needed"


def _no_room(test: Mapping[str, Any], estimate: Estimate, room: float) -> str:
    """Return why a one-sided claim could not be shown by any data, "" where it could be or is refuted."""
    null = _thresholds(test)[0]
    sign = 1 if test["kind"] == "greater" else -1
    refuted = (estimate.high if sign > 0 else -estimate.low) < sign * null
    if sign * room > sign * null or refuted:
        return ""
    most = "largest" if sign > 0 else "smallest"
    decimals = _decimals(estimate, null, room)
    return (
        f"there is no room, the {most} value possible here is {plain(room, decimals)} and the claim asks "
        f"for {'more' if sign > 0 else 'less'} than {plain(null, decimals)}, so that no amount of data could "
        "show it"
    )


def _judge_within(test: Mapping[str, Any], estimate: Estimate) -> tuple[str, str]:
    """Return verdict and reason for "within"."""
    low, high = _thresholds(test)
    decimals = _decimals(estimate, low, high)
    band = f"[{plain(low, decimals)}, {plain(high, decimals)}]"
    if low <= estimate.low and estimate.high <= high:
        return REPRODUCED, f"the whole interval lies within {band}"
    if estimate.high < low or estimate.low > high:
        return NOT_REPRODUCED, f"the whole interval lies outside {band}"
    return INCONCLUSIVE, f"the interval crosses an end of {band}, more data would be needed"


def _thresholds(test: Mapping[str, Any]) -> tuple[float, float]:
    """Return (null, margin), or (low, high) for "within"."""
    if test["kind"] == "within":
        return float(test["low"]), float(test["high"])
    null = float(test.get("null", 0.0))
    return null, float(test.get("margin", null))


def plain(value: float, decimals: int = 2) -> str:
    """Return a number with fixed decimals, never "-0.00"; "—" for NaN."""
    if math.isnan(value):
        return "—"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def numbers(estimate: Estimate, *thresholds: float) -> str:
    """Return "0.31 [0.27, 0.36], n = 500", with more decimals where two would blur a threshold."""
    d = _decimals(estimate, *thresholds)
    interval = f"[{plain(estimate.low, d)}, {plain(estimate.high, d)}]"
    return f"{plain(estimate.value, d)} {interval}, n = {estimate.n}"


def _decimals(estimate: Estimate, *thresholds: float) -> int:
    """Return the fewest decimals (>= 2) at which no end of the interval reads like another threshold."""
    pairs = [(end, t) for end in (estimate.low, estimate.high) for t in thresholds if end != t]
    for decimals in (2, 3, 4, 5):
        if all(plain(end, decimals) != plain(t, decimals) for end, t in pairs):
            return decimals
    return 6


def rule(test: Mapping[str, Any]) -> str:
    """Return the test as one line, such as "accuracy difference > 0.10 (partly: > 0.00)"."""
    what = test["estimate"]
    first, second = _thresholds(test)
    if test["kind"] == "within":
        return f"{what} in [{_short(first)}, {_short(second)}]"
    relation = ">" if test["kind"] == "greater" else "<"
    partly = "" if first == second else f" (partly: {relation} {_short(first)})"
    return f"{what} {relation} {_short(second)}{partly}"


def _short(threshold: float) -> str:
    """Return a threshold with two decimals, or with all it has."""
    return plain(threshold) if round(threshold, 2) == threshold else f"{threshold:g}"


def result(paper: str, claim: Claim, estimate: Estimate, room: float | None = None) -> ClaimResult:
    """Return the claim judged by its own test; `room` as in `judge`."""
    verdict, reason = judge(claim.test, estimate, room)
    return _entry(paper, claim, estimate, verdict, reason)


def untestable(paper: str, claim: Claim, reason: str, estimate: Estimate = NOTHING) -> ClaimResult:
    """Return the claim as "not testable"; a measurement is kept for the record when there is one."""
    return _entry(paper, claim, estimate, NOT_TESTABLE, reason)


def _entry(paper: str, claim: Claim, estimate: Estimate, verdict: str, reason: str) -> ClaimResult:
    """Return the record of one claim."""
    return ClaimResult(
        paper=paper,
        claim=claim.id,
        statement=claim.statement,
        source=claim.source,
        published=claim.published,
        measured=_stored(estimate.value),
        ci_low=_stored(estimate.low),
        ci_high=_stored(estimate.high),
        n=int(estimate.n),
        test=rule(claim.test),
        verdict=verdict,
        reason=reason,
        notebook=claim.notebook,
    )


def _stored(value: float) -> float | None:
    """Return a number as it is stored: six decimals; None for NaN and infinity, which JSON does not have."""
    return round(float(value), 6) + 0.0 if math.isfinite(value) else None


def met(test: Mapping[str, Any], estimate: Estimate) -> bool:
    """Tell whether a precondition holds: its value reaches the margin, or lies in the band, ends included.

    A precondition describes the model at hand on the very questions that the claims are judged on, so its
    value decides and not its interval.
    """
    if not estimate.usable:
        return False
    first, second = _thresholds(test)
    if test["kind"] == "within":
        return first <= estimate.value <= second
    return estimate.value >= second if test["kind"] == "greater" else estimate.value <= second


def unmet_reason(paper: Paper, claim: Claim, measured: Mapping[str, Estimate]) -> str:
    """Return why the claim cannot be judged, naming each failed precondition and its value; "" when all hold.

    Args:
        paper: the claim's paper.
        claim: the claim; it needs `claim.requires`, or all preconditions when that is None.
        measured: estimates of the preconditions by id.

    Raises:
        InputError: a precondition that the claim needs has not been measured.
    """
    needed = [p for p in paper.preconditions if claim.requires is None or p.id in claim.requires]
    if missing := [p.id for p in needed if p.id not in measured]:
        raise InputError(f"Claim {claim.id} needs precondition(s) {', '.join(missing)}: measure them first.")
    failed = [describe(p, measured[p.id]) for p in needed if not met(p.test, measured[p.id])]
    return f"Precondition not met: {'; '.join(failed)}." if failed else ""


def describe(precondition: Precondition, estimate: Estimate) -> str:
    """Return the precondition, its bound and its measured value in one phrase."""
    first, second = _thresholds(precondition.test)
    bound = {
        "greater": f"at least {_short(second)}",
        "less": f"at most {_short(second)}",
        "within": f"between {_short(first)} and {_short(second)}",
    }[precondition.test["kind"]]
    value = numbers(estimate) if estimate.usable else "nothing"
    return f"{precondition.id} ({precondition.statement.rstrip('.')}) asks for {bound}, measured {value}"


class ClaimsFile:
    """The `claims.json` of one paper in one run, shared by the paper's notebooks."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def read(self) -> list[dict[str, Any]]:
        """Return the stored entries, [] when there are none.

        Raises:
            InputError: the file is not a list of claims.
        """
        if not self.path.exists():
            return []
        try:
            entries = json.loads(self.path.read_text(encoding="utf-8"))
            return [asdict(ClaimResult(**entry)) for entry in entries]
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{self.path} does not hold claims ({error}): delete it and run the paper's notebooks again."
            ) from error

    def replace(self, notebook: str, results: Iterable[ClaimResult], order: Sequence[str]) -> None:
        """Put `results` in the place of all entries of `notebook`; entries of other notebooks stay.

        Safe among processes: the file is locked while it is read, merged and replaced.

        Args:
            notebook: file stem of the notebook.
            results: its claims.
            order: ids of the paper's claims in the order of its file; entries of other ids are dropped.
        """
        position = {claim: place for place, claim in enumerate(order)}
        new = [asdict(entry) for entry in results]
        with self._locked():
            taken = {entry["claim"] for entry in new}
            kept = [e for e in self.read() if e["notebook"] != notebook and e["claim"] not in taken]
            entries = [entry for entry in kept + new if entry["claim"] in position]
            entries.sort(key=lambda entry: position[entry["claim"]])
            self._write(entries)

    def drop(self, notebook: str) -> None:
        """Remove the entries of a notebook that did not run to its end; a damaged file is left as it is."""
        if not self.path.exists():
            return
        with self._locked():
            try:
                entries = self.read()
            except InputError:
                return
            kept = [entry for entry in entries if entry["notebook"] != notebook]
            if len(kept) < len(entries):
                self._write(kept)

    def _locked(self) -> FileLock:
        """Return the lock under which the file is changed; its folder is made."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=LOCK_SECONDS)

    def _write(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Put the entries in the file's place."""
        text = json.dumps(list(entries), indent=2, ensure_ascii=False, allow_nan=False)
        write_atomic(self.path, text + "\n")
