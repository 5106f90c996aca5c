"""`Report`: what a notebook says about its run, bound to the run's settings.

Everything that is shown is Markdown (or an image) without versions, times or paths, so that a notebook that
is executed again gives the same text; `environment` is the exception and says so.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication import papers
from replication.evaluation import claims as judging
from replication.evaluation.claims import ClaimResult, ClaimsFile, Estimate
from replication.files import write_atomic
from replication.reporting import tables
from replication.reporting.branches import bundle
from replication.reporting.markdown import authored, escape, table, verdict
from replication.reporting.scoreboard import claims_table
from replication.settings import InputError, NotTestable, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NOT_MEASURED = "The notebook did not measure it in this run."


class Report:
    """Shows and stores the tables, figures and claims of a notebook.

    Args:
        settings: the run.
        notebook: file stem such as "02_decoders"; methods that need it take it from here unless they are
            given one.
        folder: where the papers' TOML files lie; the package's own by default.

    Raises:
        InputError: unknown paper, or a file of it with an error.
    """

    def __init__(self, settings: Settings, notebook: str = "", folder: Path | str | None = None) -> None:
        self.settings = settings
        self.paper = papers.load(settings.paper, folder)
        self.notebook = notebook
        self.started = time.monotonic()
        self.measured: dict[str, Estimate] = {}
        self.results: dict[str, ClaimResult] = {}
        self.missing = ""

    # What is at stake

    def header(self, sampled: bool = False) -> None:
        """Show the paper and the settings of the run: names and sizes, no versions, times or folders.

        Args:
            sampled: the notebook's runs take n_questions of a published set, too, and never all of it.
        """
        run, paper = self.settings, self.paper
        rows = [
            ("paper", authored(f"{paper.title} ({paper.authors}; {paper.venue})")),
            ("profile", escape(run.profile)),
            ("model", escape(_model(run))),
            ("task", escape(run.task)),
            ("data", escape(Path(run.data_dir).name) if run.data_dir else "generated or from the hub"),
            ("seed", str(run.seed)),
            *((f"`{name}`", _size(run, name, sampled)) for name in run.sizes),
        ]
        _show(table(["setting", "value"], rows))

    def claims(self, notebook: str = "") -> None:
        """Show claims with the published numbers and the deciding rule: the notebook's or the paper's."""
        chosen = notebook or self.notebook
        rows = [
            (
                escape(claim.id),
                authored(claim.statement),
                authored(claim.source),
                authored(claim.published),
                authored(judging.rule(claim.test)),
            )
            for claim in self.paper.claims
            if chosen in ("", claim.notebook)
        ]
        _show(table(["", "Claim", "Source", "Published", "Reproduced when the whole interval has"], rows))

    def choices(self) -> None:
        """Show what the paper leaves open and what is done here."""
        rows = [(escape(x.id), authored(x.text), authored(x.ours)) for x in self.paper.choices]
        _show(table(["", "Left open", "Here"], rows) if rows else "The paper leaves nothing open.")

    def deviations(self) -> None:
        """Show where this project does something else than the paper, and why."""
        rows = [(escape(x.id), authored(x.text), authored(x.reason)) for x in self.paper.deviations]
        _show(table(["", "Deviation", "Why"], rows) if rows else "No deviations from the paper.")

    def slips(self) -> None:
        """Show the known slips in the publication."""
        self._notes(self.paper.slips, "Slip in the publication", "No slips in the publication are known.")

    def controls(self) -> None:
        """Show the controls that the paper lacks."""
        self._notes(self.paper.controls, "Control", "No further controls.")

    def full_scale_only(self, notebook: str = "") -> None:
        """Show the published tables and figures that need full scale, with the reason.

        Entries that belong to no notebook in particular are shown with every notebook.
        """
        chosen = notebook or self.notebook
        rows = [
            (escape(x.id.replace("_", " ")), authored(x.title), authored(x.reason))
            for x in self.paper.artefacts
            if x.status == "full scale only" and (not chosen or x.notebook in ("", chosen))
        ]
        _show(table(["", "Shows", "Why full scale"], rows) if rows else "Nothing here needs full scale.")

    # Evidence

    def published(self, name: str) -> "pd.DataFrame":
        """Return the published rows of a table or figure as a frame.

        Raises:
            InputError: the paper's file holds no such rows.
        """
        import pandas as pd

        if name not in self.paper.published:
            known = ", ".join(self.paper.published) or "none"
            raise InputError(f"No published rows {name!r} for {self.paper.key}: known are {known}.")
        entry = self.paper.published[name]
        return pd.DataFrame([list(row) for row in entry.rows], columns=list(entry.columns))

    def show(self, frame: "pd.DataFrame", caption: str = "", percent: bool = True) -> None:
        """Show a frame without storing it; cells as in `table`."""
        _show(tables.captioned(tables.to_markdown(frame, percent), caption))

    def show_published(self, name: str) -> None:
        """Show the published rows with their note; errors as `published`."""
        frame = self.published(name)
        note = self.paper.published[name].note
        caption = f"Published, {name.replace('_', ' ')}" + (f" ({authored(note)})" if note else "")
        _show(tables.captioned(tables.to_markdown(frame, decimals=_decimals(frame)), caption))

    def table(self, frame: "pd.DataFrame", name: str, caption: str = "", percent: bool = True) -> None:
        """Store a table as `tables/<name>.csv` and `.md`, and show it with model, task, profile and seed.

        Args:
            frame: cells may be text (escaped), numbers, booleans, None and `Estimate`; the index is not
                shown.
            name: the paper's own number, such as "table_4".
            caption: Markdown.
            percent: whether estimates are shown as percentages.

        Raises:
            InputError: a name that cannot be a file's.
        """
        _show(tables.save(frame, self.settings.tables_dir, name, caption, percent, self._where()))

    def figure(
        self, figure: "Figure", name: str, caption: str = "", data: "pd.DataFrame | None" = None
    ) -> None:
        """Store a figure as `figures/<name>.png` and `.pdf`, its data as `.csv`, and show it once.

        Caption, model, task, profile and seed stand below it, and are stored beside it as `.md`.

        Args:
            figure: made with `style.panels`; it is closed afterwards.
            name: the paper's own number, such as "figure_5_left".
            caption: Markdown.
            data: the plotted numbers.

        Raises:
            InputError: a name that cannot be a file's.
        """
        from replication.reporting import style

        tables.check_name(name)
        picture = style.save(figure, self.settings.figures_dir, name)
        if data is not None:
            write_atomic(self.settings.figures_dir / f"{name}.csv", tables.to_csv(data))
        below = tables.heading(caption, self._where())
        write_atomic(self.settings.figures_dir / f"{name}.md", f"{below}\n")
        style.show(figure, picture)
        _show(below)

    def branches(
        self,
        frame: "pd.DataFrame",
        name: str = "",
        caption: str = "",
        score: str = "delta",
        span: Sequence[str] = (),
    ) -> None:
        """Show the branches of a question shaded by their score; stored as a table when a name is given.

        Args:
            frame: one row per branch; text is escaped.
            name: "" or the id of a table, such as "table_13".
            caption: plain text.
            score: column in [0, 1] that shades the row; NaN where a branch has none.
            span: () or (text column, start column, end column) of the answer, which is set in bold.

        Raises:
            InputError: a missing column, or a name that cannot be a file's.
        """
        from IPython.display import display

        data = bundle(frame, score, span, caption)
        if name:
            tables.save(frame.drop(columns=list(span[1:])), self.settings.tables_dir, name, caption)
        display(data, raw=True)

    # Verdicts

    @contextmanager
    def where_testable(self) -> Iterator[None]:
        """Run the cell's lines as far as the model allows, and show in one sentence what is missing.

        What raises `NotTestable` ends the lines inside; claims that are not judged in them, or later, are
        "not testable" for that reason. Names that such lines would have given are missing afterwards, which
        ends the later lines that use them.
        """
        try:
            yield
        except NotTestable as error:
            self.missing = self.missing or str(error)
            _show(f"**Not testable**: {authored(str(error))}")
        except NameError:
            if not self.missing:
                raise
            _show("**Not testable**, as above.")

    def precondition(self, precondition_id: str, estimate: Estimate) -> None:
        """Record what the model shows for a precondition, and say whether it holds.

        Raises:
            InputError: unknown precondition.
        """
        entry = self.paper.precondition(precondition_id)
        self.measured[entry.id] = estimate
        word = "✔ met" if judging.met(entry.test, estimate) else "✘ not met"
        _show(f"**Precondition {word}**: {authored(judging.describe(entry, estimate))}.")

    def claim(self, claim_id: str, estimate: Estimate, room: float | None = None) -> None:
        """Judge a claim, keep the result and show it in one line.

        When a precondition that the claim needs does not hold it is "not testable", and the reason names it.

        Args:
            claim_id: id of the claim.
            estimate: the measurement.
            room: the most extreme value that could have been measured in the claim's direction; without any
                the claim is "not testable", see `evaluation.claims.judge`.

        Raises:
            InputError: unknown claim, a claim of another notebook, or a precondition that is not measured
            yet.
        """
        entry = self._own_claim(claim_id)
        if reason := judging.unmet_reason(self.paper, entry, self.measured):
            self._keep(judging.untestable(self.paper.key, entry, reason, estimate))
        else:
            self._keep(judging.result(self.paper.key, entry, estimate, room))

    def judge(self, measured: Mapping[str, Estimate | str], room: Mapping[str, float] | None = None) -> None:
        """Judge several claims: an estimate as `claim` does, with its room, a reason as `untestable` does."""
        for claim_id, found in measured.items():
            if isinstance(found, str):
                self.untestable(claim_id, found)
            else:
                self.claim(claim_id, found, (room or {}).get(claim_id))

    def untestable(self, claim_id: str, reason: str) -> None:
        """Record that a claim cannot be tested in this run, with the reason as a sentence.

        Raises:
            InputError: unknown claim, or a claim of another notebook.
        """
        self._keep(judging.untestable(self.paper.key, self._own_claim(claim_id), reason))

    def verdicts(self, notebook: str = "") -> None:
        """Show the notebook's claims as judged and store them in `claims.json`, beside other notebooks'.

        A claim of the notebook that was not judged is stored as "not testable".

        Raises:
            InputError: no notebook given, or claims judged that belong to another one.
        """
        chosen = self._notebook(notebook)
        if strangers := [x.claim for x in self.results.values() if x.notebook != chosen]:
            raise InputError(f"Claim(s) {', '.join(strangers)} belong to another notebook than {chosen}.")
        own = [claim for claim in self.paper.claims if claim.notebook == chosen]
        why = self.missing or NOT_MEASURED
        missing = {claim.id: judging.untestable(self.paper.key, claim, why) for claim in own}
        if self.missing:
            self.results = missing | self.results
        results = [self.results.get(key, nothing) for key, nothing in missing.items()]
        order = [claim.id for claim in self.paper.claims]
        ClaimsFile(self.settings.paper_dir / "claims.json").replace(chosen, results, order)
        rows = [vars(result) for result in results]
        _show(claims_table(rows) if rows else "This notebook judges no claim.")

    def verdict_words(self) -> None:
        """Print claim and verdict, a line each: what holds where numbers move a little."""
        for result in self.results.values():
            print(f"{result.claim:5}{result.verdict}")

    def environment(self, notebook: str = "") -> None:
        """Print versions, hardware and seconds since the report began, and store them for the manifest.

        The cell differs from run to run: tag it `nbval-ignore-output`. The file is
        `<paper>/environment/<notebook>.json`.

        Raises:
            InputError: no notebook given.
        """
        from replication.reporting.environment import hardware, versions

        chosen = self._notebook(notebook)
        seconds = round(time.monotonic() - self.started, 1)
        content: dict[str, Any] = {"notebook": chosen, "device": self.settings.device, "seconds": seconds}
        content |= {"versions": versions(), "hardware": hardware()}
        path = self.settings.paper_dir / "environment" / f"{chosen}.json"
        write_atomic(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        for name, value in [*content["versions"].items(), *content["hardware"].items()]:
            print(f"{name:14}{value}")
        print(f"{'device':14}{self.settings.device}\n{'seconds':14}{seconds}")

    def _where(self) -> str:
        """Return what a table or figure comes from, in one line of Markdown."""
        run = self.settings
        model = escape(Path(run.model.rstrip("/")).name)
        return f"*Run of {model} on {escape(run.task)}, profile {escape(run.profile)}, seed {run.seed}.*"

    def _keep(self, result: ClaimResult) -> None:
        """Keep a judged claim and show it in one line."""
        self.results[result.claim] = result
        _show(f"**{escape(result.claim)}** {verdict(result.verdict)}. {authored(result.reason)}")

    def _own_claim(self, claim_id: str) -> papers.Claim:
        """Return the claim; refused when this report's notebook is known and is another one."""
        entry = self.paper.claim(claim_id)
        if self.notebook and entry.notebook != self.notebook:
            raise InputError(f"Claim {claim_id} belongs to the notebook {entry.notebook}: judge it there.")
        return entry

    def _notebook(self, notebook: str) -> str:
        """Return the notebook given here or to the report."""
        chosen = notebook or self.notebook
        if not papers.NOTEBOOK.fullmatch(chosen):
            raise InputError(f"The report needs the notebook's name, such as '02_decoders', got {chosen!r}.")
        return chosen

    def _notes(self, notes: Iterable[papers.Note], heading: str, nothing: str) -> None:
        """Show notes as a table."""
        rows = [(escape(note.id), authored(note.text)) for note in notes]
        _show(table(["", heading], rows) if rows else nothing)


def _model(run: Settings) -> str:
    """Return the model's name, and what it stands for where a run has the larger ladder."""
    from replication.testbed import grown

    name, larger = Path(run.model.rstrip("/")).name, grown.in_force(run.model)
    return name if larger == run.model else f"{name} ({larger})"


def _size(run: Settings, name: str, sampled: bool) -> str:
    """Return a size of the run as the header shows it."""
    text = escape(run.sizes[name])
    other = run.task != run.default_task and run.profile != "smoke" and name not in run.given and not sampled
    return f"{text}, or all of a published set" if other and name == "n_questions" else text


def _decimals(frame: "pd.DataFrame") -> int:
    """Return the decimals that published numbers were printed with, at least 1 and at most 4."""
    values = [v for name in frame.columns for v in frame[name] if isinstance(v, float) and v == v]
    return next((d for d in (1, 2, 3) if all(round(v, d) == v for v in values)), 4)


def _show(markdown: str) -> None:
    """Display Markdown in a notebook."""
    from IPython.display import Markdown, display

    display(Markdown(markdown))
