"""Measure suites of benchmarks: `python -m benchmarks.run [suite ...]`.

Prints a Markdown table per suite and keeps everything in `<results>/bench/<suite>.json`. Times depend on the
machine and on what else it does: compare ratios, and only within one run. Memory is measured before, that of
several suites at once; times are taken with nothing beside them. `--table <results>/bench` prints what is
asked of the cases and what was reached.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from benchmarks import (
    alignment,
    critical_tokens,
    engine,
    memory,
    overhead,
    pretraining,
    samplers,
    scoring,
    summary,
)
from benchmarks.harness import Result, measure, table
from benchmarks.memory import Peaks
from replication.files import write_atomic
from replication.reporting.environment import hardware, versions
from replication.settings import results_root, run_name
from replication.workflow import kernels

SUITES = ("samplers", "engine", "pretraining", "critical_tokens", "alignment", "scoring", "overhead")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the suites that the command line names, all by default."""
    options = _parser().parse_args(arguments)
    if options.table:
        print(summary.table(options.table))
        return
    torch.set_num_threads(options.threads)
    suites = options.suites or SUITES
    asked = {suite: SIZES[suite](options) for suite in suites if suite in SIZES}
    peaks = memory.together(asked, options.threads)
    for suite in suites:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        size, checks, results = MEASURES[suite](options, *peaks.get(suite, ()))
        content = {
            "suite": suite,
            **size,
            "rounds": options.rounds,
            "hardware": hardware() | {"threads": options.threads, "load before": load},
            "versions": versions(),
            "checks": checks,
            "results": [asdict(result) for result in results],
        }
        path = results_root() / "bench" / f"{suite}.json"
        write_atomic(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        _show(content, results)
        print(f"\nKept in {os.path.relpath(path)}\n", flush=True)


def _parser() -> argparse.ArgumentParser:
    """Return what the command line may say."""
    parser = argparse.ArgumentParser(description="Measure speed and memory against peers.")
    parser.add_argument("suites", nargs="*", type=_suite, help=f"{', '.join(SUITES)}; all by default")
    parser.add_argument(
        "--table",
        type=Path,
        metavar="FOLDER",
        help="measure nothing: print the table of what a folder keeps (results/bench)",
    )
    parser.add_argument("--rounds", type=_positive, default=5, help="alternating rounds (5)")
    threads = _positive(os.environ.get("OMP_NUM_THREADS") or "1")
    parser.add_argument(
        "--threads", type=_positive, default=threads, help="threads of PyTorch (OMP_NUM_THREADS)"
    )
    parser.add_argument("--rows", type=_positive, default=samplers.ROWS, help="samplers: rows of logits (32)")
    parser.add_argument("--width", type=_width, default=samplers.WIDTH, help="samplers: vocabulary (128256)")
    parser.add_argument(
        "--model", default="testbed", help="engine, alignment: model name, folder or hub id (testbed)"
    )
    parser.add_argument("--questions", type=_positive, default=500, help="engine: number of questions (500)")
    parser.add_argument(
        "--wide-rows",
        type=_positive,
        default=engine.WIDE_ROWS,
        help="engine: rows whose memory is measured (64)",
    )
    parser.add_argument(
        "--batch", type=_positive, default=pretraining.ROWS, help="pretraining: rows of 128 tokens (32)"
    )
    parser.add_argument(
        "--trajectories", type=_positive, default=10, help="critical_tokens: responses of all rounds (10)"
    )
    parser.add_argument(
        "--pairs", type=_positive, default=alignment.PAIRS, help="alignment: pairs of a step (16)"
    )
    return parser


def _suite(text: str) -> str:
    """Return the name of a suite."""
    if text not in SUITES:
        raise argparse.ArgumentTypeError(f"unknown suite {text!r}: choose one of {', '.join(SUITES)}")
    return text


def _positive(text: str) -> int:
    """Return a whole number of 1 or more."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"needs 1 or more, got {number}")
    return number


def _width(text: str) -> int:
    """Return a vocabulary that has room for the large logits and for top-k."""
    if (number := int(text)) < 100:
        raise argparse.ArgumentTypeError(f"needs 100 or more, got {number}")
    return number


Measured = tuple[dict[str, object], dict[str, float], list[Result]]


def _samplers(options: argparse.Namespace, peaks: Peaks) -> Measured:
    """Return size, checks and results of the sampling suite."""
    rows, width = options.rows, options.width
    with torch.inference_mode():
        checks = samplers.check(rows, width)
        results = measure(samplers.cases(rows, width), options.rounds)
    size = {"rows": rows, "vocabulary": width, "logits in MiB": rows * width * 4 / 2**20}
    return size, checks, [replace(result, peak_mib=peaks.get(result.name)) for result in results]


def _engine(options: argparse.Namespace, peaks: Peaks) -> Measured:
    """Return size, checks and results of the engine's suite; samples are of an eighth of the questions."""
    work = engine.load_work(options.model, options.questions, "stories")
    some = work.part(0, max(1, options.questions // 8))
    size = {"model": options.model, "questions": options.questions, "k": engine.K, "batch": engine.BATCH}
    size |= {"samples": engine.SAMPLES, "questions with samples": len(some.prompts)}
    size |= {"optillm": "compared" if engine.optillm() else "not installed: no row"}
    checks = engine.check(work.part(0, engine.CHECKED))
    checks |= {f"{name}: peak memory in MiB": peak for name, peak in peaks.items()}
    rounds = options.rounds
    parts = (
        engine.cot_cases(work.parts(rounds)),
        engine.sample_cases(some.parts(rounds)),
        engine.single_cases(),
    )
    return size, checks, [result for cases in parts for result in measure(cases, rounds)]


def _pretraining(options: argparse.Namespace, peaks: Peaks, large: Peaks) -> Measured:
    """Return size, checks and results of the training steps; `large` are peaks of a vocabulary of 32,000."""
    rows, width, wide = options.batch, pretraining.WIDTH, pretraining.WIDE
    size = {"rows": rows, "tokens": pretraining.TOKENS, "vocabulary": width}
    checks = pretraining.check(rows, width)
    logits = _few(rows) * pretraining.TOKENS * wide * 4 / 2**20
    checks |= {
        f"{name}, peak in logits of {wide} ids": round(peak / logits, 2) for name, peak in large.items()
    }
    results = measure(pretraining.cases(rows, width), options.rounds)
    return size, checks, [replace(result, peak_mib=peaks.get(result.name)) for result in results]


def _critical_tokens(options: argparse.Namespace) -> Measured:
    """Return size, checks and results of the search for critical tokens."""
    work = critical_tokens.load_work(options.trajectories)
    size = {"model": critical_tokens.MODEL, "task": critical_tokens.TASK, "rollouts": critical_tokens.N}
    return (
        size,
        critical_tokens.check(work),
        measure(critical_tokens.cases(work, options.rounds), options.rounds),
    )


def _alignment(options: argparse.Namespace, peaks: Peaks) -> Measured:
    """Return size, checks and results of the steps on preference pairs."""
    size = {"model": options.model, "pairs": options.pairs}
    checks = alignment.check(options.pairs, options.model)
    results = measure(alignment.cases(options.pairs, options.model), options.rounds)
    return size, checks, [replace(result, peak_mib=peaks.get(result.name)) for result in results]


def _overhead(options: argparse.Namespace) -> Measured:
    """Return what the workflow adds to notebooks; of the share, that of the default run where it has run."""
    checks = overhead.shares(results_root() / run_name("cpu", "testbed"))
    with tempfile.TemporaryDirectory() as folder, kernels.preloader() as preloader:
        preloader.start(overhead.environment())
        rounds = min(options.rounds, overhead.ROUNDS)
        results = measure(overhead.cases(Path(folder), preloader), rounds, warm=False)
    return {"asked for, of a cold run": f"{overhead.TARGET:.0%}"}, checks, results


def _scoring(options: argparse.Namespace, once: Peaks, twice: Peaks) -> Measured:
    """Return size, checks and results of scoring texts; the peaks shown are those of twice the rows."""
    size = _texts()
    with torch.inference_mode():
        checks = scoring.check(**size)
        results = measure(scoring.cases(**size), options.rounds)
    checks |= scoring.memory(once, twice, scoring.ROWS, scoring.TOKENS)
    return size, checks, [replace(result, peak_mib=twice.get(result.name)) for result in results]


def _few(rows: int) -> int:
    """Return the rows whose memory is measured with the larger vocabulary of pretraining."""
    return max(1, rows // 4)


def _texts(times: int = 1) -> dict[str, int]:
    """Return the sizes of the scoring suite, with so many times its rows."""
    return {"rows": scoring.ROWS * times, "tokens": scoring.TOKENS, "width": scoring.WIDTH}


# Of which sizes the memory is measured, in the order in which the functions above take the peaks.
SIZES: dict[str, Callable[[argparse.Namespace], list[dict[str, int | str]]]] = {
    "engine": lambda o: [{"rows": o.wide_rows, "steps": engine.WIDE_STEPS}],
    "samplers": lambda o: [{"rows": o.rows, "width": o.width}],
    "pretraining": lambda o: [
        {"rows": o.batch, "width": pretraining.WIDTH},
        {"rows": _few(o.batch), "width": pretraining.WIDE},
    ],
    "alignment": lambda o: [{"number": o.pairs, "model": o.model}],
    "scoring": lambda o: [_texts(), _texts(2)],
}
MEASURES = {
    "samplers": _samplers,
    "engine": _engine,
    "pretraining": _pretraining,
    "critical_tokens": _critical_tokens,
    "alignment": _alignment,
    "overhead": _overhead,
    "scoring": _scoring,
}


def _show(content: dict[str, object], results: Sequence[Result]) -> None:
    """Print what was measured."""
    print(f"## {content['suite']}\n")
    plain = {name: value for name, value in content.items() if name not in ("suite", "versions", "results")}
    for name, value in plain.items():
        shown = ", ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else value
        print(f"- {name}: {shown}")
    print(f"\n{table(results)}")


if __name__ == "__main__":
    main()
