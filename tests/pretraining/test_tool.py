"""Generation with a tool, on a stand-in for the engine that plays a script."""

import pandas as pd
import pytest

from replication.pretraining import tool
from replication.testbed import web


class Characters:
    """A model whose tokens are characters."""

    def encode(self, text):
        return [ord(c) for c in text]

    def prompt(self, text, start=""):
        return self.encode(text + start)

    def decode(self, ids):
        return "".join(map(chr, ids))


def play(monkeypatch, script):
    """Make the engine go on with the rest of each prompt's script up to a stop string."""
    asked = []

    def generate(lm, prompts, *, ids, max_new_tokens, stop):
        rows = []
        for name, prompt in zip(ids, prompts, strict=True):
            sofar = lm.decode(prompt)
            asked.append(sofar)
            rest = script(name, sofar)[:max_new_tokens]
            places = [(rest.find(s), s) for s in stop if s in rest]
            place, found = min(places, default=(len(rest), ""))
            finish = "stop" if found else "eos"
            rows.append((name, rest[:place], lm.encode(rest[:place] + found), finish))
        return pd.DataFrame(rows, columns=["question", "text", "tokens", "finish"])

    monkeypatch.setattr(tool.engine, "generate", generate)
    return asked


def run(prompts):
    return tool.generate(
        Characters(), prompts, [f"q{i}" for i in range(len(prompts))], tool=web.tool_call,
        trigger=web.TOOL_EQUALS, stop=("\n",), max_new_tokens=60,
    )  # fmt: skip


def rest_of(whole):
    """A script that goes on with a fixed text, from where the results of the tool leave off."""

    def script(name, sofar):
        answer = sofar.partition("A:")[2]
        plain = whole[name]
        done = 0
        for piece in answer.split(">>"):
            done += piece.count("=")
        parts = plain.split("=")
        return "=".join([*parts[done:]]) if done else plain

    return script


def test_calls_are_carried_out_and_their_results_put_in(monkeypatch):
    asked = play(monkeypatch, rest_of({"q0": " <<12+5=. <<17-3=. The answer is 14."}))
    found = run(["Q A:"])
    assert found["text"][0] == " <<12+5=17>>. <<17-3=14>>. The answer is 14."
    assert found["calls"][0] == 2
    assert asked[1].endswith("<<12+5=17>>")


def test_an_equals_sign_outside_a_call_is_text(monkeypatch):
    play(monkeypatch, rest_of({"q0": " 12+5=17. The answer is 17."}))
    found = run(["Q A:"])
    assert (found["text"][0], found["calls"][0]) == (" 12+5=17. The answer is 17.", 0)


def test_a_call_that_cannot_be_carried_out_says_so(monkeypatch):
    play(monkeypatch, rest_of({"q0": " <<7/2=. The answer is 3."}))
    assert "<<7/2=error>>" in run(["Q A:"])["text"][0]


def test_a_model_that_never_stops_calling_is_stopped(monkeypatch):
    play(monkeypatch, lambda name, sofar: " <<1+1=")
    found = run(["Q A:"])
    assert found["calls"][0] == tool.MOST_PAUSES + 1


def test_rows_are_independent(monkeypatch):
    texts = {"q0": " The answer is 3.", "q1": " <<1+2=. The answer is 3."}
    play(monkeypatch, rest_of(texts))
    both = run(["Q A:", "R A:"])
    assert both["calls"].tolist() == [0, 1]
    assert both["text"][0] == texts["q0"]


@pytest.mark.parametrize("stop", ["\n"])
def test_another_stop_string_ends_the_answer(monkeypatch, stop):
    play(monkeypatch, rest_of({"q0": f" yes.{stop}Q: more <<1+1="}))
    assert run(["Q A:"])["text"][0] == " yes."
