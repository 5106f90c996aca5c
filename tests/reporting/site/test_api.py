"""The API reference: public names with their docstrings, read without importing."""

import subprocess
import sys

import pytest

from replication.reporting.site import api

pytest.importorskip("sphinx", reason="the extra `site` is not installed")

SOURCE = '''"""A module | with a bar.

    l = |x| ** 2

After it.
"""
import no_such_library


def public(a: int, *rest: str, b: float = 0.5) -> "list[int]":
    """Return it.

    Args:
        a: a `|` and two * stars.
        rest: more.

    Raises:
        ValueError: never.
    """


def _private():
    """Hidden."""


def bare(): ...


class Thing(no_such_library.Base):
    """A thing."""

    def method(self, x: int) -> None:
        """Do it."""

    @classmethod
    def make(cls) -> "Thing":
        """Make it."""

    def __call__(self):
        """Call it."""

    def _own(self):
        """Hidden."""
'''


@pytest.fixture
def text(tmp_path, monkeypatch):
    package = tmp_path / "pack"
    package.mkdir()
    (package / "part.py").write_text(SOURCE)
    monkeypatch.setattr(api, "PACKAGE", package)
    return api.module(package / "part.py")


def test_public_names_with_their_signatures(text):
    assert ".. py:module:: pack.part" in text
    assert ".. py:function:: public(a: int, *rest: str, b: float=0.5) -> 'list[int]'" in text
    assert ".. py:class:: Thing" in text
    assert ".. py:method:: method(x: int) -> None" in text
    assert ".. py:method:: make() -> 'Thing'\n      :classmethod:" in text
    assert ".. py:method:: __call__()" in text
    assert not [name for name in ("_private", "bare", "_own", "Hidden") if name in text]


def test_sections_become_fields_and_formulas_stay(text):
    assert r":param a: a `|` and two \* stars." in text
    assert ":raises ValueError: never." in text
    assert "::\n\n    l = |x| ** 2\n\nAfter it." in text
    assert r"A module \| with a bar." in text


def test_every_room_that_readers_use_is_there_and_nothing_internal():
    found = api.rooms()
    assert list(found)[:3] == ["settings", "papers", "tasks"]
    assert {"lm", "decoding", "pretraining", "alignment", "evaluation"} <= set(found)
    assert not {"studies", "workflow"} & set(found)
    assert not [path for path in found["testbed"] if path.stem.startswith("story_")]


def test_reading_imports_nothing():
    code = (
        "import sys\nfrom replication.reporting.site import api\n"
        "[api.room_page(room, files) for room, files in api.rooms().items()]\n"
        "print([name for name in ('torch', 'transformers', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
