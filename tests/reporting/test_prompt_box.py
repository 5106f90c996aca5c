import pytest

from replication.reporting.prompt_box import prompt_box
from replication.reporting.view import sentence
from replication.settings import InputError

pytest.importorskip("ipywidgets")


def pressed(look, prompt):
    box = prompt_box(look, prompt)
    box.children[1].click()
    return box.children[2].outputs


def test_the_button_shows_the_views_of_the_prompt():
    asked = []
    (shown,) = pressed(lambda text: [asked.append(text) or sentence("Title", "Words")], "mine")
    assert asked == ["mine"]
    assert "Words" in shown["data"]["text/html"]
    assert shown["output_type"] == "display_data"


def test_bad_input_is_shown_as_a_sentence_and_the_button_works_again():
    def refuse(text):
        raise InputError("The prompt is \x1b too long.")

    box = prompt_box(refuse, "mine")
    box.children[1].click()
    assert box.children[2].outputs[0]["text"] == "The prompt is \ufffd too long.\n"
    assert not box.children[1].disabled
