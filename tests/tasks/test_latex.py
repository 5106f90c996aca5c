from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.tasks import latex, latex_worker

EQUAL = [
    (r"\frac{1}{2}", "0.5"),
    (r"\dfrac12", r"\frac{1}{2}"),
    ("1/2", r"\frac{1}{2}"),
    (r"10,\!080", "10080"),
    (r"\$32,\!348", "32348"),
    (r"11,\! 111,\! 111,\! 100", "11111111100"),
    (r"90^\circ", "90"),
    (r"864 \mbox{ inches}^2", "864"),
    (r"\text{Evelyn}", "evelyn"),
    ("(C)", r"\text{(C)}"),
    ("1,-2", "-2,1"),
    (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\pi/2)"),
    ("2(k+1)", "2k+2"),
    (r"1+\sqrt{19},1-\sqrt{19}", r"1 \pm \sqrt{19}"),
    (r"\begin{pmatrix} -1/3 \\ 2/3 \end{pmatrix}", r"\begin{pmatrix} -\frac13 \\ \frac23 \end{pmatrix}"),
    ("5", "x=5"),
    ("18.00", "18"),
    (r"50\%", "50"),
    (r"137\frac{1}{2}", "137.5"),
]
DIFFERENT = [
    ("2", "3"),
    ("", "3"),
    ("{", "3"),
    ("}", "{"),
    ("5}\\boxed{3", "3"),
    ("[3,4]", "(3,4]"),
    ("3.14159", r"\pi"),
    (r"\text{odd}", r"\text{even}"),
    ("(4,2)", "(2,4)"),
    (r"\frac{1}{0}", "0"),
    ("1" * 2_000, "1"),
    ("\\", "1"),
]
FOUND = [
    (r"so \boxed{5}.", "5"),
    (r"\boxed{3} or rather \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    (r"\boxed{ 7 }", "7"),
    (r"\boxed{3} then \boxed{4", "3"),
    (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
    ("we get $x+1$ here", "x+1"),
    ("it costs $5 and $6", "6"),
    ("the answer is 1,200.", "1,200"),
    (r"\boxed{} so 4", "4"),
]


@pytest.mark.parametrize(("value", "gold"), EQUAL)
def test_equal(value, gold):
    assert latex.equal(value, gold)


@pytest.mark.parametrize(("value", "gold"), DIFFERENT)
def test_different(value, gold):
    assert not latex.equal(value, gold)


@pytest.mark.parametrize(("text", "held"), FOUND)
def test_find(text, held):
    start, end = latex.find(text)
    assert text[start:end] == held


def test_nothing_to_find():
    assert latex.find("no answer") is None
    assert latex.boxed("boxed{5}") is None


def test_a_list_does_not_become_a_number():
    once = latex.normalise("3, 500")
    assert latex.normalise(once) == once != "3500"
    assert latex.normalise("3,500") == "3500"


def test_comparison_without_end_is_stopped_and_the_next_one_works(monkeypatch):
    monkeypatch.setattr(latex, "_HELPER", latex._Helper())
    assert not latex._HELPER.ask("9^{9^{9^{9}}}", "3")
    assert latex._HELPER.process is None
    assert latex._HELPER.ask("x+1", "1+x")
    latex._HELPER.stop()


def test_a_helper_that_does_not_start_is_told(monkeypatch):
    monkeypatch.setattr(latex, "READY", "never said")
    helper = latex._Helper()
    with pytest.raises(RuntimeError, match="math-verify does not run"):
        helper.ask("1", "1")
    assert helper.process is None


def test_comparison_works_in_threads():
    pairs = [(f"{n}x+x", f"{n + 1}x") for n in range(2, 8)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda pair: latex.equal(*pair), pairs))


def test_comparison_of_what_cannot_be_read():
    assert latex_worker.compare("x+1", "1+x")
    assert not latex_worker.compare("\\frac{", "1")


@given(st.text(max_size=40) | st.text(alphabet="\\dfractexboxed{}() ,.!$%^0123456789ckm~", max_size=40))
def test_normalise_never_raises(text):
    assert isinstance(latex.normalise(text), str)


@given(st.text(alphabet="xyk+-0123456789 ", max_size=12))
def test_normalise_is_stable_on_simple_expressions(text):
    once = latex.normalise(text)
    assert latex.normalise(once) == once
