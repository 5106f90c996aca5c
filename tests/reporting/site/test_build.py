"""The whole site of a small run, as files and in a real browser: complete, safe, offline, readable."""

import importlib.metadata
import re
import shutil
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from replication.reporting.site import build as building
from replication.reporting.site.build import build
from replication.settings import InputError

pytestmark = pytest.mark.slow
PAGES = (
    "index.html",
    "papers/min_p/index.html",
    "papers/min_p/01_temperature.html",
    "api/decoding.html",
    "search.html",
)
PHONE, DESK = 390, 1280


@pytest.fixture(scope="module")
def made(toy_run):
    pytest.importorskip("sphinx", reason="the extra `site` is not installed")
    return build(toy_run, rooms=("decoding",))


@pytest.fixture(scope="module")
def site(made):
    return made.index.parent


@pytest.fixture(scope="module")
def texts(site):
    return {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


@pytest.fixture
def page(browser, site):
    """Open a page of the site as a file, on a desk or a phone."""

    def show(name, width=DESK, scheme="light"):
        browser.size(width)
        browser.scheme(scheme)
        browser.requests.clear()
        browser.errors.clear()
        file, _, rest = name.partition("?")
        browser.open("about:blank")
        browser.open((site / file).as_uri() + (f"?{rest}" if rest else ""))
        return browser

    return show


def test_sphinx_finds_nothing_odd(made):
    assert made.warnings == []
    assert made.fresh


def test_a_site_that_is_up_to_date_is_kept(made, toy_run):
    started = time.monotonic()
    again = build(toy_run, rooms=("decoding",))
    assert not again.fresh
    assert again.index == made.index
    assert time.monotonic() - started < 5


def test_nothing_is_left_beside_the_site(toy_run, made):
    assert not [path for path in toy_run.iterdir() if path.name.startswith(".site")]


def test_a_site_names_no_folder_of_this_machine(site, toy_run):
    kinds = {".html", ".js", ".css", ".inv"}
    texts = [path.read_text(encoding="utf-8") for path in site.rglob("*") if path.suffix in kinds]
    assert len(texts) > 10
    assert not [text for text in texts if str(toy_run.parents[1]) in text]


def test_every_link_leads_to_a_file_and_to_a_place_in_it(texts, site):
    broken = []
    for path, text in texts.items():
        for link in re.findall(r'(?:href|src)="([^"]*)"', text):
            address = urlsplit(link.replace("&amp;", "&"))
            if address.scheme:
                assert address.scheme in ("https", "data"), link
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            place = unquote(address.fragment)
            if not target.exists() or (place and target in texts and f'id="{place}"' not in texts[target]):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_files_are_offered_as_they_are(site, toy_run):
    for name in (
        "notebooks/01_temperature.ipynb", "tables/main_table.csv", "figures/quality_and_diversity.pdf",
    ):  # fmt: skip
        offered = site / "downloads" / "min_p" / name
        assert offered.read_bytes() == (toy_run / "min_p" / name).read_bytes()
        assert f"downloads/min_p/{name}" in (site / "papers/min_p/index.html").read_text()


def test_every_image_is_described(texts):
    images = [image for text in texts.values() for image in re.findall(r"<img\b[^>]*>", text)]
    assert len(images) >= 4
    assert not [image for image in images if not re.search(r'alt="[^"]+"', image)]
    assert any("What was found: The caption of the figure" in image for image in images)


def test_formulas_need_no_script(texts, site):
    text = texts[site / "papers/min_p/01_temperature.html"]
    assert text.count("<math") >= 3  # in the title, in a line, on its own
    assert "mathjax" not in " ".join(re.findall(r"<script[^>]*>", text)).lower()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_a_disk_without_error_and_asks_for_nothing_else(page, name):
    shown = page(name)
    assert shown.errors == []
    assert len(shown.requests) > 3
    assert not [url for url in shown.requests if not url.startswith(("file:", "data:", "about:"))]


@pytest.mark.parametrize("name", PAGES[:3])
def test_what_a_model_wrote_is_seen_and_does_not_act(page, name):
    shown = page(name)
    assert shown.run("typeof window.hacked") == "undefined"
    assert shown.run("document.querySelectorAll('article script, article iframe').length") == 0
    acting = "[...document.querySelectorAll('article *')].flatMap((e) => [...e.attributes])"
    bad = f"{acting}.filter((a) => /^on/.test(a.name) || /^javascript:/.test(a.value)).length"
    assert shown.run(bad) == 0
    assert "<script>window.hacked = 1</script>" in shown.run("document.body.textContent")
    assert "root:" not in shown.run("document.body.textContent")


def test_search_works_from_a_disk(page):
    shown = page("search.html?q=temperature")
    shown.wait("document.body.innerText.includes('Search finished')")
    links = shown.run("[...document.querySelectorAll('ul.search li a')].map((a) => a.href)")
    found = next(link for link in links if "papers/min_p/index.html" in link)
    assert shown.errors == []
    shown.open(found)
    shown.wait("document.querySelectorAll('span.highlighted').length > 0")
    assert shown.errors == []


def test_claims_are_filtered_by_verdict_paper_and_text(page):
    shown = page("index.html")
    count = "[...document.querySelectorAll('table.claims tbody tr')].filter((r) => r.offsetHeight).length"
    total = shown.run("document.querySelectorAll('table.claims tbody tr').length")

    def choose(name, value):
        shown.run(
            f"(() => {{ const e = document.querySelector('form.filter').elements.{name}; e.value = {value!r};"
            "e.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )
        return shown.run(count)

    assert shown.run(count) == total > 20
    assert choose("verdict", "not reproduced") == 1
    assert choose("paper", "cot_decoding") == 0
    assert choose("verdict", "") > 5
    assert choose("paper", "") == total
    assert choose("text", "TOP-P low temperature comparable") == 1
    assert shown.run("document.querySelector('form.filter output').value") == f"1 of {total} claims shown"
    shown.run("location.hash = 'min_p-C1a'")
    shown.wait(f"{count} === {total}")


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_scrolls_down_only(page, name):
    shown = page(name, PHONE)
    assert shown.run("document.documentElement.scrollWidth") <= PHONE
    assert shown.run("document.body.scrollWidth") <= PHONE


def test_a_wide_table_scrolls_inside_and_by_keyboard(page):
    shown = page("papers/min_p/01_temperature.html", PHONE)
    wide = "[...document.querySelectorAll('.wide')].filter((e) => e.scrollWidth > e.clientWidth)"
    assert shown.run(f"{wide}.length") > 0
    assert shown.run(f"{wide}.every((e) => e.tabIndex === 0)")


NOTEBOOK = PAGES[2]
SEEN = "[...document.querySelectorAll('.tv-heat [class^=tv-panel-]')].map((e) => e.checkVisibility())"


def texts_of(selector):
    """A script for the texts of some elements."""
    return f"[...document.querySelectorAll({selector!r})].map((e) => e.textContent)"


def test_a_heat_map_shows_the_measure_that_is_chosen(page):
    shown = page(NOTEBOOK)
    names = shown.run(texts_of(".tv-heat fieldset label"))
    assert names[0].strip() == "probability"
    assert names[1].strip().startswith("Δ <script>window.hacked = 1</script>")
    assert shown.run(SEEN) == [True, False]
    shown.run("document.querySelectorAll('.tv-heat input')[1].click()")
    assert shown.run(SEEN) == [False, True]


def test_sliders_of_kept_sets_move_what_is_kept(page):
    shown = page(NOTEBOOK)
    assert shown.run(texts_of(".tv-kept .tv-sliders label > span")) == [
        "T",
        "top-k",
        "top-p",
        "min-p",
        "top-nσ",
        "ε",
        "η",
    ]
    kept = texts_of(".tv-kept fieldset tbody tr:first-child .tv-n")
    before = shown.run(kept)
    move = "(e) => { e.value = 200; e.dispatchEvent(new Event('input')); }"
    shown.run(f"({move})(document.querySelectorAll('.tv-kept input')[1])")
    after = shown.run(kept)
    assert (before[0], after[0]) == ("10", "25")  # top-k from 10 to all
    assert before[1:] == after[1:]
    assert shown.errors == []


def test_views_without_scripts_show_everything(page, browser):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        shown = page(NOTEBOOK)
        assert shown.run("document.querySelectorAll('.tv fieldset').length") == 0
        assert shown.run(SEEN) == [True, True]
        text = shown.run("document.querySelector('.tv-kept .tv-static').innerText")
        assert "top-k = 10" in text
        assert "T = 1.5" in text
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_view_stays_within_its_column(page, width):
    shown = page(NOTEBOOK, width)
    outside = "[...document.querySelectorAll('.tv')].map((e) => e.scrollWidth - e.clientWidth)"
    assert shown.run(outside) == [0, 0]
    hidden = "[...document.querySelectorAll('.tv .tv-wide')].filter((e) => e.scrollWidth > e.clientWidth)"
    assert shown.run(f"{hidden}.every((e) => e.tabIndex === 0)")


def test_a_search_page_has_a_heading_before_anything_is_searched_for(page):
    assert page("search.html").run(texts_of("h1")) == ["Search"]


def test_code_is_folded_away_until_it_is_asked_for(page):
    shown = page("papers/min_p/01_temperature.html")
    count = "[...document.querySelectorAll('.cell pre')].filter((e) => e.checkVisibility()).length"
    before = shown.run(count)
    shown.run("document.querySelector('button.all-code').click()")
    assert shown.run(count) == before + 2


def test_dark_mode_follows_the_system_and_the_button(page):
    light = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert page("index.html").run(light) > 200
    shown = page("index.html", scheme="dark")
    assert shown.run(light) < 60
    seen = set()
    for _press in range(3):
        shown.run("[...document.querySelectorAll('.theme-toggle')].find((b) => b.offsetWidth).click()")
        seen.add((shown.run("document.body.dataset.theme"), shown.run(light) > 200))
    assert seen == {("light", True), ("dark", False), ("auto", False)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [name for name in PAGES if "api/" not in name])  # long pages
def test_readable_for_everyone(page, name, scheme):
    """axe-core finds nothing: contrast, names, headings, tables, keyboard."""
    shown = page(name, scheme=scheme)
    try:
        package = importlib.metadata.distribution("axe-core-python")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("axe-core-python is not installed (extra `test`)")
    shown.run(Path(package.locate_file("axe_core_python/axe.min.js")).read_text(encoding="utf-8"))
    found = shown.run(
        "axe.run({resultTypes: ['violations']}).then((r) => r.violations"
        ".map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 150)).join(' | ')}`))"
    )
    assert found == []


def test_a_run_without_notebooks_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"No executed notebook was found in .*: run `make reproduce` first"):
        build(tmp_path)


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "NEEDED", ("sphinx", "no_such_theme"))
    with pytest.raises(InputError, match=r"The site needs no_such_theme: run `make setup`"):
        build(tmp_path)


def test_a_failed_build_leaves_the_site_of_before(toy_run, site, tmp_path, monkeypatch):
    other = tmp_path / "cpu-other"
    shutil.copytree(toy_run, other)
    (other / "manifest.json").write_text("{}")
    before = (other / "site" / "index.html").read_bytes()
    monkeypatch.setattr(building, "CONFIGURATION", tmp_path / "nowhere")
    with pytest.raises(RuntimeError, match="Sphinx stopped with code"):
        build(other, rooms=())
    assert (other / "site" / "index.html").read_bytes() == before
    assert not list(other.glob(".site*"))
