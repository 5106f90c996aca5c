"""`make reproduce SEEDS=5`: a run for each seed, then all of them pooled into one scoreboard."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from replication import papers
from replication.settings import InputError
from replication.workflow import checks, manifest, site
from replication.workflow.checks import Request
from replication.workflow.reproduce import Say, reproduce

MOST = 1000
REDRAWN = ("decoding",)


def reproduce_seeds(request: Request, seeds: int, say: Say = print) -> int:
    """Run what was asked for under `seeds` seeds from the request's on, and pool the claims.

    Every seed is a run of its own (`cpu-testbed`, `cpu-testbed-seed1`, ...) that goes on where it was and
    runs nothing twice; the pooled one is `<first run>-seeds<number>`.

    Returns:
        0 when every notebook of every seed ran to its end, 1 otherwise; what there is is pooled either way.

    Raises:
        InputError: fewer than two seeds, or something about the request.
    """
    if not 2 <= seeds <= MOST:
        raise InputError(f"The number of seeds needs to be 2 to {MOST} (1 is a plain run), got {seeds}.")
    requests = [replace(request, seed=request.seed + place) for place in range(seeds)]
    checks.resolve(request)
    codes = []
    for place, one in enumerate(requests, 1):
        say(f"Seed {one.seed} ({place} of {seeds})")
        codes.append(reproduce(one, say))
        say("")
    for target, folders in pooled_folders(requests):
        _pool(request, target, folders, say)
    return max(codes)


def pooled_folders(requests: list[Request]) -> Iterator[tuple[Path, dict[int, Path]]]:
    """Yield (folder of the pooled run, seed -> folder of its run), one for each run that a request has."""
    notebooks = checks.chosen(requests[0])
    columns = [dict.fromkeys(checks.run_dirs(one, notebooks).values()) for one in requests]
    for folders in zip(*columns, strict=True):
        target = folders[0].with_name(f"{folders[0].name}-seeds{len(requests)}")
        yield target, {one.seed: folder for one, folder in zip(requests, folders, strict=True)}


def _pool(request: Request, target: Path, folders: dict[int, Path], say: Say) -> None:
    """Pool the runs of one family and say what came out."""
    from replication.reporting import pooled, runs

    found = {seed: runs.read(folder) for seed, folder in folders.items()}
    ran = {notebook.paper for notebook in checks.chosen(request)}
    found = {
        seed: replace(run, claims=tuple(row for row in run.claims if row["paper"] in ran))
        for seed, run in found.items()
    }
    redrawn = {paper: draws_anew(paper, request) for paper in sorted(ran)}
    rows = pooled.write(found, redrawn, target)
    say(f"Pooled over {len(found)} seeds")
    say(site.render(rows))
    failed = {seed: _failed(folder) for seed, folder in folders.items()}
    for seed, labels in failed.items():
        if labels:
            say(f"MISSING seed {seed}: {', '.join(labels)} failed")
    say(f"Site: {target / 'site' / 'index.html'}")


def draws_anew(paper: str, request: Request) -> bool:
    """Tell whether nothing that a paper's claims are measured on is the same under two seeds.

    Published sets are, and so is much of what models are trained on: corpora, and the orders of the data,
    which are counted from the seed on, so that neighbouring seeds have some of them in common.
    """
    return papers.load(paper).family in REDRAWN and checks.generated(checks.start(paper, request).task)


def _failed(folder: Path) -> list[str]:
    """Return the labels of a run's notebooks whose last run failed."""
    entries = manifest.read(folder).get("notebooks", {})
    return [label for label, entry in entries.items() if entry["status"] == "failed"]
