"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_atomic(path: Path | str, content: bytes | str | Callable[[Path], object]) -> Path:
    """Write a file beside its place, flush it to disk, rename it into place, and return the path.

    A reader sees the old file or the new one, never a part; a killed run leaves at most a hidden temporary
    file, `.<stem>-*` with the ending of `path`.

    Args:
        path: the file; its folder is made if missing.
        content: bytes, text (UTF-8), or a function that writes the file whose path it is given.
    """
    path = Path(path)
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
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
