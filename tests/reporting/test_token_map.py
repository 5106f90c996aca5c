"""Maps of tokens: escaped, readable without colour, and a figure that the site keeps."""

import base64
import math

import nbformat
import numpy as np
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt

from replication.reporting import html, style, token_map
from replication.reporting.report import Report
from replication.settings import InputError

TOKENS = ("Q:", " <script>", "\n", "A:", " $4", "+$3", "=", "7", ".\n\n", "end")
NAMES = ("question",) * 3 + ("useful", "useful", "wrong", "useful", "wrong", None, "")
NAN = math.nan


@pytest.fixture(autouse=True)
def closed():
    """No figure is left open."""
    yield
    plt.close("all")


def drawn(shown):
    """Return the figure, drawn: warnings, such as missing glyphs, are errors."""
    figure, name, caption, data = token_map.figure("tokens", shown)
    assert (name, caption) == ("tokens", shown.caption)
    assert len(data) == len(shown.tokens)
    figure.canvas.draw()
    return figure


def texts(figure):
    """Return the texts of the only panel without the letters."""
    return [text.get_text() for text in figure.axes[0].texts if text.get_gid() != "letter"]


def letters(figure):
    return "".join(text.get_text() for text in figure.axes[0].texts if text.get_gid() == "letter")


def test_text_is_escaped_in_html():
    data = token_map.bundle(token_map.classes(TOKENS, NAMES, title="<i> for $1", caption="<u>"))
    page = data["text/html"]
    assert " &lt;script&gt;" in page
    assert "<script" not in page
    assert "&lt;i&gt; for" in page
    assert "<p>&lt;u&gt;</p>" in page
    assert "$" not in page
    assert page.count("↵<br>") == 3


def test_classes_have_letters_and_underlines_of_their_own():
    page = token_map.bundle(token_map.classes(TOKENS, NAMES))["text/html"]
    text = page.split("pre-wrap")[1]
    assert [text.count(f"<sup>{letter}</sup>") for letter in "ABCD"] == [1, 2, 2, 0]
    assert [text.count(f"underline {kind}") for kind in ("solid", "dashed", "dotted")] == [3, 3, 2]
    assert text.count("<span style") == 8  # the last two tokens have no class
    looks = token_map.classes(["x"] * 7, list("abcdefg")).looks
    for part in ("letter", "colour", "underline"):
        assert len({getattr(look, part) for look in looks}) == 7


def test_plain_text_marks_the_runs():
    text = token_map.bundle(token_map.classes(TOKENS, NAMES, title="T", caption="C"))["text/plain"]
    assert text.splitlines() == [
        "T",
        "A = question, B = useful, C = wrong",
        "⟦A:Q: <script>↵",
        "⟧⟦B:A: $4⟧⟦C:+$3⟧⟦B:=⟧⟦C:7⟧.↵",
        "↵",
        "end",
        "C",
    ]


def test_order_gives_a_class_the_same_look_in_every_map():
    order = ("question", "useful", "wrong", "direct")
    shown = token_map.classes(["5"], ["direct"], order=order)
    assert shown.places == (3,)
    assert [look.label for look in shown.looks] == list(order)
    with pytest.raises(InputError, match="lacks random"):
        token_map.classes(["5"], ["random"], order=order)


def test_levels_are_quintiles_of_what_is_selected():
    values = [*range(10), 100.0, NAN, None]
    selected = [True] * 10 + [False, True, False]
    shown = token_map.levels(["x"] * 13, values, selected=selected)
    assert shown.places == (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, -1, -1, -1)
    assert shown.strong == tuple(selected)
    assert shown.data["level"].tolist()[-3:] == [0, 0, 0]
    assert np.isnan(shown.data["value"]).tolist() == [False] * 11 + [True, True]
    every = token_map.levels(["x"] * 13, values)
    assert every.places[10] == 4
    assert not any(every.strong)


def test_a_flag_that_is_missing_selects_nothing():
    shown = token_map.levels(list("abcd"), [1.0] * 4, selected=[NAN, None, np.False_, np.True_])
    assert shown.strong == (False, False, False, True)
    assert shown.places[:3] == (-1, -1, -1)
    assert token_map.levels(["a"], [1.0], selected=np.array([True])).strong == (True,)


def test_levels_by_given_edges_start_at_them():
    shown = token_map.levels(list("abcdef"), [-5, 0, 0.9, 1, 2, 3], edges=[0, 1, 2, 3])
    assert shown.places == (0, 1, 1, 2, 3, 4)
    assert token_map.levels(["a"], [0.0], edges=[-0.001, 1, 2, 3]).looks[0].label == "below 0.00"
    labels = [look.label for look in shown.looks]
    assert labels == ["below 0.00", "0.00 to 1.00", "1.00 to 2.00", "2.00 to 3.00", "from 3.00"]


def test_selected_tokens_read_without_colour():
    tokens, selected = ["so ", "12", "+", "5", "\n", "on"], [False, True, True, False, True, False]
    data = token_map.bundle(token_map.levels(tokens, [1.0] * 6, selected=selected))
    assert data["text/plain"].splitlines() == ["⟦selected⟧", "so ⟦12+⟧5⟦↵", "⟧on"]
    assert data["text/html"].count("<b><u>") == 4  # the legend's too
    figure = drawn(token_map.levels(tokens, [1.0] * 6, selected=selected))
    bold = [text.get_text() for text in figure.axes[0].texts if text.get_weight() == "bold"]
    assert bold == ["selected", "12", "+", "↵"]
    assert len(figure.axes[0].lines) == 4


def test_shades_darken_and_keep_black_text_readable():
    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colors.to_rgb(colour)]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    found = [luminance(shade) for shade in token_map.SHADES]
    assert found == sorted(found, reverse=True)
    assert all((luminance(c) + 0.05) / 0.05 > 7 for c in (*token_map.SHADES, *token_map.TINTS))


def test_scores_without_a_value_and_a_map_without_any():
    shown = token_map.levels(["a", "b"], [NAN, None])
    assert shown.places == (-1, -1)
    assert texts(drawn(shown))[-2:] == ["a", "b"]


def test_the_figure_shows_text_as_it_is_with_its_legend():
    figure = drawn(token_map.classes(TOKENS, NAMES, title="Costs $5 or $x"))
    assert texts(figure) == [
        " question ", " useful ", " wrong ",
        "Q:", " <script>", "↵", "A:", " $4", "+$3", "=", "7", ".↵", "↵", "end",
    ]  # fmt: skip
    assert letters(figure) == "ABC" + "A" + "BCBC"
    assert not any(text.get_parse_math() for text in figure.axes[0].texts if "$" in text.get_text())
    assert figure.texts[0].get_text() == "Costs $5 or $x"
    assert len(figure.axes[0].patches) == 3 + 8


def test_characters_that_the_font_lacks_are_replaced():
    assert "".join(texts(drawn(token_map.levels(["日", "é", "\u202e", "🙂"], [1, 2, 3, 4])))[-4:]) == (
        "\ufffdé\ufffd\ufffd"
    )


def test_tokens_wrap_at_the_width():
    pieces = list(token_map.wrapped(["abc", "de", "f\ngh", "ijk", "", "lmnopqrst"], columns=6))
    assert [(p.line, p.column, p.text) for p in pieces] == [
        (0, 0, "abc"), (0, 3, "de"), (1, 0, "f↵"), (2, 0, "gh"), (2, 2, "ijk"), (3, 0, "lmnopq"),
        (4, 0, "rst"),
    ]  # fmt: skip
    assert [p.token for p in pieces] == [0, 1, 2, 2, 3, 5, 5]


def test_the_width_is_fixed_and_the_height_follows_the_lines():
    short = drawn(token_map.levels(["word "] * 10, range(10)))
    long = drawn(token_map.levels(["word "] * 100, range(100)))
    assert short.get_size_inches()[0] == long.get_size_inches()[0] == token_map.WIDTH == 8.4
    more = -(-100 // (token_map.COLUMNS // 5)) - 1
    assert long.get_size_inches()[1] - short.get_size_inches()[1] == pytest.approx(more * token_map.LINE)
    renderer = long.canvas.get_renderer()
    edge = 8.4 * style.SCREEN_DPI
    assert all(t.get_window_extent(renderer).x1 <= edge for t in long.axes[0].texts if t.get_text().strip())
    # Cropped by a notebook, the figure keeps its width.
    assert short.get_tightbbox(renderer).width == pytest.approx(8.4, abs=0.02)


def test_characters_are_as_wide_as_their_place():
    figure = drawn(token_map.levels(["m" * 40], [1.0]))
    box = figure.axes[0].texts[-1].get_window_extent(figure.canvas.get_renderer())
    assert box.width == pytest.approx(40 * 6, abs=3)


def test_a_report_stores_it_and_a_site_shows_it(make, settings, shown, tmp_path):
    marked = token_map.classes(TOKENS, NAMES, caption="What is learned")
    report = make()
    assert isinstance(report, Report)
    report.figure(*token_map.figure("figure_11", marked))
    assert shown[0].startswith("**What is learned** *Run of ")
    files = sorted(path.suffix for path in settings.figures_dir.iterdir())
    assert files == [".csv", ".md", ".pdf", ".png"]
    picture = base64.b64encode((settings.figures_dir / "figure_11.png").read_bytes()).decode()
    outputs = [
        nbformat.v4.new_output("display_data", data={"image/png": picture, "text/plain": "<Figure>"}),
        nbformat.v4.new_output("display_data", data=token_map.bundle(marked)),
    ]
    cell = nbformat.v4.new_code_cell("", execution_count=1, outputs=outputs)
    page = html.render(nbformat.v4.new_notebook(cells=[cell]))
    assert f"data:image/png;base64,{picture}" in page
    # The colours are kept, and so is what reads without them.
    assert "background" in page
    assert "<sup>B</sup>" in page
    assert " &lt;script&gt;" in page


def test_notebooks_display_a_map_as_html_and_text():
    shown = token_map.levels(["a"], [1.0])
    assert shown._repr_mimebundle_() == token_map.bundle(shown)


@pytest.mark.parametrize(
    ("make_map", "message"),
    [
        (lambda: token_map.classes([], []), "at least one token"),
        (lambda: token_map.classes(["a"], []), "1 tokens needs as many classes, got 0"),
        (lambda: token_map.classes(["a"] * 8, list("abcdefgh")), "at most 7 classes, got 8"),
        (lambda: token_map.levels(["a"], [1.0, 2.0]), "as many values, got 2"),
        (lambda: token_map.levels(["a"], [1.0], selected=[]), "as many flags"),
        (lambda: token_map.levels(["a"], [1.0], edges=[1, 2, 3]), "four ascending edges"),
        (lambda: token_map.levels(["a"], [1.0], edges=[1, 2, 2, 3]), "four ascending edges"),
    ],
)
def test_errors_say_what_is_wrong(make_map, message):
    with pytest.raises(InputError, match=message):
        make_map()
