import base64
import re

import pytest

from replication.reporting import html

nbformat = pytest.importorskip("nbformat")
new = nbformat.v4
PIXEL = base64.b64encode(b"\x89PNG\r\n" * 20).decode()

NASTY = """# Title

With $a < b_{i}$ and

$$\\Delta = \\frac{1}{n} \\sum_t p_t$$

<script src="https://x.example/a.js">alert(1)</script>
<img src="http://x.example/a.png" onerror="alert(2)"><link rel="stylesheet" href="https://x.example/a.css">
<iframe src="https://x.example"></iframe><svg onload="alert(3)"></svg>
<style>@import "https://x.example/b.css";</style>

<a href="javascript:alert(4)" onclick="alert(5)">click</a> and [arXiv](https://arxiv.org/abs/2402.10200)

![picture](https://x.example/b.png) <div style="background: url(https://x.example/c.png)">x</div>
"""


def outputs():
    yield new.new_output("stream", text="<b>1 < 2</b> costs $5 or $6\n")
    for kind, data in {
        "text/html": "<table><tr onclick='alert(6)'><td style='text-align: right'>5</td></tr></table>"
        "<script>7</script>",
        "text/markdown": "**bold** $y^2$ <img src=x onerror=alert(8)>",
        "application/javascript": "alert(9)",
        "image/svg+xml": "<svg onload='alert(10)'></svg>",
        "image/png": PIXEL,
    }.items():
        yield new.new_output("display_data", data={kind: data, "text/plain": "plain"})


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("html")
    code = new.new_code_cell("print(1 < 2)", execution_count=1, outputs=list(outputs()))
    nbformat.write(new.new_notebook(cells=[new.new_markdown_cell(NASTY), code]), folder / "nb.ipynb")
    target = html.export(folder / "nb.ipynb", folder / "sub" / "nb.html", title="A < B", home="../index.html")
    return target.read_text()


def test_nothing_is_loaded_from_elsewhere(page):
    addresses = re.findall(
        r"""(?i)<(?!a\b)[a-z][^>]*?\b(?:src|href|data|srcset)\s*=\s*["']?([^"'\s>]+)""", page
    )
    assert addresses
    assert all(address.startswith("data:image/") for address in addresses)
    assert not re.search(r"(?i)<(script|link|iframe|object|embed|base|meta http|svg)\b", page)
    assert "@import" not in page
    assert "url(" not in page


def test_nothing_runs(page):
    assert not re.search(r"(?i)<[^>]*\son[a-z]+\s*=", page)
    assert "javascript:" not in page
    assert "alert(1)" not in page


def test_formulas_are_mathml(page):
    assert "<msub><mi>b</mi>" in page
    assert '<math display="block"' in page
    assert "<mfrac>" in page
    assert "$a &lt;" not in page


def test_contents_stay(page):
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt; costs $5 or $6" in page
    assert '<td style="text-align: right;">5</td>' in page
    assert "<strong>bold</strong>" in page
    assert f"data:image/png;base64,{PIXEL}" in page
    assert '<a href="https://arxiv.org/abs/2402.10200">' in page
    assert "<title>A &lt; B</title>" in page
    assert 'href="../index.html"' in page


@pytest.mark.parametrize("latex", [r"\frac{1}{", r"\end{x}", r"\left(", "", r"\unknowncommand{x}"])
def test_a_formula_that_cannot_be_read_is_no_reason_to_fail(latex):
    assert re.match(r"<(math|code)\b", html.formula(latex))


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
    ],
)
def test_links_that_run_lose_their_address(address):
    assert "href" not in html.sanitise(f'<a href="{address}">x</a>')


def test_a_head_without_text_is_a_plain_cell():
    table = '<table><thead><tr><th style="text-align:left"></th><th>a</th></tr></thead></table>'
    assert '<td style="text-align:left;"></td><th>a</th>' in html.sanitise(table)
