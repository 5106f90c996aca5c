import base64
import json
import shutil
import subprocess

import numpy as np
import pytest
import torch

from replication.reporting.kept_sets import SLIDERS, kept_view, script, state
from replication.reporting.kept_sets_plot import kept_plot, picture, pictured
from replication.settings import InputError
from replication.studies.distributions import kept, probabilities
from replication.studies.samplers import Sampler

TEMPERATURES = (0.7, 1.0, 1.5, 2.0, 3.0)
GRID = {
    "top-k": (1, 7, 60, 290), "top-p": (0.3, 0.9, 0.99), "min-p": (0.01, 0.1, 1.0), "top-nσ": (0.0, 1.0, 2.5),
    "ε": (1e-4, 1e-3, 0.05), "η": (1e-4, 1e-3, 0.05),
}  # fmt: skip
CASES = [(rule, value, t) for rule, values in GRID.items() for value in values for t in TEMPERATURES]


def evaluate(packed, cases):
    """What the page's script finds for (rule, value, temperature) cases, by node or else by chromium."""
    job = f"""{script()}
    const state = {json.dumps(packed)}, cases = {json.dumps(cases)};
    const found = cases.map(([rule, value, T]) => keptSets(state, T, {{[rule]: value}}).rules[rule]);"""
    node, chromium = shutil.which("node"), shutil.which("chromium")
    if node:
        job += "console.log(JSON.stringify(found));"
        done = subprocess.run([node, "-"], input=job, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)
    if not chromium:
        pytest.skip("neither node nor chromium is there to run the page's script")
    return json.loads(browsed(f"<p id=x></p><script>{job} x.textContent = JSON.stringify(found)</script>"))


def browsed(page):
    """The text of a page's first paragraph after its scripts have run."""
    url = "data:text/html;charset=utf-8;base64," + base64.b64encode(page.encode()).decode()
    command = [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", url]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return dom.partition('<p id="x">')[2].partition("</p>")[0]


def rows(n=300, seed=0):
    """A distribution with some probable tokens, and one token that is excluded."""
    logits = np.random.default_rng(seed).normal(0, 2, n).astype(np.float32)
    logits[:5] += np.array([9, 8, 6, 5, 4], dtype=np.float32)
    logits[17] = -np.inf
    return logits


def test_the_script_keeps_what_the_rules_keep():
    logits = rows()
    packed, found = state(logits, [], {}), evaluate(state(logits, [], {}), CASES)
    assert packed["exact"]
    assert packed["size"] == 299
    order = np.argsort(-logits, kind="stable")
    for (rule, value, temperature), one in zip(CASES, found, strict=True):
        keep = Sampler(rule, value).keep(torch.from_numpy(logits)[None], temperature)[0].numpy()
        # The kept ones are the first of the order, so the number says which they are.
        assert keep[order[: one["count"]]].all(), (rule, value, temperature)
        assert keep.sum() == one["count"] == one["first"], (rule, value, temperature)
        assert one["mass"] == pytest.approx(probabilities(logits, temperature)[keep].sum(), abs=1e-5)


def test_ties_are_kept_together_as_by_the_rules():
    logits = np.array([2.0, 2.0, 1.0, 1.0, 1.0, 0.0], dtype=np.float32)
    cases = [("top-k", 3, 1.0), ("min-p", 0.36, 1.0), ("top-nσ", 0.0, 1.0), ("ε", 0.99, 1.0), ("η", 0.4, 2.0)]
    for (rule, value, temperature), one in zip(cases, evaluate(state(logits, [], {}), cases), strict=True):
        keep = Sampler(rule, value).keep(torch.from_numpy(logits)[None], temperature)[0]
        assert one["count"] == int(keep.sum()), rule


def test_a_large_vocabulary_is_counted_in_bins_and_close():
    logits = np.random.default_rng(1).normal(0, 2, 30_000).astype(np.float32)
    packed = state(logits, [], {})
    assert not packed["exact"]
    assert len(json.dumps(packed)) < 12_000
    assert len(packed["logits"]) + sum(count for _, count in packed["tail"]) == 30_000
    cases = [(rule, value, t) for rule, value, t in CASES if not (rule == "min-p" and value == 1.0)]
    for (rule, value, temperature), one in zip(cases, evaluate(packed, cases), strict=True):
        keep = Sampler(rule, value).keep(torch.from_numpy(logits)[None], temperature)[0].numpy()
        mass = probabilities(logits, temperature)[keep].sum()
        # A bin is kept or cut as a whole by thresholds.
        assert one["count"] == pytest.approx(keep.sum(), rel=0.08, abs=3), (rule, value, temperature)
        assert one["mass"] == pytest.approx(mass, abs=0.03), (rule, value, temperature)


def view(logits, tokens, **options):
    samplers = [Sampler(rule, values[1]) for rule, values in GRID.items()]
    found = kept(logits, range(len(tokens)), samplers, TEMPERATURES)
    return kept_view(logits, tokens, found, title="T", note="n = 1", **options), found


def test_without_a_script_the_sets_are_in_every_form(seen):
    one, found = view(rows(), [f"t{i}" for i in range(20)])
    page = seen(one.html)
    cell = found[(found["rule"] == "top-p") & (found["temperature"] == 2.0)].iloc[0]
    for form in (page.text, one.markdown, one.plain):
        assert f"{cell['count']} ({100 * cell['mass']:.1f} %)" in form
        assert "kpmnεη" in form
        assert "k = top-k" in form
    assert page.tags.count("script") == 1
    assert len(one.data) == len(GRID) * len(TEMPERATURES)


def test_hostile_tokens_are_text_and_the_page_holds_one_script(hostile, seen):
    one, _ = view(rows(), hostile)
    page = seen(one.html)
    (state_,) = [value for _, name, value in page.attributes if name == "data-state"]
    assert json.loads(state_)["tokens"][0] == "<script>alert(1)</script>"
    assert len(page.scripts) == 1
    assert script() in page.scripts[0]
    assert not page.handlers
    assert "</" not in script()
    assert "innerHTML" not in script()
    one.html.encode("utf-8")


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not there to open the page")
def test_the_sliders_work_in_a_browser():
    one, _ = view(rows(), [f"t{i}" for i in range(20)])
    check = """<p id=x></p><script>
    const slider = document.querySelector('input[type=range]'), box = document.querySelector('fieldset');
    const before = box.innerText;
    slider.value = 200; slider.dispatchEvent(new Event('input'));
    const after = box.innerText;
    x.textContent = [document.querySelectorAll('input').length, before !== after].join(' ');</script>"""
    assert browsed(one.html + check) == "7 true"


def test_bad_input_is_a_sentence():
    found = kept(rows(), range(3), [Sampler("typical", 0.9)], (1.0,))
    with pytest.raises(InputError, match="no slider for typical"):
        kept_view(rows(), ["a"], found, title="T")
    with pytest.raises(InputError, match="mass"):
        kept_view(rows(), ["a"], found.drop(columns="mass"), title="T")
    for bad in ([np.nan, 1.0], [-np.inf, -np.inf], [np.inf, 1.0]):
        with pytest.raises(InputError, match="finite"):
            state(np.array(bad), [], {})
    assert set(GRID) == set(SLIDERS)


def test_the_picture_has_a_panel_for_each_temperature():
    found = kept(rows(), range(24), [Sampler("top-k", 3), Sampler("min-p", 0.1)], (1.0, 2.0))
    figure = kept_plot(found, {t: probabilities(rows(), t)[:24] for t in (1.0, 2.0)})
    assert [axes.get_title() for axes in figure.axes] == ["T = 1", "T = 2"]
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["min-p 0.1", "top-k 3", "probability"]
    filled = [patch for patch in figure.axes[0].patches if patch.get_facecolor()[:3] != (1.0, 1.0, 1.0)]
    assert len(filled) == int(found[found["temperature"] == 1.0]["kept"].map(sum).sum())
    first = picture(figure)
    assert first.startswith(b"\x89PNG")


def test_the_view_with_its_picture_is_both():
    one = rows()
    found = kept(one, range(24), [Sampler("ε", 0.0073618), Sampler("min-p", 0.1)], (1.0, 2.0))
    heights = {t: probabilities(one, t)[:24] for t in (1.0, 2.0)}
    names = [f"t{i}" for i in range(24)]
    view = pictured(one, names, found, heights, title="T", note="N")
    assert view.png == picture(kept_plot(found, heights))
    assert view.html == kept_view(one, names, found, title="T", note="N").html
    assert "ε = 0.007362" in view.plain
