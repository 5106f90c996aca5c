"""Configurations of runs: YAML or TOML files, read into a dataclass whose fields say what may stand there."""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from replication.settings import InputError


def read_content(path: Path | str, changes: Sequence[str] = ()) -> dict[str, Any]:
    """Return keys and values of a YAML or TOML file.

    Args:
        path: the file.
        changes: "key=value" each, values as in YAML; they replace those of the file.

    Raises:
        InputError: no such file, or text that cannot be read.
    """
    import yaml

    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"The configuration {path} does not exist: name a YAML or TOML file.")
    text = path.read_text(encoding="utf-8")
    try:
        content = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
        pairs = dict(change.split("=", 1) for change in changes)
        return {**(content or {}), **{name: yaml.safe_load(value) for name, value in pairs.items()}}
    except (tomllib.TOMLDecodeError, yaml.YAMLError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} and its changes (key=value) cannot be read: {reason}.") from error


def make(kind: type, content: Any, where: str) -> Any:
    """Return a dataclass made of a mapping whose keys and kinds of values fit its fields.

    Args:
        kind: the dataclass.
        content: a mapping.
        where: what it is called in messages.

    Raises:
        InputError: no mapping, unknown or missing keys, values of the wrong kind.
    """
    if not isinstance(content, Mapping):
        raise InputError(f"The {where} needs keys and values, got {content!r}.")
    known = {field.name: field for field in fields(kind)}
    if unknown := sorted(set(content) - set(known), key=str):
        listed = ", ".join(map(str, unknown))
        raise InputError(f"Unknown key(s) {listed} in the {where}: it has {', '.join(known)}.")
    for name, value in content.items():
        wanted = known[name].type
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits = number if wanted is float else wanted not in (int, str, bool) or type(value) is wanted
        if not fits:
            hint = " (YAML reads 1e-4 as text: write 1.0e-4)" if isinstance(value, str) else ""
            raise InputError(
                f"{name} of the {where} needs a value of kind {wanted.__name__}, got {value!r}{hint}."
            )
    missing = [name for name, f in known.items() if f.default is dataclasses.MISSING and name not in content]
    if missing:
        raise InputError(f"The {where} lacks {', '.join(missing)}.")
    return kind(**content)
