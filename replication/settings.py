"""The run: profile, model, task, seed, device and folders, checked before any work starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROFILES = ("smoke", "cpu", "gpu", "paper")
DEVICES = ("auto", "cpu", "cuda", "mps")
RESULTS_VARIABLE = "REPLICATION_RESULTS"
VARIANT_VARIABLE = "REPLICATION_VARIANT"


class InputError(ValueError):
    """Something the caller can mend; its text is one sentence that says what was wrong and what to do."""


class NotTestable(InputError):
    """What a claim speaks of cannot be had from this model or task; its text says why in a sentence."""


@dataclass(frozen=True)
class Settings:
    """One run of one paper's notebooks.

    Attributes:
        paper: key of the paper, the name of its TOML file.
        profile: one of `PROFILES`; decides the sample sizes.
        model: testbed model name, hub id or folder, with options of loading behind a question mark if wanted.
        task: task specification such as "stories" or "stories:level=3".
        data_dir: folder with the task's files, "" for generated tasks or the hub.
        seed: base of every random stream.
        device: "cpu", "cuda" or "mps"; "auto" has been resolved.
        results: root of the results tree; a run lies in `results / run_name`.
        default_task: the task that the paper's profile names; other tasks get a run of their own.
        sizes: sample sizes and lengths of the profile, with the caller's overrides.
        given: names of the sizes that the caller gave.
        variant: what sets the run apart beside profile, model, task and seed, such as "k-4"; part of its
            name.
    """

    paper: str
    profile: str
    model: str
    task: str
    data_dir: str
    seed: int
    device: str
    results: Path
    default_task: str
    sizes: Mapping[str, object] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    variant: str = ""

    @property
    def model_name(self) -> str:
        """The model without options of loading."""
        return split_model(self.model)[0]

    @property
    def run_name(self) -> str:
        """`<profile>-<model name>`, then a task not the profile's own, a seed other than 0, the variant."""
        task = self.task if self.task != self.default_task else ""
        return run_name(self.profile, self.model, task, self.seed, self.variant)

    @property
    def run_dir(self) -> Path:
        """Folder of the run."""
        return self.results / self.run_name

    @property
    def paper_dir(self) -> Path:
        """Folder of the paper inside the run."""
        return self.run_dir / self.paper

    @property
    def records_dir(self) -> Path:
        """Folder of the Parquet records."""
        return self.paper_dir / "records"

    @property
    def tables_dir(self) -> Path:
        """Folder of the tables."""
        return self.paper_dir / "tables"

    @property
    def figures_dir(self) -> Path:
        """Folder of the figures."""
        return self.paper_dir / "figures"


def run_name(profile: str, model: str, task: str = "", seed: int = 0, variant: str = "") -> str:
    """Return the folder name of a run; path separators and the task's ':' and '=' become '-'."""
    parts = (profile, model_label(model), file_name(task), f"seed{seed}" if seed else "", variant)
    return "-".join(part for part in parts if part)


def split_model(model: str) -> tuple[str, str]:
    """Return a model's name, folder or hub id, and the options of loading behind its last question mark.

    A folder that is there is taken whole, a question mark in its name included.
    """
    text = str(model).strip()
    if "?" not in text or Path(text).expanduser().is_dir():
        return text, ""
    name, _, options = text.rpartition("?")
    return name, options


def with_options(name: str, model: str) -> str:
    """Return a model's name with the options of another model, unless it has options of its own."""
    options = split_model(model)[1]
    return f"{name}?{options}" if options and not split_model(name)[1] else name


def model_label(model: str) -> str:
    """Return a model's short name, fit for files: no owner or folder, options joined by '-' in order."""
    name, options = split_model(model)
    parts = sorted(part.removesuffix("=true") for part in options.split("&") if part)
    return "-".join([Path(name.rstrip("/")).name.replace("@", "-"), *map(file_name, parts)])


def file_name(text: str) -> str:
    """Return a text as part of a file name: what is no letter, digit, "." or "_" becomes "-"."""
    return "".join(c if c.isalnum() or c in "._" else "-" for c in text)


def results_root(results_dir: str = "") -> Path:
    """Return the results tree: the argument, else the environment's, else `results` in the project."""
    return (
        Path(results_dir or os.environ.get(RESULTS_VARIABLE, "") or ROOT / "results").expanduser().absolute()
    )


def start(
    paper: str,
    *,
    profile: str = "cpu",
    model: str = "testbed",
    task: str = "",
    data_dir: str = "",
    seed: int = 0,
    device: str = "auto",
    results_dir: str = "",
    variant: str | None = None,
    **sizes: object,
) -> Settings:
    """Check every parameter of a notebook and return the run.

    Args:
        paper: key of the paper.
        profile: "smoke", "cpu", "gpu" or "paper".
        model: "testbed", "testbed-small", "testbed-large", "testbed-tuned", a hub id or a folder; with
            options of loading as in "org/name?dtype=float16&chat=true" (`replication.lm.specification`).
        task: task specification; "" takes the profile's.
        data_dir: folder with the task's files.
        seed: base of every random stream, >= 0.
        device: "auto", "cpu", "cuda" or "mps".
        results_dir: root of the results tree; "" takes the environment's or the project's.
        variant: further part of the run's name; None takes the environment's, which a sweep sets.
        **sizes: overrides of the profile's sizes; None and 0 keep the profile's value.

    Raises:
        InputError: unknown paper, profile or device, an unknown or negative size, a negative seed, a missing
            data folder, or results that cannot be written.
    """
    from replication import papers

    card = papers.load(paper)
    if profile not in card.profiles:
        raise InputError(
            f"Unknown profile {profile!r} for {paper}: choose one of {', '.join(card.profiles)}."
        )
    known = dict(card.profiles[profile])
    default_task = str(known.pop("task", card.task))
    if unknown := sorted(set(sizes) - set(known)):
        raise InputError(
            f"Unknown size(s) {', '.join(unknown)} for {paper}: it has {', '.join(sorted(known))}."
        )
    given = {name: value for name, value in sizes.items() if value not in (None, 0, "")}
    if small := sorted(name for name, value in given.items() if isinstance(value, int) and value < 0):
        raise InputError(f"Sizes need to be 1 or more, or 0 for the profile's: change {', '.join(small)}.")
    if seed < 0:
        raise InputError(f"The seed needs to be >= 0, got {seed}.")
    if data_dir and not Path(data_dir).expanduser().exists():
        raise InputError(f"The data folder {data_dir!r} does not exist: give an existing one as data_dir.")
    device = resolve_device(device)
    results = results_root(results_dir)
    check_writable(results)
    return Settings(
        paper=paper,
        profile=profile,
        model=model,
        task=task or default_task,
        data_dir=data_dir,
        seed=seed,
        device=device,
        results=results,
        default_task=default_task,
        sizes=known | given,
        given=frozenset(given),
        variant=file_name(os.environ.get(VARIANT_VARIABLE, "") if variant is None else variant),
    )


def check_writable(folder: Path) -> None:
    """Make `folder` and raise `InputError` when nothing can be written there."""
    probe = folder / f".write-test-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            # With content: a disk that is full still takes an empty file.
            probe.write_bytes(bytes(2**12))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"The results folder {folder} cannot be written ({error.strerror}): "
            "choose another with RESULTS=<folder>."
        ) from error


def resolve_device(device: str) -> str:
    """Return "cpu", "cuda" or "mps"; "auto" takes a GPU where there is one.

    Raises:
        InputError: an unknown name, or a GPU that is not there.
    """
    if device not in DEVICES:
        raise InputError(f"Unknown device {device!r}: choose one of {', '.join(DEVICES)}.")
    if device == "cpu":
        return "cpu"
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return "cuda" if available["cuda"] else "cpu"
    if not available[device]:
        raise InputError(f"No {device} device was found on this machine: use device=cpu.")
    return device
