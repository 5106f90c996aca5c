"""Pages of scoreboard and papers: verdicts as sign and word, text that does not act, what a run holds."""

import re

import pytest

from replication.evaluation.claims import VERDICTS
from replication.reporting.site import content, fingerprint, pages


@pytest.fixture(scope="module")
def papers(toy_run):
    return content.collect(toy_run)


def test_papers_come_in_the_order_of_their_notebooks(papers):
    assert [paper.card.key for paper in papers] == ["cot_decoding", "min_p"]
    assert [path.stem for path in papers[1].notebooks] == ["01_temperature", "02_critique"]


def test_a_partial_notebook_is_told_apart(tmp_path):
    folder = tmp_path / "min_p" / "notebooks"
    folder.mkdir(parents=True)
    for name in ("01_temperature.ipynb", "02_critique.failed.ipynb", ".03_x.partial.ipynb"):
        (folder / name).touch()
    (paper,) = content.collect(tmp_path)
    assert [path.name for path in paper.notebooks] == ["01_temperature.ipynb"]
    assert [path.name for path in paper.failed] == ["02_critique.failed.ipynb"]
    shown = pages.paper_parts(paper, {"01_temperature": "A"})["Notebooks"]
    assert "02 critique did not run to its end" in shown


def test_tables_and_figures_know_their_titles_and_files(papers):
    (figure,) = papers[1].figures
    assert figure.title.startswith("Accuracy against distinct solutions")
    assert list(figure.files) == ["png", "pdf", "csv"]
    assert list(papers[1].tables[0].files) == ["csv", "md"]


def test_a_verdict_is_a_sign_and_a_word(papers):
    shown = pages.board_parts(papers, {})["All claims"]
    badge = r'<span class="badge v-[a-z-]+"><span aria-hidden="true">(.)</span> ([a-z ]+)</span>'
    words = re.findall(badge, shown)
    assert {word for _, word in words} <= set(VERDICTS)
    assert ("✘", "not reproduced") in words
    assert ("○", "not testable") in words


def test_the_matrix_names_every_claim_with_its_verdict(papers):
    shown = pages.board_parts(papers, {})["Papers and claims"]
    chips = re.findall(r'<a class="chip [^>]*href="#([^"]+)"', shown)
    assert len(chips) == sum(len(paper.rows) for paper in papers)
    assert 'C1b<span class="hidden">, not reproduced</span>' in shown


def test_text_of_a_run_is_escaped(papers):
    shown = "".join(pages.board_parts(papers, {"parameters": {"model": "<b>x</b>"}}).values())
    shown += "".join(pages.paper_parts(papers[1], {"01_temperature": "a", "02_critique": "b"}).values())
    assert "<script" not in shown
    assert "&lt;script&gt;window.hacked" in shown
    assert "&lt;b&gt;x&lt;/b&gt;" in shown


def test_facts_say_what_a_manifest_holds():
    manifest = {
        "parameters": {"profile": "cpu", "model": "testbed", "task": ""}, "seed": 0,
        "hardware": {"processor": "P", "gpu": ["G"]},
        "package": {"version": "1", "commit": "0123456789abcdef", "modified": True},
        "notebooks": {"a": {"seconds": 90}, "b": {"seconds": None}},
    }  # fmt: skip
    assert pages.facts(manifest) == {
        "Model": "testbed", "Profile": "cpu", "Seed": "0", "Notebooks": "2 minutes in all",
        "Hardware": "P, G",
        "Package": "replication 1 at commit 0123456789 with changes",
    }  # fmt: skip
    assert pages.facts({}) == {}


def test_a_long_table_is_cut_and_says_so(tmp_path):
    rows = "\n".join(f"| {number} |" for number in range(100))
    (tmp_path / "t.md").write_text(f"| a |\n| --- |\n{rows}\n")
    shown = pages.table(content.Artefact("t", "", {"md": tmp_path / "t.md"}))
    assert shown.count("<tr>") == pages.LONG_TABLE - 1
    assert f"{102 - pages.LONG_TABLE} more rows are in the file." in shown


def test_the_size_of_a_picture_is_in_its_header(papers):
    assert pages.image_size(papers[1].figures[0].files["png"]) == (300, 150)


def test_a_manifest_that_cannot_be_read_is_none(tmp_path):
    assert content.manifest(tmp_path) == {}
    (tmp_path / "manifest.json").write_text("[")
    assert content.manifest(tmp_path) == {}


def test_a_fingerprint_changes_with_what_a_site_shows(tmp_path):
    (tmp_path / "min_p" / "tables").mkdir(parents=True)
    before = fingerprint.of(tmp_path)
    assert fingerprint.of(tmp_path) == before
    (tmp_path / "min_p" / "tables" / "t.csv").write_text("a")
    assert fingerprint.of(tmp_path) != before
