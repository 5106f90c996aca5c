import math

import numpy as np
import pandas as pd
import pytest

from replication.reporting import html
from replication.reporting.heat_map import Measure, heat_map, heat_view, measures, number
from replication.settings import InputError


def test_levels_are_even_steps_and_ends_take_what_lies_beyond():
    one = Measure("p", (0.0, 0.5, 1.0, 2.0, -1.0, None, math.nan), low=0.0, high=1.0)
    assert one.levels().tolist() == [0, 3, 6, 6, 0, -1, -1]
    assert one.look(3) == "tv-s3"


def test_centred_levels_part_at_zero():
    one = Measure("excess", (-2.0, 0.0, 2.0), centred=True, high=2.0)
    assert one.levels().tolist() == [0, 3, 6]
    assert one.look(0) == "tv-d0"


def test_without_ends_the_values_give_them():
    assert Measure("h", (1.0, 3.0)).edges[[0, -1]].tolist() == [1.0, 3.0]
    assert Measure("h", (2.0, 2.0)).levels().tolist() == [0, 0]
    assert Measure("h", (None,)).levels().tolist() == [-1]
    assert (np.diff(Measure("x", (0.0,), centred=True).edges) > 0).all()


def test_numbers_have_three_places_and_no_negative_zero():
    assert [number(x) for x in (0.5, -1e-9, 0.0, 1e-5, 123.4, math.nan)] == [
        "0.500", "-1.0e-09", "0.000", "1.0e-05", "1.2e+02", "—",
    ]  # fmt: skip


def test_every_value_is_in_the_hover_text_and_in_every_table(seen):
    values = (0.25, None, 0.75)
    one = heat_map(["a", " b", "c"], [Measure("Δ", values, low=0, high=1)], title="T", note="n = 1", start=2)
    page = seen(one.html)
    titles = [value for tag, name, value in page.attributes if tag == "span" and name == "title"]
    assert titles == [
        "token 1 “a”: Δ 0.250", "token 2 “ b”: Δ —", "here the response begins", "token 3 “c”: Δ 0.750",
    ]  # fmt: skip
    for form in (page.text, one.markdown, one.plain):
        assert not [word for word in ("0.250", "0.750", "—", "n = 1") if word not in form]
    assert one.data["Δ"].tolist()[::2] == [0.25, 0.75]


def test_one_measure_at_a_time_by_radio_buttons_alone(seen):
    two = [Measure("p", (0.1, 0.2)), Measure("h", (1.0, 2.0))]
    page = seen(heat_map(["a", "b"], two, title="T").html)
    checked = [tag for tag, name, _ in page.attributes if name == "checked"]
    assert page.tags.count("input") == 2
    assert checked == ["input"]
    assert not page.scripts
    assert "input" not in seen(heat_map(["a", "b"], two[:1], title="T").html).tags


def test_a_page_without_controls_shows_all_measures(seen):
    two = [Measure("first", (0.1, 0.2)), Measure("second", (1.0, 2.0))]
    page = seen(html.page("t", html.sanitise(heat_map(["a", "b"], two, title="T").html)))
    assert "Colour shows" not in page.text
    assert "first" in page.text
    assert "second" in page.text
    assert ("div", "class", "tv-panel-1") in page.attributes


def test_hostile_tokens_are_text_in_every_form(hostile, seen):
    values = np.linspace(0, 1, len(hostile))
    two = [Measure(hostile[0], values, hostile[1]), Measure(hostile[2], values)]
    one = heat_map(hostile, two, title=hostile[0], note=hostile[1])
    page = seen(one.html)
    assert not page.scripts
    assert not page.handlers
    assert {"script", "b", "img", "a"} & set(page.tags) == {"b"}
    assert "<script>alert(1)</script>" in page.text
    assert "</style><b>" in page.text
    assert "\u202e" not in one.html
    assert "\x1b" not in one.html + one.plain + one.markdown
    table = [line for line in one.markdown.splitlines() if line.startswith("| ")]
    assert len(table) == len(hostile) + 2
    assert "<script" not in one.markdown
    one.html.encode("utf-8")


def test_columns_of_a_table_of_tokens_and_sentences_in_its_place():
    frame = pd.DataFrame({"token": ["a"], "delta": [0.5]})
    assert [one.name for one in measures(frame, ["delta"])] == ["Δ"]
    assert "0.500" in heat_view(frame, ["delta"], title="T").plain
    assert heat_view("No model is given.", ["delta"], title="T").plain == "T\nNo model is given."
    with pytest.raises(InputError, match="no excess"):
        measures(frame, ["excess"])


@pytest.mark.parametrize(
    ("tokens", "given", "words"),
    [
        ((), [Measure("p", ())], "at least one token"),
        (("a",), [], "1 to 8 measures, got 0"),
        (("a",), [Measure("p", (1.0, 2.0))], "as many values of p"),
    ],
)
def test_bad_input_is_a_sentence(tokens, given, words):
    with pytest.raises(InputError, match=words):
        heat_map(tokens, given, title="T")
