"""A hash of source code that changes when a result may change: comments and docstrings do not count."""

import ast
import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

# Settings of a run, and facts about papers: what of them reaches a record is part of its key. How a record is
# kept, counted and shared out decides nothing of what it says.
NEUTRAL = ("settings", "papers", "files", "lm.records", "lm.meter", "lm.shards")


def source_hash(*modules: str, root: Path | None = None) -> str:
    """Return 16 hexadecimal digits of the code of modules and of all they import from their own package.

    Imports are found by parsing, inside functions too, and followed from module to module; nothing is
    executed. Imports under `TYPE_CHECKING`, and of `NEUTRAL` modules, are not followed.

    Args:
        *modules: full names, such as "replication.lm.engine".
        root: folder that holds the package; found by its name by default.

    Raises:
        ValueError: a module has no source file.
    """
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _path(name, root)
        if path is None:
            raise ValueError(f"source_hash found no source of the module {name!r}.")
        found[name], imported = _parsed(path, path.stat().st_mtime_ns, name, root)
        waiting += imported
    text = "\n".join(f"{name}\n{found[name]}" for name in sorted(found))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _path(name: str, root: Path | None) -> Path | None:
    """Return the file of a module or package, None when there is none (an attribute, for instance)."""
    top, *parts = name.split(".")
    folder = (root / top) if root is not None else _package(top)
    if folder is None:
        return None
    base = folder.joinpath(*parts)
    candidates = (base.with_suffix(".py"), base / "__init__.py") if parts else (base / "__init__.py",)
    return next((path for path in candidates if path.is_file()), None)


@lru_cache
def _package(top: str) -> Path | None:
    """Return the folder of a top-level package without importing it."""
    spec = importlib.util.find_spec(top)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


@lru_cache(maxsize=1024)
def _parsed(path: Path, changed: int, name: str, root: Path | None) -> tuple[str, tuple[str, ...]]:
    """Return the code without docstrings and comments, and the modules of its package that it follows."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    top = name.partition(".")[0]
    neutral = {top, *(f"{top}.{part}" for part in NEUTRAL)}
    own = [other for other in _imports(tree, package) if other.partition(".")[0] == top]
    imported = tuple(other for other in own if other not in neutral and _path(other, root) is not None)
    for node in ast.walk(tree):
        if isinstance(
            node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        ) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree), imported


def _imports(tree: ast.AST, package: str) -> tuple[str, ...]:
    """Return every module that may be meant by the import statements below `tree`, sorted."""
    names: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            parents = parents[: len(parents) - node.level + 1] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return tuple(sorted(names))
