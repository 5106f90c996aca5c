"""Parameters of a notebook: read from its tagged cell, and checked by name and type before anything runs."""

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication.settings import InputError, split_model, with_options

if TYPE_CHECKING:
    from replication.workflow.discovery import Notebook

TAG = "parameters"
COMMON = ("profile", "model", "task", "data_dir", "seed", "device", "results_dir")
FOLDERS = ("data_dir", "results_dir")
WORDS = {"true": True, "false": False}


def read(path: Path | str) -> dict[str, Any]:
    """Return the content of the notebook at `path`, the source of every cell as one text.

    Read as JSON, since checking a command line has no time for the import of nbformat.

    Raises:
        InputError: no such file, or not a notebook of format 4.
    """
    if not Path(path).is_file():
        raise InputError(
            f"The notebook {path} does not exist: `python -m replication list` names those there are."
        )
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if content["nbformat"] != 4:
            raise ValueError(f"its format is {content['nbformat']}, not 4")
        for cell in content["cells"]:
            cell["source"] = "".join(cell["source"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a notebook of format 4 ({error}).") from error
    return content


def defaults(path: Path | str) -> dict[str, Any]:
    """Return name and default of every parameter of the notebook, in order.

    A parameter is a plain `name = literal` line of the one cell tagged `parameters`.

    Raises:
        InputError: no such cell or several, or a line that is something else.
    """
    cells = [cell for cell in read(path)["cells"] if TAG in cell["metadata"].get("tags", [])]
    if len(cells) != 1:
        raise InputError(f"{path} has {len(cells)} cells tagged {TAG!r}: it needs exactly one.")
    found: dict[str, Any] = {}
    for node in ast.parse(cells[0]["source"]).body:
        try:
            (target,) = node.targets  # type: ignore[attr-defined]
            found[target.id] = ast.literal_eval(node.value)  # type: ignore[attr-defined]
        except (AttributeError, ValueError, TypeError) as error:
            raise InputError(
                f"{path}: the cell tagged {TAG!r} needs lines of the form `name = literal`, "
                f"got `{ast.unparse(node)}`."
            ) from error
    return found


def check(path: Path | str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `given` when every name is a parameter of the notebook and every type is that of its default.

    A default of None takes any type, a float also a whole number.

    Raises:
        InputError: an unknown name or another type.
    """
    known = defaults(path)
    _refuse_unknown(path, given, known)
    checked = {}
    for name, value in given.items():
        default = known[name]
        if type(default) is float and type(value) is int:
            value = float(value)
        if default is not None and type(value) is not type(default):
            raise _wrong_type(path, name, value, default)
        checked[name] = value
    return checked


def from_text(path: Path | str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return values read from the command line, each read as the type of its default.

    A text default keeps the text as it is ("05" stays "05"); lists and dictionaries are written as JSON.

    Raises:
        InputError: an unknown name, or a text that is not of that type.
    """
    known = defaults(path)
    _refuse_unknown(path, texts, known)
    values = {}
    for name, text in texts.items():
        try:
            values[name] = _parse(text, known[name])
        except (ValueError, KeyError) as error:
            raise _wrong_type(path, name, text, known[name]) from error
    return check(path, values)


def having(notebooks: "Sequence[Notebook]", names: Iterable[str]) -> "list[Notebook]":
    """Return the notebooks that have all these parameters.

    Raises:
        InputError: none has; the sentence lists the parameters that there are.
    """
    wanted = set(names)
    if not wanted:
        return list(notebooks)
    known = {notebook: defaults(notebook.path) for notebook in notebooks}
    if found := [one for one in notebooks if wanted <= set(known[one])]:
        return found
    own = sorted({name for parameters in known.values() for name in parameters} - set(COMMON))
    raise InputError(
        f"No notebook has the parameter{'s' * (len(wanted) > 1)} {', '.join(map(repr, sorted(wanted)))}"
        f"{' together' * (len(wanted) > 1)}: beside {', '.join(COMMON)} there are {', '.join(own) or 'none'}."
    )


def changed(path: Path | str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `given` that differ from the notebook's defaults, checked."""
    known = defaults(path)
    return {name: value for name, value in check(path, given).items() if value != known[name]}


def absolute(given: Mapping[str, Any], testbed: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return `given` with relative folders made absolute, since a notebook runs in a folder of its own.

    Args:
        given: parameters; `data_dir`, `results_dir` and a `model` that is a folder are changed.
        testbed: model names that are never folders.
    """
    values = dict(given)
    for name in FOLDERS:
        if values.get(name):
            values[name] = str(Path(values[name]).expanduser().absolute())
    model = str(values.get("model", ""))
    name = split_model(model)[0]
    if name and name not in testbed and Path(name).expanduser().is_dir():
        values["model"] = with_options(str(Path(name).expanduser().absolute()), model)
    return values


def _parse(text: str, default: Any) -> Any:
    """Return `text` as a value of the type of `default`; ValueError or KeyError when it is none."""
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return WORDS[text.lower()]
    if isinstance(default, int | float):
        return type(default)(text)
    if default is None and text.lower() not in ("null", "none"):
        return WORDS.get(text.lower(), text)
    return None if default is None else json.loads(text)


def _refuse_unknown(path: Path | str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise `InputError` for names that are no parameters."""
    if unknown := sorted(set(given) - set(known)):
        raise InputError(
            f"{Path(path).name} has no parameter {', '.join(map(repr, unknown))}: it has {', '.join(known)}."
        )


def _wrong_type(path: Path | str, name: str, value: Any, default: Any) -> InputError:
    """Return the error for a value of another type than the default."""
    kind = type(default).__name__
    return InputError(
        f"{Path(path).name}: {name}={value!r} needs to be {kind}, as its default {default!r} is."
    )
