"""Copies of notebooks for the site: one safe form of every output, code folded away."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from replication.reporting.site import notebooks

PNG = "iVBORw0KGgo="


def staged_output(data):
    notebook = new_notebook(cells=[new_code_cell("x", outputs=[new_output("display_data", data)])])
    outputs = notebooks.staged(notebook).cells[0].outputs
    return outputs[0].data if outputs else None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"image/png": PNG, "text/html": "<b>x</b>", "text/plain": "x"}, {"image/png": PNG}),
        ({"text/html": "<b>x</b>", "text/markdown": "y", "text/plain": "z"}, {"text/html": "<b>x</b>"}),
        ({"text/markdown": "**y**", "text/plain": "z"}, {"text/html": "<p><strong>y</strong></p>"}),
        ({"image/svg+xml": "<svg onload='a()'/>", "text/plain": "z"}, {"text/plain": "z"}),
        ({"application/javascript": "a()", "application/vnd.jupyter.widget-view+json": {}}, None),
    ],
)
def test_the_richest_safe_form_is_kept(given, kept):
    found = staged_output(given)
    assert found == kept or {kind: text.strip() for kind, text in found.items()} == kept


def test_a_view_goes_before_its_picture_and_keeps_its_numbers_but_no_script():
    body = "<fieldset><input type='radio'></fieldset><p onclick='a()'>x</p>"
    view = f"<style>b {{}}</style><div class='tv tv-kept' data-state='{{}}'>{body}</div><script>a()</script>"
    found = staged_output({"image/png": PNG, "text/html": view.replace("'", '"'), "text/plain": "x"})
    assert found == {"text/html": '<div class="tv tv-kept" data-state="{}"><p>x</p></div>'}


def test_numbers_of_scripts_stay_on_views_only():
    found = staged_output({"text/html": '<div class="other" data-state="{}">x</div>'})
    assert found == {"text/html": '<div class="other">x</div>'}


def test_tables_scroll_by_themselves():
    found = staged_output({"text/markdown": "| a |\n| --- |\n| 1 |\n"})["text/html"]
    assert found.startswith('<div class="wide"><table>')
    assert found.count("</table></div>") == 1


def test_shaded_text_keeps_its_colours_and_nothing_that_loads():
    page = "<td style='background:#fdd;color:#000'>x</td>"
    found = staged_output({"text/html": f"<table><tr>{page}</tr></table>"})["text/html"]
    assert "background:#fdd" in found
    loading = "<p style='background:url(https://x.example/a.png)'>x</p>"
    assert "x.example" not in staged_output({"text/html": loading})["text/html"]


def test_streams_and_errors_stay_text():
    outputs = [
        new_output("stream", name="stderr", text="<b>warned</b>"),
        new_output("error", ename="E", evalue="<b>", traceback=["<b>"]),
    ]
    notebook = new_notebook(cells=[new_code_cell("x", outputs=outputs)])
    assert notebooks.staged(notebook).cells[0].outputs == outputs


def test_code_is_folded_and_other_metadata_goes():
    cells = [new_code_cell("x", metadata={"tags": ["parameters"], "mystnb": {"x": 1}}), new_raw_cell("<b>")]
    cell, *rest = notebooks.staged(new_notebook(cells=cells, metadata={"mystnb": {"x": 1}})).cells
    assert cell.metadata == {"tags": ["hide-input"]}
    assert rest == []


def test_given_folders_are_shown_by_their_last_part():
    source = 'model = "/data/models/mine"\nresults_dir = "C:\\\\x\\\\results"\ntask = "a/b"\nseed = 1'
    cells = [new_code_cell(source, metadata={"tags": ["injected-parameters"]})]
    (cell,) = notebooks.staged(new_notebook(cells=cells)).cells
    assert cell.source == 'model = "…/mine"\nresults_dir = "…/results"\ntask = "a/b"\nseed = 1'


@pytest.mark.parametrize("fence", ["```", "~~~~", "  ```"])
def test_a_fence_of_a_markdown_cell_calls_nothing(fence):
    source = f"{fence}{{include}} /etc/passwd\n{fence}\n"
    (cell,) = notebooks.staged(new_notebook(cells=[new_markdown_cell(source)])).cells
    assert cell.source == f"{fence}include /etc/passwd\n{fence}\n"


def test_links_go_below_the_first_cell():
    cells = [new_markdown_cell("# A"), new_markdown_cell("b")]
    found = notebooks.staged(new_notebook(cells=cells), head="<p>links</p>").cells
    assert [cell.source for cell in found] == ["# A", "<p>links</p>", "b"]
    assert found[1].metadata["format"] == "text/html"


def test_the_title_is_the_first_heading():
    texts = ("no heading\n#hash", "text\n\n# A $x$ <script>b</script> *c*\n")
    found = notebooks.title(new_notebook(cells=[*map(new_markdown_cell, texts)]), "fallback")
    assert found.startswith("A <math")
    assert found.endswith("<em>c</em>")
    assert "script" not in found
    assert notebooks.title(new_notebook(cells=[]), "a<b") == "a&lt;b"
