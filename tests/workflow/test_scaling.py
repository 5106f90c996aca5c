"""Measured work carried over to other sizes, models and tasks; against counts of runs of those sizes."""

import json
from dataclasses import replace

import pytest

from replication.settings import InputError
from replication.workflow import scaling
from replication.workflow.growth import Growth
from replication.workflow.ledger import Entry
from replication.workflow.scaling import Asked
from replication.workflow.shapes import shape

STORIES = "stories:kind=plain,level=3"
PATHS = Entry("branches", "4x128x2048", STORIES, questions=40, paths=10, runs=1, generated=8000, read=1760,
              calls=80, seconds=1.2)  # fmt: skip


def of(paper="cot_decoding", profile="smoke", model="testbed", task=STORIES, usual=STORIES):
    return Asked(paper, profile, model, task, usual)


def one(entry, after, before=None):
    """Return the only piece of an entry that takes no longer than the rules allow."""
    (found,) = scaling.scaled(entry, before or of(), after)
    return found


def test_same_run_is_what_was_measured():
    found = one(PATHS, of())
    assert (found.work.generated, found.work.read, found.work.trained) == (8000, 1760, 0)
    assert found.seconds == pytest.approx(1.2)
    assert found.shape == shape("testbed")


def test_more_questions_mean_more_tokens_but_fewer_seconds_each():
    found = one(PATHS, of(profile="cpu"))  # 200 questions for 40
    assert found.work.generated == 5 * 8000
    assert 1.2 < found.seconds < 5 * 1.2


def test_other_stages_of_other_sizes_are_not_touched():
    fixed = replace(PATHS, questions=17)
    assert one(fixed, of(profile="cpu")).work.generated == 8000


def test_work_without_a_model_keeps_its_seconds():
    rest = one(Entry("", seconds=15.0), of(profile="cpu"))
    assert rest.shape is None
    assert rest.seconds == 15.0


def test_time_beyond_what_the_model_can_have_taken_stays():
    slow = replace(PATHS, seconds=30.0)
    rest, model = scaling.scaled(slow, of(), of())
    assert rest.shape is None
    assert rest.seconds + model.seconds == pytest.approx(30.0)
    again, more = scaling.scaled(slow, of(), of(profile="cpu"))
    assert again.seconds == rest.seconds
    assert more.seconds > model.seconds


def test_time_of_scoring_grows_with_the_texts():
    scoring = Entry("recovery", "4x128x2048", runs=1, read=8000, calls=3, seconds=7.0)
    run = of("top_nsigma")
    found = one(scoring, of("top_nsigma", "cpu"), run)  # 100 texts for 20
    assert found.work.read == 5 * 8000
    assert found.seconds == pytest.approx(5 * 7.0, rel=0.2)


def test_model_outside_of_stages_has_its_own_share_of_the_time():
    entry = Entry("", "3x64x2048", runs=1, trained=153_600, calls=51, seconds=27.0)
    run = of("testbed", task="", usual="")
    rest, trained = scaling.scaled(entry, run, of("testbed", "gpu", task="", usual=""))  # 2 chunks for 1
    assert trained.work.trained == 2 * 153_600
    assert rest.shape is None
    assert 5 < rest.seconds < 25
    rest, again = scaling.scaled(entry, run, run)
    assert rest.seconds + again.seconds == pytest.approx(27.0)


def test_published_task_has_its_own_lengths_and_all_its_questions():
    after = of(profile="cpu", model="mistralai/Mistral-7B-v0.1", task="gsm8k")
    found = one(PATHS, after)
    assert found.shape.name == "mistralai/Mistral-7B-v0.1"
    assert found.work.generated == pytest.approx(1319 * 10 * 160)
    limited = replace_sizes(after, max_new_tokens=50)
    assert one(PATHS, limited).work.generated == pytest.approx(1319 * 10 * 50)


def test_files_say_how_many_questions_there_are_and_how_long(tmp_path):
    lines = [json.dumps({"question": "x" * 400, "answer": "#### 1"}) for _ in range(30)]
    (tmp_path / "test.jsonl").write_text("\n".join(lines))
    known = of(profile="cpu", model="mistralai/Mistral-7B-v0.1", task="gsm8k")
    after = replace(known, data_dir=str(tmp_path))
    found = one(PATHS, after)
    assert found.work.generated == pytest.approx(30 * 10 * 160)
    assert after.texts.question == 106
    with pytest.raises(InputError):
        one(PATHS, replace(after, data_dir=str(tmp_path / "nowhere")))


def replace_sizes(run, **changes):
    """Return the run with other sizes than its profile's."""
    run.__dict__["sizes"] = dict(run.sizes) | changes  # where the cached property looks
    run.__dict__.pop("texts", None)
    return run


def test_further_worlds_stay_but_a_stranger_answers_to_the_limit():
    lies = replace(PATHS, task="lies")
    same = one(lies, of(task="stories"))
    assert same.work.generated == 8000
    stranger = one(lies, of(model="mistralai/Mistral-7B-v0.1", task="gsm8k"))
    assert stranger.work.generated == pytest.approx(40 * 10 * 70)


def test_ladder_is_asked_only_in_runs_of_the_testbed():
    small = replace(PATHS, model="3x64x2048", seconds=0.1)
    assert one(small, of(profile="cpu")).shape.name == "testbed-small"
    assert one(small, of(profile="gpu")).shape.name == "testbed-10m"
    assert list(scaling.scaled(small, of(), of(model="mistralai/Mistral-7B-v0.1", task="gsm8k"))) == []
    control = replace(PATHS, model="1x8x99", seconds=0.01)
    assert one(control, of(profile="gpu")).shape.mark == "1x8x99"


def test_profile_for_gpus_has_the_larger_models():
    assert one(PATHS, of(profile="gpu")).shape.name == "testbed-30m"


def test_trainings_follow_the_models_that_a_size_names():
    before, after = (of("cdpo", profile, task=STORIES) for profile in ("smoke", "cpu"))
    training = Entry("dpo", "3x64x2048", runs=2, trained=1000, calls=10, seconds=0.1)
    found = list(scaling.scaled(training, before, after))
    assert [each.shape.name for each in found] == ["testbed-small", "testbed"]
    # 24 -> 240 questions, 1 -> 2 epochs, 1 -> 3 seeds, 2 -> 4 cells, shared by two models
    assert [each.work.trained for each in found] == [1000 * 10 * 2 * 3 * 2 / 2] * 2
    hub = list(scaling.scaled(training, before, of("cdpo", "cpu", "mistralai/Mistral-7B-v0.1")))
    assert [each.shape.name for each in hub] == ["mistralai/Mistral-7B-v0.1"]
    assert hub[0].work.trained == pytest.approx(1000 * 10 * 2 * 3 / 2)  # one cell for two


def test_packed_blocks_do_not_grow_with_the_texts():
    before = of("rho1", usual=STORIES)
    after = of("rho1", "smoke", "mistralai/Mistral-7B-v0.1", "gsm8k", STORIES)
    training = Entry("clm", "3x64x2048", runs=1, generated=100, read=50, trained=1000, calls=10, seconds=0.1)
    found = one(training, after, before)
    assert (found.work.trained, found.work.read) == (1000, 50)
    assert found.work.generated > 500  # answers do


def test_tasks_of_unknown_lengths_are_refused():
    with pytest.raises(InputError, match="gsm8k, math500"):
        one(PATHS, of(task="riddles"))


def test_growth_is_read_from_the_paper():
    assert isinstance(of().growth, Growth)
