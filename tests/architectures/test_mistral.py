"""Mistral: a pad token of its own."""

import pytest
import tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-mistral"
    return tiny_models.save(folder, "mistral", tiny_models.make_tokenizer(pad=True))


def test_every_claim_is_judged(judge, notebook, model, claims):
    assert list(judge(notebook, model)) == claims
