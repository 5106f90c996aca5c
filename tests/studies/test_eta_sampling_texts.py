"""Texts for the study of η-sampling: a testbed model's own, a file's, a task's questions."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from replication.decoding.experiment import Experiment
from replication.settings import InputError
from replication.studies import eta_sampling_texts as reading
from replication.studies import top_nsigma_support
from replication.testbed.support import OracleText, Position

SIZES = {"n_texts": 2, "n_questions": 4}


@pytest.fixture
def small(experiment):
    return Experiment(replace(experiment.settings, paper="eta_sampling", sizes=SIZES))


def test_other_models_read_questions(small):
    assert not reading.known(small)
    own = reading.texts(small)
    assert len(own) == 8
    assert {text.kind for text in own} == {"questions"}
    assert reading.texts(small, "validation")[0].ids != own[0].ids
    assert reading.described(small) == [text.ids for text in own]


def test_a_file_is_split_in_halves(small, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("1+1=2\n\n2+2=4\n\n3+3=6\n\n4+4=8\n", encoding="utf-8")
    test = reading.texts(small, texts_file=str(path))
    other = reading.texts(small, "validation", texts_file=str(path))
    lm = small.model()
    assert [lm.decode(t.ids) for t in test] == ["1+1=2", "2+2=4"]
    assert [lm.decode(t.ids) for t in other] == ["3+3=6", "4+4=8"]


def test_files_that_do_not_do_are_refused(small, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        reading.texts(small, texts_file=str(tmp_path / "none.txt"))
    path = tmp_path / "one.txt"
    path.write_text("1+1=2", encoding="utf-8")
    with pytest.raises(InputError, match="at least two"):
        reading.texts(small, texts_file=str(path))


def test_texts_of_a_testbed_model_are_named_without_making_them():
    run = SimpleNamespace(sizes=SIZES, seed=3)
    experiment = SimpleNamespace(model=lambda name="": SimpleNamespace(name="testbed"), settings=run)
    assert reading.known(experiment)
    assert reading.described(experiment, "validation", n=5) == [list(reading.KINDS), 5, "validation", 3]


@pytest.mark.parametrize("name", ["control-08", "testbed-tuned"])
def test_models_of_another_corpus_are_not_held_to_the_ladders_truth(name):
    experiment = SimpleNamespace(model=lambda _="": SimpleNamespace(name=name))
    assert not reading.known(experiment)
    assert not top_nsigma_support.known(experiment)


def test_chunks_number_texts_through_and_do_not_matter(small, monkeypatch):
    lm = small.model()
    own = [reading.Text((1, 2, 3), "a"), reading.Text((4, 5), "a"), reading.Text((2, 2, 2, 2), "b")]
    ((logits, truth, place),) = reading.chunks(lm, own)
    assert truth is None
    assert place["text"].tolist() == [0, 0, 1, 2, 2, 2]
    assert place["index"].tolist() == [1, 2, 1, 1, 2, 3]
    monkeypatch.setattr(reading, "PLACES_AT_ONCE", 1)
    parts = list(reading.chunks(lm, own))
    assert [part[2]["text"].iloc[0] for part in parts] == [0, 1, 2]
    torch.testing.assert_close(torch.cat([part[0] for part in parts]), logits, atol=1e-4, rtol=1e-4)


def test_known_texts_come_with_their_truth(small, monkeypatch):
    lm = small.model()
    text = OracleText((1, 2, 3), (Position(2, {3: 0.25, 4: 0.75}),), "answers")
    monkeypatch.setattr(reading, "PLACES_AT_ONCE", 1)
    first, second = reading.chunks(lm, [text, text])
    logits, truth, place = second
    assert logits.shape == truth.shape == (1, lm.width)
    assert truth[0, 4] == 0.75
    assert place["text"].tolist() == [1]
    assert place["valid"].tolist() == [2]
    torch.testing.assert_close(first[0], logits)
