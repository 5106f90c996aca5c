"""`make compare RUNS="..."`: the files of a comparison, and the notebook of comparisons executed for it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from replication.workflow import discovery

NOTEBOOK = "90_compare/01_compare"


def compare(
    wanted: Sequence[str], results: Path, notebook: bool, as_json: bool, say: Callable[[str], None]
) -> Path:
    """Compare runs and say what changed; return the folder that was written, `results/compare/<names>`.

    Args:
        wanted: names of runs in the results tree, or folders.
        results: root of the results tree.
        notebook: whether the notebook of comparisons is executed, too.
        as_json: say the comparison as JSON and nothing else.
        say: receives every line.

    Raises:
        InputError: a run that cannot be read, fewer than two, or none of their claims in common.
        NotebookError: the notebook failed.
    """
    from replication.reporting import comparison_page, runs

    found = runs.find(wanted, results)
    folder = results / comparison_page.FOLDER / comparison_page.folder_name([run.name for run in found])
    content = comparison_page.write(found, folder)
    if notebook:
        _execute([str(run.folder) for run in found], results, folder)
    if as_json:
        say(json.dumps(content, indent=2, ensure_ascii=False))
        return folder
    changed = [claim for claim in content["claims"] if claim["changes"]]
    width = max((len(f"{claim['paper']} {claim['claim']}") for claim in changed), default=0)
    for claim in changed:
        say(f"{claim['paper']} {claim['claim']}".ljust(width) + f"  {'; '.join(claim['changes'])}")
    say(f"{len(changed)} of {len(content['claims'])} claims changed. Page: {folder / 'index.html'}")
    if notebook:
        say(f"Notebook: {folder / '01_compare.html'}")
    return folder


def _execute(folders: Sequence[str], results: Path, target: Path) -> None:
    """Run the notebook of comparisons and make its page."""
    from replication.reporting import html
    from replication.workflow.execute import execute

    source = next(one.path for one in discovery.about_runs() if one.label == NOTEBOOK)
    given = {"runs": json.dumps(list(folders)), "results_dir": str(results)}
    executed = target / source.name
    execute(source, executed, given, offline=True)
    html.export(executed, executed.with_suffix(".html"), title="Comparison of runs")
