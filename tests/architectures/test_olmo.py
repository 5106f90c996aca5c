"""OLMo: layer norms without weights, no BOS."""

import pytest
import tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-olmo"
    return tiny_models.save(folder, "olmo", tiny_models.make_tokenizer(bos=False))


def test_every_claim_is_judged(judge, notebook, model, claims):
    assert list(judge(notebook, model)) == claims
