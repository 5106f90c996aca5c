"""Phi: rotary positions on a part of each head, a bias in the output layer."""

import pytest
import tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-phi"
    return tiny_models.save(folder, "phi", tiny_models.make_tokenizer(bos=False), padding=8)


def test_every_claim_is_judged(judge, notebook, model, claims):
    assert list(judge(notebook, model)) == claims
