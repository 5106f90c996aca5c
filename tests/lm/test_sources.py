import pytest

from replication.lm import sources
from replication.lm.sources import source_hash

FILES = {
    "__init__.py": "VERSION = 1\n",
    "settings.py": "A = 1\n",
    "lm/__init__.py": "",
    "lm/engine.py": (
        '"""Text."""\nfrom pkg.lm import helper\nfrom pkg.settings import A\n\n\n'
        'def f(x):\n    """More."""\n    return helper.g(x) + 1  # why\n'
    ),
    "lm/helper.py": (
        "from .deep import h\n\n\ndef g(x):\n    from pkg import late\n\n    return h(x) + late.C\n"
    ),
    "lm/deep.py": "def h(x):\n    return x\n",
    "late.py": "C = 1\n",
    "lm/apart.py": "D = 1\n",
}


@pytest.fixture
def package(tmp_path):
    """Return a function that writes the package, some files changed, and hashes its engine."""
    count = iter(range(1000))

    def run(**changes):
        root = tmp_path / str(next(count))
        changed = {
            (name if name == "__init__" else name.replace("__", "/")) + ".py": text
            for name, text in changes.items()
        }
        for name, text in (FILES | changed).items():
            path = root / "pkg" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return source_hash("pkg.lm.engine", root=root)

    return run


def test_comments_docstrings_and_layout_do_not_count(package):
    text = FILES["lm/engine.py"].replace('"""Text."""', '"""Other\n\ntext."""').replace("  # why", "")
    assert package(lm__engine=text.replace("return helper", "return  helper")) == package()
    assert len(package()) == 16


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("lm/engine", "+ 1", "+ 2"),
        ("lm/helper", "+ late", "- late"),
        ("lm/deep", "return x", "return x + 0"),
        ("late", "1", "2"),
    ],
)
def test_code_of_imported_modules_counts(package, name, old, new):
    changed = {name.replace("/", "__"): FILES[name + ".py"].replace(old, new)}
    assert package(**changed) != package()


@pytest.mark.parametrize(
    "changes", [{"settings": "A = 2\n"}, {"lm__apart": "D = 2\n"}, {"__init__": "VERSION = 2\n"}]
)
def test_other_code_does_not(package, changes):
    assert package(**changes) == package()


def test_imports_for_type_checkers_are_not_followed(package):
    guarded = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from pkg.lm import apart\n"
    text = guarded + FILES["lm/engine.py"]
    assert package(lm__engine=text, lm__apart="D = 2\n") == package(lm__engine=text)


def test_circles_end(package):
    assert package(lm__deep="from pkg.lm import engine\n\n\ndef h(x):\n    return x\n") != package()


def test_unknown_module():
    with pytest.raises(ValueError, match="no source"):
        source_hash("replication.no_such_module")


def test_engine_depends_on_its_parts_and_not_on_loading():
    engine = source_hash("replication.lm.engine")
    assert engine == source_hash("replication.lm.engine", "replication.lm.measures")
    assert engine != source_hash("replication.lm.engine", "replication.lm.loading")
    assert sources._package("no_such_package_at_all") is None
