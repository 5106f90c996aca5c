"""A toy paper, its settings, and what a report displays."""

from html.parser import HTMLParser

import pytest

from replication.reporting.report import Report
from replication.settings import Settings

TOY = """
[paper]
key = "toy"
title = "A Toy Paper"
authors = "Ada One"
venue = "Nowhere 2024"
arxiv = ""
year = 2024
url = ""
family = "decoding"
module = "replication.decoding.toy"
notebooks = "99_toy"
task = "stories"
[profiles.smoke]
n = 10
[[preconditions]]
id = "P1"
statement = "The model can add."
test = { kind = "greater", estimate = "accuracy", null = 0.75 }
[[claims]]
id = "C1"
statement = "A beats B | by far."
source = "Table 1"
published = "20 against 10"
notebook = "01_first"
test = { kind = "greater", estimate = "A minus B", null = 0.0, margin = 0.05 }
[[claims]]
id = "C2"
statement = "C equals D."
source = "Table 2"
notebook = "02_second"
requires = []
test = { kind = "within", estimate = "C minus D", low = -0.1, high = 0.1 }
[[claims]]
id = "C3"
statement = "E beats F."
source = "Table 3"
notebook = "01_first"
test = { kind = "greater", estimate = "E minus F" }
[[artefacts]]
id = "table_9"
kind = "table"
title = "Large models"
notebook = "01_first"
status = "full scale only"
reason = "It needs a large model."
[[published]]
id = "table_1"
columns = ["method", "score"]
rows = [["A", 20.0], ["B", 10.0]]
note = "on 100 questions"
[[choices]]
id = "A1"
text = "Ties."
ours = "first."
"""


@pytest.fixture
def cards(tmp_path):
    """Folder with the toy paper."""
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "toy.toml").write_text(TOY, encoding="utf-8")
    return folder


@pytest.fixture
def settings(tmp_path):
    """A smoke run of the toy paper in a temporary results tree."""
    return Settings(
        paper="toy",
        profile="smoke",
        model=str(tmp_path / "somewhere" / "tiny"),
        task="stories",
        data_dir="",
        seed=0,
        device="cpu",
        results=tmp_path / "results",
        default_task="stories",
        sizes={"n": 10},
    )


@pytest.fixture
def shown(monkeypatch):
    """List of what was displayed: text of Markdown, bundles as they are."""
    items = []

    def display(item, raw=False):
        items.append(item if raw else item.data)

    monkeypatch.setattr("IPython.display.display", display)
    return items


@pytest.fixture
def make(settings, cards, shown):
    """Maker of reports of the toy paper; `shown` collects what they display."""
    return lambda notebook="": Report(settings, notebook, cards)


# What would break a page, a table or a terminal.
HOSTILE = (
    "<script>alert(1)</script>", "</style><b>", "\" onmouseover='x'", "'><img src=x onerror=y>",
    "a | b `c` *d*", "[x](http://example.org)", "two\nlines\r\nmore",
    "\x00\x1b[31mred\x7f", "\u202eright to left\u2069",
    "", "\ufffd", "$x^2$ and $y$", "\ud800", "<!-- -->", "&amp;", "   ", "\t", "__proto__", "</script>", "é́",
)  # fmt: skip


class Seen(HTMLParser):
    """Tags, attributes and text of a page, as a browser takes them apart.

    Attributes:
        tags: names of the elements, in order.
        attributes: (tag, name, value) of every attribute.
        text: what is neither script nor style.
        scripts: content of each script.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.scripts = [], [], "", []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.text += data

    @property
    def handlers(self):
        """Attributes that would run something or load something."""
        names = ("src", "href", "action", "formaction", "style", "srcset")
        return [one for one in self.attributes if one[1].startswith("on") or one[1] in names]


@pytest.fixture
def hostile():
    return HOSTILE


@pytest.fixture
def seen():
    return Seen
