"""The loader of the papers' TOML files: what it returns and what it refuses."""

import subprocess
import sys

import pytest

from replication import papers
from replication.settings import PROFILES, InputError

TOY = """
[paper]
key = "toy"
title = "A Toy Paper"
authors = ["Ada One", "Ben Two"]
venue = "Nowhere 2024"
arxiv = "0000.00000"
year = 2024
url = "https://example.org"
family = "decoding"
module = "replication.decoding.toy"
notebooks = "99_toy"
task = "stories"

[profiles.smoke]
n = 10
[profiles.paper]
task = "gsm8k"
n = 100

[[preconditions]]
id = "P1"
statement = "The model can add."
test = { kind = "greater", estimate = "accuracy", null = 0.75 }

[[claims]]
id = "C1"
statement = "A beats B."
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

[[artefacts]]
id = "table_1"
kind = "table"
title = "A and B"
notebook = "01_first"
status = "regenerated"

[[artefacts]]
id = "table_9"
kind = "table"
title = "Large models"
notebook = ""
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

[[deviations]]
id = "D1"
text = "Small."
reason = "Cheap."

[[slips]]
id = "S1"
text = "A typo."

[[controls]]
id = "K1"
text = "Shuffle."
"""


def load(tmp_path, text=TOY, name="toy"):
    (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return papers.load(name, tmp_path)


def test_toy_paper_is_read_whole(tmp_path):
    paper = load(tmp_path)
    assert (paper.key, paper.year, paper.authors) == ("toy", 2024, "Ada One, Ben Two")
    assert paper.profiles == {"smoke": {"n": 10}, "paper": {"task": "gsm8k", "n": 100}}
    assert [claim.id for claim in paper.claims] == ["C1", "C2"]
    assert paper.claims[0].requires is None
    assert paper.claims[1].requires == ()
    assert paper.claims[0].test["margin"] == 0.05
    assert paper.published["table_1"].rows == (("A", 20.0), ("B", 10.0))
    assert paper.artefacts[1].reason == "It needs a large model."
    lists = (paper.choices, paper.deviations, paper.slips, paper.controls)
    assert [entries[0].id for entries in lists] == ["A1", "D1", "S1", "K1"]
    assert paper.claim("C2").source == "Table 2"
    assert paper.precondition("P1").statement == "The model can add."


def test_records_are_frozen(tmp_path):
    paper = load(tmp_path)
    with pytest.raises(AttributeError):
        paper.claims[0].statement = "another"


def test_names_are_discovered_and_an_unknown_one_lists_them(tmp_path):
    load(tmp_path)
    assert papers.names(tmp_path) == ["toy"]
    with pytest.raises(InputError, match=r"Unknown paper 'min_p': the known papers are toy\."):
        papers.load("min_p", tmp_path)
    with pytest.raises(InputError, match="Unknown paper"):
        papers.load("../toy", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('source = "Table 1"', 'source = "Table 1"\nred = 1', r"toy.toml \[\[claims\]\] number 1 .* red"),
        ("[profiles.smoke]", "[profiles.tiny]", r"\[profiles\] has unknown key\(s\) tiny"),
        ("year = 2024", 'year = "2024"', r"\[paper\] year needs to be int, got '2024'"),
        ('title = "A Toy Paper"', "", r"\[paper\] lacks title"),
        ('key = "toy"', 'key = "other"', "it needs to be 'toy'"),
        ('id = "C2"', 'id = "C1"', "has the id 'C1' twice"),
        ('source = "Table 1"', "", r"number 1 \(C1\) lacks source"),
        ('notebook = "02_second"', 'notebook = "second.ipynb"', "has the notebook 'second.ipynb'"),
        ("requires = []", 'requires = ["P7"]', "claim C2 requires P7"),
        ('kind = "within"', 'kind = "around"', "has the kind 'around': use one of greater, less, within"),
        ("low = -0.1, high = 0.1", "low = 0.2, high = 0.1", "low <= high"),
        ("low = -0.1, high = 0.1", "low = 0.2", "low and high"),
        ("low = -0.1, high = 0.1", "low = 0.0, high = 0.1, margin = 0.1", r"unknown key\(s\) margin"),
        ("margin = 0.05", "margin = -0.05", "margin >= null, got margin -0.05 and null 0.0"),
        ("margin = 0.05", 'margin = "0.05"', "margin needs to be int or float"),
        ("margin = 0.05", "margin = true", "margin needs to be int or float"),
        ('estimate = "A minus B", ', "", "estimate needs to be str"),
        ('status = "regenerated"', 'status = "done"', "has the status 'done'"),
        ('kind = "table"\ntitle = "A', 'kind = "picture"\ntitle = "A', "has the kind 'picture'"),
        ('reason = "It needs a large model."', "", "without a reason"),
        ('["B", 10.0]', '["B", 10.0, 3]', "length is not that of its columns"),
        ('id = "table_1"\nkind', 'id = "../table"\nkind', "has the id '../table'"),
        ("[[choices]]", "[[choice]]", r"unknown key\(s\) choice"),
        ("[[choices]]", "[[choices]", "is not valid TOML"),
    ],
)
def test_faults_are_refused_with_file_and_key(tmp_path, old, new, message):
    assert TOY.count(old) >= 1
    with pytest.raises(InputError, match=message) as error:
        load(tmp_path, TOY.replace(old, new, 1))
    assert "toy.toml" in str(error.value)


def test_less_needs_its_margin_below_null(tmp_path):
    text = TOY.replace('"greater", estimate = "A', '"less", estimate = "A')
    with pytest.raises(InputError, match="margin <= null"):
        load(tmp_path, text)
    assert load(tmp_path, text.replace("margin = 0.05", "margin = -0.05")).claims[0].test["kind"] == "less"


def test_unknown_claim_lists_the_known_ones(tmp_path):
    paper = load(tmp_path)
    with pytest.raises(InputError, match="Unknown claim of toy: 'C9'; known are C1, C2"):
        paper.claim("C9")
    with pytest.raises(InputError, match="Unknown precondition of toy"):
        paper.precondition("P9")


@pytest.mark.parametrize("name", papers.names())
def test_shipped_papers_load_and_are_complete(name):
    paper = papers.load(name)
    assert set(paper.profiles) == set(PROFILES)
    assert paper.claims or paper.family == "testbed"  # the testbed is no publication
    for profile in PROFILES[1:]:
        assert set(paper.profiles[profile]) - {"task"} == set(paper.profiles["smoke"]) - {"task"}


def test_shipped_papers_are_found():
    assert "cot_decoding" in papers.names()


def test_import_is_light():
    check = (
        "import replication.papers, replication.reporting.scoreboard, sys; "
        "heavy = {'torch', 'transformers', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
