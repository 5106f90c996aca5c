"""A fingerprint of everything that a site is made from, to tell whether it is still up to date."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import replication

FILE = ".fingerprint"
PACKAGE = Path(replication.__file__).parent
KINDS = (".py", ".toml", ".html", ".css", ".js")
OF_A_RUN = ("manifest.json", "*/claims.json", "*/notebooks/*.ipynb", "*/tables/*", "*/figures/*")


def of(run_dir: Path) -> str:
    """Return the fingerprint of a run and of the package."""
    digest = hashlib.sha256()
    for root, path in (*_run(run_dir), *_package()):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def stored(site: Path) -> str:
    """Return the fingerprint that a site was built with; "" for a light one or none."""
    path = site / FILE
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def store(site: Path, fingerprint: str) -> None:
    """Leave the fingerprint in a site."""
    (site / FILE).write_text(fingerprint, encoding="utf-8")


def _run(run_dir: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files of a run that the site shows."""
    for pattern in OF_A_RUN:
        for path in sorted(run_dir.glob(pattern)):
            if path.is_file() and not path.name.startswith("."):
                yield run_dir, path


def _package() -> Iterator[tuple[Path, Path]]:
    """Yield the files of the package that decide how the site looks and what its reference says."""
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in KINDS and "checkpoints" not in path.parts:
            yield PACKAGE, path
