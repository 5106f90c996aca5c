"""`Compared`: what the notebook of comparisons shows, bound to the runs that it compares."""

import json
from pathlib import Path

from replication.reporting import comparison, side_by_side, tables
from replication.reporting.comparison import Aligned
from replication.reporting.comparison_page import claims_markdown
from replication.reporting.markdown import escape, table
from replication.reporting.runs import Run, available, find
from replication.settings import InputError, results_root

MOST = 6
STRIPS = 12
TOO_FEW = (
    "There are no two runs to compare: `make reproduce` makes one, `make reproduce MODEL=testbed-small` "
    "another; then run this notebook again."
)


class Compared:
    """Runs side by side; every method shows one part, the first one why there is nothing to show.

    Args:
        runs: names or folders of runs parted by spaces, or as a JSON list; "" takes the runs that there
            are, the first `MOST` by name.
        results_dir: root of the results tree; "" takes the environment's or the project's.

    Raises:
        InputError: a run was named that cannot be read, or the named runs have no claim in common.
    """

    def __init__(self, runs: str = "", results_dir: str = "") -> None:
        results = results_root(results_dir)
        self.runs: list[Run] = []
        self.aligned: list[Aligned] = []
        self.problem, self.said = "", False
        try:
            self.runs = find(_names(runs) or available(results)[:MOST], results)
            self.aligned = comparison.align(self.runs)
        except InputError as error:
            if runs.strip():
                raise
            self.runs, few = [], len(available(results)) < 2
            self.problem = TOO_FEW if few else escape(error)

    @property
    def names(self) -> list[str]:
        """Names of the runs."""
        return [run.name for run in self.runs]

    def settings(self) -> None:
        """Show what the runs were given, and which of it differs."""
        rows = [
            [escape(name), *map(escape, values), "differs" if differs else "the same"]
            for name, values, differs in comparison.settings_rows(self.runs)
        ]
        self._show(table(["setting", *map(escape, self.names), ""], rows))

    def counts(self) -> None:
        """Show how many claims have each verdict, per paper and run."""
        self._show(tables.to_markdown(comparison.counts_frame(self.runs)))

    def changed(self) -> None:
        """Show the claims that changed."""
        changed = [one for one in self.aligned if one.changes]
        said = f"**{len(changed)} of {len(self.aligned)} claims changed.**\n\n"
        self._show(said + (_body(changed, self.names) if changed else ""))

    def claims(self) -> None:
        """Show every claim."""
        self._show(_body(self.aligned, self.names))

    def figures(self) -> None:
        """Show the claims of each paper with the intervals of all runs, `STRIPS` a figure."""
        from replication.reporting import style
        from replication.reporting.comparison_plots import forest

        if self.problem:
            self._show("")
        for paper in dict.fromkeys(one.paper for one in self.aligned):
            own = [one for one in self.aligned if one.paper == paper]
            self._show(f"**{escape(paper)}**")
            for start in range(0, len(own), STRIPS):
                shown = own[start : start + STRIPS]
                made = forest(shown, self.names)
                if made is not None:
                    style.show(made[0])
                    self._show(self._caption(shown))

    def _caption(self, shown: list[Aligned]) -> str:
        """Return what a figure's strips are, and how many of them changed."""
        counts = {int(entry["n"]) for one in shown for entry in one.entries if entry and entry.get("n")}
        n = " to ".join(map(str, sorted({min(counts), max(counts)}))) if counts else "not known"
        changed = sum(bool(one.changes) for one in shown)
        ends = f"{shown[0].claim} to {shown[-1].claim}" if len(shown) > 1 else shown[0].claim
        runs = " and ".join(self.names)
        return f"*{escape(f'{ends} in the runs {runs}: {changed} of {len(shown)} claims changed; n = {n}.')}*"

    def tables(self, paper: str = "") -> None:
        """Show which tables can be laid side by side, of one paper or of all, and what they compare."""
        rows = []
        for name, files in side_by_side.common_tables({run.name: run.folder for run in self.runs}).items():
            if paper in ("", name.partition("/")[0]):
                rows.append([escape(name), *_joined(files)])
        self._show(table(["table", "rows", "compared"], rows) if rows else "No table is in two of the runs.")

    def table(self, name: str) -> None:
        """Show one table of all runs, such as "cot_decoding/table_4".

        Raises:
            InputError: a table that is not in two runs, or that cannot be laid side by side.
        """
        files = side_by_side.common_tables({run.name: run.folder for run in self.runs}).get(name)
        if files is None:
            raise InputError(
                f"The table {name!r} is not in two of the runs: `tables()` lists those that are."
            )
        try:
            frame = side_by_side.join({run: side_by_side.load(path) for run, path in files.items()})
        except side_by_side.NotAlignedError as error:
            raise InputError(f"The table {name!r} cannot be laid side by side: {error}.") from error
        self._show(tables.to_markdown(frame))

    def _show(self, text: str) -> None:
        """Display Markdown; in its place, once, why there is nothing to compare."""
        from IPython.display import Markdown, display

        if self.problem and self.said:
            return
        self.said = bool(self.problem)
        display(Markdown(self.problem or text))


def _names(runs: str) -> list[str]:
    """Return the names in a text."""
    if not runs.strip().startswith("["):
        return runs.split()
    try:
        return [str(name) for name in json.loads(runs)]
    except ValueError as error:
        raise InputError(f"Cannot read the runs {runs!r} ({error}): write names parted by spaces.") from error


def _body(aligned: list[Aligned], names: list[str]) -> str:
    """Return claims as Markdown without the title."""
    return claims_markdown(aligned, names).partition("\n\n")[2]


def _joined(files: dict[str, Path]) -> list[str]:
    """Return the number of rows and what differs between the runs, or why there is no joined table."""
    try:
        frame = side_by_side.join({run: side_by_side.load(path) for run, path in files.items()})
    except side_by_side.NotAlignedError as error:
        return [escape(error), "—"]
    starts = tuple(f"{run}: " for run in files)
    names = [column.partition(": ")[2] for column in frame if column.startswith(starts)]
    shown = [name for name in dict.fromkeys(names) if not name.endswith(side_by_side.ENDINGS)]
    return [str(len(frame)), escape("; ".join(shown)) or "the same in all runs"]
