"""GPT-2: learnt positions that end, no BOS, no pad token."""

import pytest
import tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-gpt2"
    return tiny_models.save(folder, "gpt2", tiny_models.make_tokenizer(bos=False))


def test_every_claim_is_judged(judge, notebook, model, claims):
    assert list(judge(notebook, model)) == claims
