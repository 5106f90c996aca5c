"""Ways of asking for a model: chat templates, revisions and half precision, each through one notebook."""

import json
import shutil

import huggingface_hub
import pytest
import tiny_models

from replication.testbed import models

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return tiny_models.save(folder, "qwen3", tiny_models.make_tokenizer(bos=False, pad=True))


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A model from outside that solves some of the questions: the testbed's, with a chat template."""
    folder = tmp_path_factory.mktemp("models") / "tiny-chat"
    shutil.copytree(models.folder("testbed-tuned"), folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["chat_template"] = "{% for m in messages %}{{ m.content }}{% endfor %}"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture
def pick():
    from replication.workflow import discovery

    found = {notebook.label: notebook for notebook in discovery.notebooks()}
    return found.__getitem__


@pytest.fixture
def enough(tiny_sizes, monkeypatch):
    """Samples of some length, so that a model which can answer does."""
    import dataclasses

    from replication import papers

    load = papers.load

    def larger(name, folder=None):
        card = load(name, folder)
        given = {"n_sampled": 16, "n_iterated": 16, "n_samples": 6, "max_new_tokens": 60, "n_rollouts": 4}
        smoke = {key: given.get(key, value) for key, value in card.profiles["smoke"].items()}
        return dataclasses.replace(card, profiles={**card.profiles, "smoke": smoke})

    monkeypatch.setattr(papers, "load", larger)


@pytest.mark.parametrize(
    "label",
    ["06_dpo_rpo/01_dynamics", "06_dpo_rpo/02_iterations", "07_tdpo/01_divergences",
     "08_cdpo/01_critical_tokens", "08_cdpo/02_contrastive_estimation", "08_cdpo/03_preferences"],
)  # fmt: skip
def test_a_tuned_model_that_answers_is_trained(judge, pick, tuned, enough, label, shown):
    judge(pick(label), f"{tuned}?chat=true")
    assert not any("**Not testable**: No preference pair" in text for text in shown)


def test_a_chat_template_where_there_is_none_is_refused(execute, pick, folder):
    with pytest.raises(ValueError, match="no chat template"):
        execute(pick("01_cot_decoding/01_paths_and_confidence"), f"{folder}?chat=true")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(judge, pick, folder, dtype, results):
    judge(pick("01_cot_decoding/01_paths_and_confidence"), f"{folder}?dtype={dtype}")
    assert (results / f"smoke-tiny-dtype-{dtype}" / "cot_decoding" / "claims.json").is_file()


def test_a_revision_of_a_hub_model(judge, pick, folder, results, tmp_path, monkeypatch):
    place = tmp_path / "models--org--tiny"
    shutil.copytree(folder, place / "snapshots" / COMMIT)
    (place / "refs").mkdir()
    (place / "refs" / "v1").write_text(COMMIT)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    judge(pick("04_eta_sampling/03_repetition"), "org/tiny@v1")
    judge(pick("05_rho1/03_results"), "org/tiny@v1")
    assert (results / "smoke-tiny-v1" / "rho1" / "claims.json").is_file()
    with pytest.raises(ValueError, match="not on this machine"):
        judge(pick("04_eta_sampling/03_repetition"), "org/tiny@v2")
