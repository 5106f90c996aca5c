import re

import pandas as pd
import pytest

from replication.reporting import html, view
from replication.settings import InputError

COLOURS = re.compile(r"\.([\w-]+) \{ background: (#\w+); color: (#\w+);")


def light(colour):
    """Relative luminance of "#rgb" or "#rrggbb" (WCAG 2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(weight * x for weight, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_on_every_colour_has_contrast_enough():
    found = COLOURS.findall(view.style())
    assert len(found) == 14
    assert {name: contrast(back, text) for name, back, text in found if contrast(back, text) < 4.5} == {}


def test_the_plain_colours_grow_darker_and_the_two_sided_ones_fall_off_on_both_sides():
    colours = {name: light(back) for name, back, _ in COLOURS.findall(view.style())}
    one_hue = [colours[f"tv-s{level}"] for level in range(7)]
    two_sided = [colours[f"tv-d{level}"] for level in range(7)]
    assert one_hue == sorted(one_hue, reverse=True)
    assert two_sided[:4] == sorted(two_sided[:4])
    assert two_sided[3:] == sorted(two_sided[3:], reverse=True)


def test_nothing_of_the_style_is_loaded():
    assert not re.search(r"url\(|@import|http", view.style())


def test_tokens_show_nothing_spaces_and_line_ends():
    assert view.token_text("") == "∅"
    assert view.token_text("  ") == "␣␣"
    assert view.token_text(" a\n") == " a↵"
    assert view.token_text("\u202ea\x00") == "\ufffda\ufffd"


def test_a_view_is_shown_and_saved_in_every_form(tmp_path):
    one = view.sentence("Title & more", "a|b <i>")
    assert set(one._repr_mimebundle_()) == {"text/html", "text/markdown", "text/plain"}
    assert one.save(tmp_path, "first") is one
    assert {path.name for path in tmp_path.iterdir()} == {"first.html", "first.md", "first.csv"}
    page = (tmp_path / "first.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "Title &amp; more" in page
    assert "a|b &lt;i&gt;" in page
    assert "a&#124;b" in one.markdown
    with pytest.raises(InputError, match="small letters"):
        one.save(tmp_path, "../first")


def test_a_picture_is_kept_beside_the_rest(tmp_path):
    one = view.View("t", "<p>t</p>", "t", "t", pd.DataFrame({"a": [1]}), b"\x89PNG")
    assert one._repr_mimebundle_()["image/png"] == b"\x89PNG"
    one.save(tmp_path, "first")
    assert (tmp_path / "first.png").read_bytes() == b"\x89PNG"


def test_a_sentence_is_a_view(seen):
    one = view.sentence("Title", "There is <no> model.")
    assert "There is <no> model." in seen(one.html).text
    assert "There is &lt;no&gt; model." in one.markdown


def test_sanitised_pages_keep_text_classes_and_titles_and_drop_controls():
    controls = '<fieldset><label><input type="radio">pick</label></fieldset>'
    kept = html.sanitise(view.framed("Title", f'{controls}<span class="tv-s3" title="v">t</span>'))
    assert "pick" not in kept
    assert "tv-s3 {" not in kept
    assert '<span class="tv-s3" title="v">t</span>' in kept
    assert '<div class="tv">' in kept
    assert ".tv-s3 {" in html.page("t", kept).replace(".tv .tv-s3", ".tv-s3")
