"""Configurations are read from YAML and TOML, and say what is wrong with them."""

from dataclasses import dataclass

import pytest

from replication.lm.configuration import make, read_content
from replication.settings import InputError


@dataclass(frozen=True)
class Config:
    name: str
    rate: float = 0.5
    rows: int = 1


def test_files_of_both_kinds_with_changes(tmp_path):
    (tmp_path / "a.yaml").write_text("name: x\nrate: 1.0e-4\n")
    (tmp_path / "a.toml").write_text('name = "x"\nrate = 1e-4\n')
    for kind in ("yaml", "toml"):
        content = read_content(tmp_path / f"a.{kind}", ["rows=3", "name=y"])
        assert make(Config, content, "file") == Config("y", 1e-4, 3)


@pytest.mark.parametrize("text", ["a: [", "- a", "3"])
def test_unreadable_files_are_refused(tmp_path, text):
    path = tmp_path / "a.yaml"
    with pytest.raises(InputError, match="does not exist"):
        read_content(path)
    path.write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        read_content(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"name": "x", "other": 1}, "Unknown key"),
        ({}, "lacks name"),
        ({"name": "x", "rate": "1e-4"}, "write 1.0e-4"),
        ({"name": "x", "rows": True}, "kind int"),
        ("name", "needs keys"),
    ],
)
def test_contents_that_do_not_fit_are_refused(content, message):
    with pytest.raises(InputError, match=message):
        make(Config, content, "file")
