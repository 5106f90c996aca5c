"""What a notebook says through its report."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from replication.evaluation import Estimate
from replication.reporting import Report
from replication.settings import InputError, NotTestable
from replication.testbed import grown

GOOD = Estimate(0.9, 0.8, 0.95, 50)
BAD = Estimate(0.4, 0.3, 0.5, 50)
WIDE = Estimate(0.3, 0.2, 0.4, 50)


def stored(settings):
    text = (settings.paper_dir / "claims.json").read_text(encoding="utf-8")
    return {entry["claim"]: entry for entry in json.loads(text)}


def test_header_names_settings_but_no_folder(make, shown, tmp_path):
    make().header()
    assert "| paper | A Toy Paper (Ada One; Nowhere 2024) |" in shown[0]
    assert "| model | tiny |" in shown[0]
    assert "| `n` | 10 |" in shown[0]
    assert str(tmp_path) not in shown[0]


def test_header_names_the_larger_model_that_stands_in(make, shown, tmp_path):
    report = make()
    report.settings = replace(report.settings, model="testbed")
    grown.use(tmp_path)
    try:
        report.header()
    finally:
        grown.use(None)
    report.header()
    assert "| model | testbed (testbed-30m) |" in shown[0]
    assert "| model | testbed |" in shown[1]


def test_header_says_whether_a_published_set_is_used_whole(make, shown):
    report = make()
    changed = {"profile": "cpu", "task": "gsm8k", "given": frozenset()}
    report.settings = replace(report.settings, sizes={"n_questions": 200, "n": 10}, **changed)
    report.header()
    report.header(sampled=True)
    assert "| `n_questions` | 200, or all of a published set |" in shown[0]
    assert "| `n_questions` | 200 |" in shown[1]


def test_claims_come_with_their_rule(make, shown):
    make().claims()
    row = "| C1 | A beats B \\| by far. | Table 1 | 20 against 10 | A minus B > 0.05 (partly: > 0.00) |"
    assert row in shown[0]
    assert "| C2 |" in shown[0]
    make("02_second").claims()
    assert "| C1 |" not in shown[1]
    assert "| C2 |" in shown[1]


def test_published_rows(make, shown):
    report = make()
    frame = report.published("table_1")
    assert frame.columns.tolist() == ["method", "score"]
    assert frame["score"].tolist() == [20.0, 10.0]
    report.show_published("table_1")
    assert shown[0].startswith("**Published, table 1 (on 100 questions)**")
    assert "| A | 20.0 |" in shown[0]
    with pytest.raises(InputError, match="No published rows 'table_7' for toy: known are table_1"):
        report.published("table_7")


def test_table_is_stored_and_shown_once(make, shown, settings):
    make().table(pd.DataFrame({"text": ["<script>x</script>"], "gain": [WIDE]}), "table_1", "Gains")
    assert len(shown) == 1
    assert shown[0] == (settings.tables_dir / "table_1.md").read_text(encoding="utf-8")
    assert shown[0].startswith("**Gains** *Run of tiny on stories, profile smoke, seed 0.*\n\n|")
    assert "&lt;script&gt;" in shown[0]
    assert "30.0 [20.0, 40.0]" in shown[0]
    lines = (settings.tables_dir / "table_1.csv").read_text().splitlines()
    assert lines[1] == "<script>x</script>,0.3,0.2,0.4,50"


def test_figure_is_stored_with_its_data(make, shown, settings, monkeypatch):
    from replication.reporting import style

    figures = []
    monkeypatch.setattr(style, "show", lambda figure, picture: figures.append(figure))
    figure, axes = style.panels()
    axes.plot([1, 2], [3, 4])
    make().figure(figure, "figure_5_left", "Accuracy", pd.DataFrame({"k": [1, 2], "accuracy": [0.1, 0.2]}))
    names = sorted(path.name for path in settings.figures_dir.iterdir())
    assert names == [f"figure_5_left.{ending}" for ending in ("csv", "md", "pdf", "png")]
    caption = (settings.figures_dir / "figure_5_left.md").read_text()
    assert caption == f"**Accuracy** *Run of tiny on stories, profile smoke, seed {settings.seed}.*\n"
    assert figures == [figure]
    assert shown == [caption.strip()]
    with pytest.raises(InputError, match="small letters"):
        make().figure(figure, "../x")
    style.plt.close(figure)


def test_branches_are_stored_and_shown(make, shown, settings):
    frame = pd.DataFrame({"text": ["a <b>"], "delta": [0.5], "start": [0], "end": [1]})
    make().branches(frame, "table_13", "Branches", span=("text", "start", "end"))
    assert set(shown[0]) == {"text/html", "text/plain"}
    assert (settings.tables_dir / "table_13.csv").read_text() == "text,delta\na <b>,0.5\n"


def test_a_claim_is_judged_shown_and_stored(make, shown, settings):
    report = make("01_first")
    report.precondition("P1", GOOD)
    report.claim("C1", WIDE)
    line = "**Precondition ✔ met**: P1 (The model can add) asks for at least 0.75, measured 0.90"
    assert shown[0].startswith(line)
    assert shown[1] == (
        "**C1** ✔ reproduced. "
        "Measured 0.30 [0.20, 0.40], n = 50: the whole interval lies above the margin 0.05."
    )
    report.verdicts()
    entries = stored(settings)
    assert entries["C1"]["verdict"] == "reproduced"
    assert entries["C1"]["measured"] == 0.3
    assert entries["C3"]["verdict"] == "not testable"
    assert entries["C3"]["reason"] == "The notebook did not measure it in this run."
    assert "C2" not in entries
    assert "| ✔ reproduced |" in shown[2]


def test_an_unmet_precondition_makes_claims_not_testable(make, shown, settings):
    report = make()
    report.precondition("P1", BAD)
    report.claim("C1", WIDE)
    report.untestable("C3", "It needs a larger model.")
    report.verdicts("01_first")
    assert "✘ not met" in shown[0]
    entries = stored(settings)
    assert entries["C1"]["verdict"] == "not testable"
    reason = "P1 (The model can add) asks for at least 0.75, measured 0.40 [0.30, 0.50]"
    assert reason in entries["C1"]["reason"]
    assert entries["C1"]["measured"] == 0.3
    assert entries["C3"]["reason"] == "It needs a larger model."


def test_a_claim_without_room_is_not_testable(make, shown, settings):
    report = make("01_first")
    report.precondition("P1", GOOD)
    report.judge({"C1": Estimate(0.0, -0.01, 0.01, 50)}, room={"C1": 0.0})
    report.verdicts()
    assert "no amount of data could show it" in shown[1]
    assert stored(settings)["C1"]["verdict"] == "not testable"
    assert stored(settings)["C1"]["measured"] == 0.0


def test_two_notebooks_share_one_file(make, settings):
    second = make("02_second")
    second.claim("C2", Estimate(0.0, -0.05, 0.05, 90))
    second.verdicts()
    first = make("01_first")
    first.precondition("P1", GOOD)
    first.claim("C1", BAD)
    first.verdicts()
    assert list(stored(settings)) == ["C1", "C2", "C3"]
    assert stored(settings)["C2"]["verdict"] == "reproduced"


def test_mistakes_in_the_order_of_calls_are_named(make):
    report = make("01_first")
    with pytest.raises(InputError, match="Unknown claim of toy: 'C9'"):
        report.claim("C9", WIDE)
    with pytest.raises(InputError, match="Unknown precondition of toy: 'P9'"):
        report.precondition("P9", WIDE)
    with pytest.raises(InputError, match="needs precondition\\(s\\) P1: measure them first"):
        report.claim("C1", WIDE)
    with pytest.raises(InputError, match="C2 belongs to the notebook 02_second"):
        report.claim("C2", WIDE)
    free = make()
    free.claim("C2", WIDE)
    with pytest.raises(InputError, match="belong to another notebook than 01_first"):
        free.verdicts("01_first")
    with pytest.raises(InputError, match="notebook's name"):
        free.verdicts()


def test_lists_of_choices_and_full_scale(make, shown):
    report = make()
    report.choices()
    report.deviations()
    report.slips()
    report.controls()
    report.full_scale_only("01_first")
    report.full_scale_only("02_second")
    assert "| A1 | Ties. | first. |" in shown[0]
    assert shown[1:4] == [
        "No deviations from the paper.",
        "No slips in the publication are known.",
        "No further controls.",
    ]
    assert "| table 9 | Large models | It needs a large model. |" in shown[4]
    assert shown[5] == "Nothing here needs full scale."


def test_environment_is_printed_and_stored(make, settings, capsys):
    make("01_first").environment()
    content = json.loads((settings.paper_dir / "environment" / "01_first.json").read_text(encoding="utf-8"))
    assert content["notebook"] == "01_first"
    assert content["device"] == "cpu"
    assert content["seconds"] >= 0
    assert content["versions"]["python"] in capsys.readouterr().out


def test_shipped_paper_can_be_shown_whole(settings, shown):
    import dataclasses

    report = Report(dataclasses.replace(settings, paper="cot_decoding"))
    for method in ("header", "claims", "choices", "deviations", "slips", "controls", "full_scale_only"):
        getattr(report, method)()
    for name in report.paper.published:
        report.show_published(name)
    assert len(shown) == 7 + len(report.paper.published)
    assert all(text.strip() for text in shown)


def test_what_a_model_lacks_ends_the_cell_and_is_the_reason_of_its_claims(make, shown, settings, capsys):
    report = make("01_first")
    report.precondition("P1", GOOD)
    with report.where_testable():
        report.claim("C1", GOOD)
        made = missing_pairs()
        report.claim("C3", made)
    with report.where_testable():
        report.claim("C3", names_that_were_not_made)  # noqa: F821
    report.verdicts()
    report.verdict_words()
    assert "**Not testable**: No pair came of 3 questions." in shown
    assert "**Not testable**, as above." in shown
    found = stored(settings)
    assert {name: one["verdict"] for name, one in found.items()} == {"C1": "reproduced", "C3": "not testable"}
    assert found["C3"]["reason"] == "No pair came of 3 questions."
    assert capsys.readouterr().out.split() == ["C1", "reproduced", "C3", "not", "testable"]


def test_other_mistakes_in_a_cell_are_not_hidden(make):
    report = make("01_first")
    with pytest.raises(NameError), report.where_testable():
        report.claim("C3", names_that_were_not_made)  # noqa: F821
    with pytest.raises(InputError, match="file"), report.where_testable():
        raise InputError("There is no file.")


def missing_pairs():
    raise NotTestable("No pair came of 3 questions.")
