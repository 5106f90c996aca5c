"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_atomic(path: Path | str, content: bytes | str) -> Path:
    """Write `content` (text as UTF-8) beside `path` and rename it into place; return the path.

    A reader sees the old file or the new one, never a part; a killed run leaves at most a hidden temporary
    file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for the owner only; results are for everyone the umask allows.
        os.chmod(beside, 0o666 & ~_umask())
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return path


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
