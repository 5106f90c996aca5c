"""Rules for the committed notebooks: they are read as reports and are what nbval compares with."""

import ast
import re
from functools import cache

import pytest

from replication import papers
from replication.settings import ROOT
from replication.workflow import discovery, parameters

NOTEBOOKS = discovery.notebooks()
ALL = [*NOTEBOOKS, *discovery.about_runs()]
IGNORED = "nbval-ignore-output"
PATH = re.compile(r"(?<![\w/.])/(home|root|Users|tmp|work|mnt|opt|var|private)/\w")
DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}:\d{2}:\d{2}\b")
DURATION = re.compile(r"\b\d+\.\d+ ?(s|ms|sec|seconds|minutes)\b")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
MEGABYTE = 2**20
IMAGE_LIMIT = 200_000
NOT_MEASURED = "did not measure it"
CELL_LINES, LINE = 12, 110
NUMBER = re.compile(r"\bn = |findings\.counted\(")

each = pytest.mark.parametrize("notebook", ALL, ids=lambda notebook: notebook.label)
each_of_a_paper = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.label)


@cache
def content(notebook):
    return parameters.read(notebook.path)


def code_cells(notebook):
    return [cell for cell in content(notebook)["cells"] if cell["cell_type"] == "code"]


def tags(cell):
    return set(cell["metadata"].get("tags", ()))


def texts(cell):
    """All text that the cell put out, in whatever form."""
    for output in cell["outputs"]:
        for form, text in output.get("data", {"stream": output.get("text", "")}).items():
            if not form.startswith("image/"):
                yield "".join(text) if isinstance(text, list) else str(text)


def trees(notebook):
    return [ast.parse(cell["source"]) for cell in code_cells(notebook)]


def test_there_are_notebooks():
    assert NOTEBOOKS, "no notebook was found, so nothing would be checked"
    assert {notebook.paper for notebook in NOTEBOOKS} <= set(papers.names())
    assert {papers.load(name).notebooks for name in papers.names()} == {
        notebook.path.parent.name for notebook in NOTEBOOKS
    }


@each
def test_kernel_is_python3(notebook):
    assert content(notebook)["metadata"]["kernelspec"]["name"] == "python3"


@each
def test_parameters_are_literals_and_begin_with_the_common_ones(notebook):
    found = parameters.defaults(notebook.path)
    assert tuple(found)[: len(parameters.COMMON)] == parameters.COMMON
    usual = {
        "profile": "cpu",
        "model": "testbed",
        "data_dir": "",
        "seed": 0,
        "device": "auto",
        "results_dir": "",
    }
    assert {name: found[name] for name in usual} == usual


@each
def test_nothing_is_defined_in_a_notebook(notebook):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assert not [node for tree in trees(notebook) for node in ast.walk(tree) if isinstance(node, kinds)]


@each
def test_counts_are_in_order_and_no_cell_is_without(notebook):
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


@each
def test_outputs_hold_no_error_no_stderr_and_a_text_form(notebook):
    outputs = [output for cell in code_cells(notebook) for output in cell["outputs"]]
    assert outputs
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert {output["name"] for output in outputs if output["output_type"] == "stream"} <= {"stdout"}
    assert all("text/plain" in output["data"] for output in outputs if "data" in output)


@each
def test_outputs_hold_nothing_that_changes_from_run_to_run(notebook):
    for cell in code_cells(notebook):
        patterns = (PATH,) if IGNORED in tags(cell) else (PATH, DATE, DURATION, ADDRESS)
        found = [
            match[0]
            for text in texts(cell)
            for pattern in patterns
            for match in [pattern.search(text)]
            if match
        ]
        assert not found, f"cell [{cell['execution_count']}]"


@each
def test_nothing_of_one_execution_is_stored(notebook):
    assert {"papermill", "widgets"}.isdisjoint(content(notebook)["metadata"])
    for cell in content(notebook)["cells"]:
        assert {"papermill", "execution"}.isdisjoint(cell["metadata"])
        assert "injected-parameters" not in tags(cell)


@each
def test_size(notebook):
    assert notebook.path.stat().st_size < 2 * MEGABYTE
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            images = [data for form, data in output.get("data", {}).items() if form.startswith("image/")]
            assert all(len("".join(data)) < IMAGE_LIMIT for data in images)


@each
def test_it_opens_with_a_title_and_explains_itself(notebook):
    cells = content(notebook)["cells"]
    assert cells[0]["cell_type"] == "markdown"
    assert cells[0]["source"].startswith("# ")
    assert sum(cell["cell_type"] == "markdown" for cell in cells) >= 4


@each
def test_cells_are_short_and_lines_fit_the_page(notebook):
    sources = [cell["source"] for cell in code_cells(notebook) if "parameters" not in tags(cell)]
    assert [text for text in sources if len(text.splitlines()) > CELL_LINES] == []
    assert [line for text in sources for line in text.splitlines() if len(line) > LINE] == []


def figures(notebook):
    """The arguments by keyword of what goes to `report.figure`, drawn by one call inside another or not."""
    calls = [node for tree in trees(notebook) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if ast.unparse(call.func) == "report.figure"]
    return [{one.arg: one.value for one in ast.walk(call) if isinstance(one, ast.keyword)} for call in named]


def spelled_out(notebook, node):
    """The code of an expression and of what its names stand for."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    given = [one for tree in trees(notebook) for one in ast.walk(tree) if isinstance(one, ast.Assign)]
    return ast.unparse([node, *(one for one in given if names & set(map(ast.unparse, one.targets)))])


@each
def test_figures_say_what_they_show_and_how_many_stand_behind_it(notebook):
    for given in figures(notebook):
        assert NUMBER.search(spelled_out(notebook, given["caption"]))
        # A typed title would go on saying what an earlier run found.
        assert not isinstance(given["title"], ast.Constant)


def test_some_notebooks_have_figures():
    assert sum(len(figures(notebook)) for notebook in ALL) > 50


@each_of_a_paper
def test_claims_named_in_the_code_are_claims_of_this_notebook(notebook):
    own = {claim.id for claim in papers.load(notebook.paper).claims if claim.notebook == notebook.topic}
    calls = [node for tree in trees(notebook) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("claim", "untestable")
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    assert named <= own


@each_of_a_paper
def test_every_claim_of_this_notebook_is_judged_in_it(notebook):
    shown = "\n".join(text for cell in code_cells(notebook) for text in texts(cell))
    own = [claim.id for claim in papers.load(notebook.paper).claims if claim.notebook == notebook.topic]
    assert not [
        name for name in own if not re.search(rf"\*\*{re.escape(name)}\*\*|\| {re.escape(name)} \|", shown)
    ]
    assert NOT_MEASURED not in shown


@pytest.mark.parametrize("name", papers.names())
def test_claims_and_artefacts_belong_to_notebooks_that_are_there(name):
    paper = papers.load(name)
    there = {notebook.topic for notebook in NOTEBOOKS if notebook.paper == name}
    assert {claim.notebook for claim in paper.claims} <= there
    assert {artefact.notebook for artefact in paper.artefacts if artefact.status == "regenerated"} <= there


@pytest.mark.parametrize("name", papers.names())
def test_every_regenerated_table_and_figure_is_named_in_its_notebook(name):
    sources = {
        notebook.topic: "\n".join(cell["source"] for cell in content(notebook)["cells"])
        for notebook in NOTEBOOKS
        if notebook.paper == name
    }
    made = [artefact for artefact in papers.load(name).artefacts if artefact.status == "regenerated"]
    # The quoted name: table_1 is not made where table_10 is.
    assert not [one.id for one in made if f'"{one.id}"' not in sources.get(one.notebook, "")]


def test_every_pair_of_the_sanitising_file_counts():
    from nbval.plugin import get_sanitize_patterns

    text = (ROOT / "env" / "nbval_sanitize.cfg").read_text()
    written = [line for line in text.splitlines() if line.startswith("regex:")]
    pairs = get_sanitize_patterns(text)
    assert len(pairs) == len(written) >= 4
    sample = "/" + "home/a/b.csv 2026-01-02T03:04:05Z 12:34:56 <x at 0x7f52c06c2200> 0.123 3/4 12:30 and/or 2024"
    for pattern, replacement in dict(pairs).items():
        sample = re.sub(pattern, replacement, sample)
    assert sample == "PATH DATE TIME <x at ADDRESS> 0.123 3/4 12:30 and/or 2024"


def test_the_reading_order_names_every_notebook_in_order():
    text = (discovery.FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[[^\]]+\]\(([\w/]+)\.ipynb\) \|", text, re.MULTILINE)
    assert rows == [notebook.label for notebook in ALL]
    assert all((discovery.FOLDER / link).exists() for link in re.findall(r"\]\(\s*([\w/.]+)\)", text))
