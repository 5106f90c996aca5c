"""The API reference: docstrings of the package, read from its sources without importing anything.

Sphinx's autodoc would import every room, PyTorch and transformers with it, and took minutes; here a module is
parsed, napoleon turns its Google style docstrings into reStructuredText, and Sphinx's Python domain does the
rest.
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import replication

PACKAGE = Path(replication.__file__).parent
# What notebooks and the command line are made of, and the word lists of the testbed, is no interface.
INTERNAL = ("studies", "workflow", "testbed.story_", "reporting.site", "__main__")
ORDER = "settings papers tasks lm decoding pretraining alignment evaluation reporting testbed".split()
ACTIVE = re.compile(r"`[^`]*`|[*|@]")


def rooms() -> dict[str, list[Path]]:
    """Return the source files of each room that is documented, rooms in the order of reading."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = module_name(path).removeprefix("replication.")
        if name != "replication" and not name.startswith(INTERNAL):
            found.setdefault(name.partition(".")[0], []).append(path)
    return dict(sorted(found.items(), key=lambda item: (item[0] not in ORDER, _place(item[0]))))


def _place(room: str) -> tuple[int, str]:
    """Return where a room stands in the reference."""
    return (ORDER.index(room) if room in ORDER else len(ORDER), room)


def module_name(path: Path) -> str:
    """Return the dotted name of a source file of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_page(room: str, files: list[Path]) -> str:
    """Return the page of a room as reStructuredText."""
    title = f"replication.{room}"
    modules = (module(path, heading=module_name(path) != title) for path in files)
    return "\n".join([title, "=" * len(title), "", *modules])


def module(path: Path, heading: bool = True) -> str:
    """Return a module's docstring and its public functions and classes as reStructuredText."""
    tree, name = ast.parse(path.read_text(encoding="utf-8")), module_name(path)
    head = [name, "-" * len(name), ""] if heading else []
    head += [f".. py:module:: {name}", "", _text(ast.get_docstring(tree)), ""]
    return "\n".join([*head, *map(_member, _members(tree.body))])


def _members(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Yield the public functions and classes of a body that have a docstring."""
    for node in body:
        known = isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node)
        if known and (not node.name.startswith("_") or node.name == "__call__"):
            yield node


def _member(node: ast.ClassDef | ast.FunctionDef, inside: str = "function") -> str:
    """Return a function, method or class as a directive of the Python domain."""
    if isinstance(node, ast.FunctionDef):
        kind, options = inside, _options(node)
        signature = f"{node.name}{_arguments(node)}{_returned(node)}"
        members = ""
    else:
        kind, options = "class", []
        signature = node.name
        members = "\n".join(_member(method, "method") for method in _members(node.body))
    body = "\n".join([*options, "", _text(ast.get_docstring(node)), "", members])
    return f".. py:{kind}:: {signature}\n{textwrap.indent(body, '   ')}\n"


def _options(node: ast.FunctionDef) -> list[str]:
    """Return the directive's options for decorators that change how a method is called."""
    names = {decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)}
    return [f":{name}:" for name in ("classmethod", "staticmethod") if name in names]


def _arguments(node: ast.FunctionDef) -> str:
    """Return the arguments in brackets as they are written, without `self`."""
    text = ast.unparse(node.args)
    for own in ("self", "cls"):
        if text == own or text.startswith(f"{own},"):
            text = text.removeprefix(own).removeprefix(", ")
    return f"({text})"


def _returned(node: ast.FunctionDef) -> str:
    """Return the type of the result as it is written."""
    return f" -> {ast.unparse(node.returns)}" if node.returns else ""


def _text(docstring: str | None) -> str:
    """Return a Google style docstring as reStructuredText."""
    from sphinx.ext.napoleon import Config, GoogleDocstring

    config = Config(napoleon_use_ivar=True, napoleon_use_rtype=False)
    return str(GoogleDocstring(_plain(docstring or ""), config))


def _plain(docstring: str) -> str:
    """Return a docstring whose formulas stay as written and whose bars, stars and at-signs mean nothing.

    A formula is an indented block behind an empty line.
    """
    lines: list[str] = []
    before, formula = 0, -1
    for line in docstring.splitlines():
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            lines.append("")
            continue
        if indent <= formula:
            formula = -1
        if formula < 0 and lines and not lines[-1] and indent > before:
            lines += [f"{' ' * before}::", ""]
            formula = before
        lines.append(line if formula >= 0 else ACTIVE.sub(_escaped, line))
        before = indent
    return "\n".join(lines)


def _escaped(found: re.Match[str]) -> str:
    """Return code between backticks as it is, another match behind a backslash."""
    return found[0] if found[0].startswith("`") else f"\\{found[0]}"
