"""Files that appear whole or not at all, and what is said when the disk takes no more."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

MADE = "REPLICATION_MADE"
"""Environment variable with the file that notes what a process writes; without it nothing is noted."""

# Large files, which say themselves whether they are whole (`lm.records`, `lm.trainings`, `pretraining`).
SEALED = (".parquet", ".safetensors", ".arrow")
FULL = "No space is left on the disk of"
_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
# Libraries wrap the system's message in errors of their own.
_WORDS = ("no space left on device", "disk quota exceeded", "os error 28", "os error 122")
_PROBE = 2**16


def write_atomic(path: Path | str, content: bytes | str | Callable[[Path], object]) -> Path:
    """Write a file beside its place, flush it to disk, rename it into place, and return the path.

    A reader sees the old file or the new one, never a part; a killed run leaves at most a hidden temporary
    file, `.<stem>-*` with the ending of `path`.

    Args:
        path: the file; its folder is made if missing.
        content: bytes, text (UTF-8), or a function that writes the file whose path it is given.

    Raises:
        InputError: the disk is full; what stood there before still does.
    """
    path = Path(path)
    try:
        return _write(path, content)
    except Exception as error:
        if out_of_space(error):
            raise _full(path.parent) from error
        raise


def _write(path: Path, content: bytes | str | Callable[[Path], object]) -> Path:
    """Return the path of a file that was written beside it and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        if callable(content):
            content(beside)
        else:
            beside.write_bytes(content.encode() if isinstance(content, str) else content)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        # mkstemp makes files for the owner only; results are for everyone the umask allows.
        beside.chmod(0o666 & ~_umask())
        # Before the file is there: one that is there and not noted would count as changed by somebody else.
        _noted(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def keep(path: Path) -> None:
    """Note a file that need not be written, because it lies there as it would be."""
    _noted(path, path)


def _noted(path: Path, content: Path) -> None:
    """Note that a file was made with the content of a file, where such notes are asked for."""
    if (log := os.environ.get(MADE, "")) and path.suffix not in SEALED:
        note(Path(log), path, checksum(content))


def note(log: Path, path: Path, digest: str) -> None:
    """Append to a log of JSON lines, which names files from its own folder, what a file was written with."""
    line = json.dumps({"file": os.path.relpath(path, log.parent), "sha256": digest})
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def out_of_space(error: BaseException) -> bool:
    """Tell whether an error, of the system or of a library, means that a disk or a quota is full."""
    if isinstance(error, OSError) and error.errno in _NUMBERS:
        return True
    text = str(error).lower()
    return any(words in text for words in _WORDS)


def check_space(folder: Path) -> None:
    """Raise `InputError` when the disk of a folder that exists takes no more; leaves nothing behind."""
    probe = folder / f".space-{os.getpid()}"
    try:
        probe.write_bytes(bytes(_PROBE))
    except OSError as error:
        if out_of_space(error):
            raise _full(folder) from error
        raise
    finally:
        probe.unlink(missing_ok=True)


def full(folder: Path | str) -> str:
    """Return what to say when the disk of a folder is full."""
    return f"{FULL} {folder}: make some, then run the same command again; it goes on from what was finished."


def _full(folder: Path) -> Exception:
    """Return the error of a full disk."""
    from replication.settings import InputError  # this file stands below all others

    return InputError(full(folder))


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
