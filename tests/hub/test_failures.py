"""What a user reads when the hub refuses, fails or falls silent, and that no broken file is ever used."""

from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow


def changed(repository, bit: int) -> dict[str, bytes]:
    """The files of a model with one bit of its last weight turned, so that no blob is in the cache yet."""
    files = dict(repository.commits[repository.names["main"]])
    weights = bytearray(files["model.safetensors"])
    weights[-1] ^= bit
    return files | {"model.safetensors": bytes(weights)}


def refused(answer: SimpleNamespace) -> str:
    """The sentence of a refusal: an `InputError` of one line."""
    assert answer.kind == "InputError", answer
    assert "\n" not in answer.error
    return answer.error


def test_what_the_hub_does_not_give(ask, shipped):
    shipped("org/open")
    shipped("org/closed", gated=True)
    shipped("org/pickled", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    shipped("org/notes", {"README.md": b"x"})
    cases = {
        "org/closed": "is gated: accept its licence at https://huggingface.co/org/closed and set HF_TOKEN",
        "org/nothing": "The hub has no model 'org/nothing'",
        "org/open@v9": "The model 'org/open' has no revision 'v9'",
        "org/pickled": "has no safetensors weights, and pickled ones are never loaded",
        "org/notes": "has no config.json: it is not a transformers model",
    }
    for name, sentence in cases.items():
        assert sentence in refused(ask("locate", name))
    assert ask("locate", "org/open").result == {"offline": False, "revision": ""}


def test_a_hub_out_of_order(ask, shipped, mirror):
    shipped("org/down")
    with mirror.failing("500"):
        assert "is not on this machine and the hub answered with status 500" in refused(
            ask("locate", "org/down")
        )
    with mirror.failing("drop"):
        assert "is not on this machine and the hub cannot be reached" in refused(ask("locate", "org/down"))


def test_a_model_on_this_machine_outlives_the_hub(ask, shipped, mirror):
    shipped("org/kept")
    first = ask("load", "org/kept").result
    for kind in ("500", "drop"):
        mirror.log.clear()
        with mirror.failing(kind):
            assert ask("load", "org/kept").result == first
        assert len(mirror.log) == 1  # no row of attempts: the first answer decides


def test_a_download_that_breaks_off_is_done_again(ask, shipped, mirror):
    repository = shipped("org/whole")
    whole = ask("load", "org/whole").result
    shipped("org/broken", changed(repository, 1))
    mirror.log.clear()
    with mirror.failing("cut", "GET /blobs", times=1):
        found = ask("load", "org/broken").result
    # The tokenizer twice, then the weights; what came of less than a chunk of 10 MB is thrown away.
    blobs = [path for method, path, status in mirror.log if "blobs" in path]
    assert len(blobs) == 3
    assert blobs[0] == blobs[1] != blobs[2]
    assert found["weights"] == pytest.approx(whole["weights"], rel=1e-3)
    shipped("org/unbroken", changed(repository, 1))
    assert ask("load", "org/unbroken").result["weights"] == found["weights"]


@pytest.mark.parametrize(("kind", "reason"), [("500", "the hub answered with status 500"),
                                              ("reset", "the connection to the hub broke off")])  # fmt: skip
def test_a_download_that_fails_leaves_nothing_and_starts_anew(ask, shipped, mirror, folder, kind, reason):
    repository = shipped("org/source")
    expected = ask("load", "org/source").result["weights"]
    bit = {"500": 2, "reset": 4}[kind]
    shipped(f"org/fails-{kind}", changed(repository, bit))
    with mirror.failing(kind, "GET /blobs"):
        sentence = refused(ask("load", f"org/fails-{kind}"))
    assert f"could not be fetched, {reason}" in sentence
    assert "run the same command again" in sentence
    place = folder / "home" / "hub" / f"models--org--fails-{kind}"
    assert [path.name for path in place.rglob("model.safetensors")] == []
    assert not list(place.rglob("*.incomplete"))
    assert ask("load", f"org/fails-{kind}").result["weights"] == pytest.approx(expected, rel=1e-3)


def test_a_revision_that_moved_on_is_another_model(ask, shipped):
    repository = shipped("org/moving")
    repository.names["v1"] = repository.names["main"]
    before = ask("load", "org/moving").result
    assert ask("load", "org/moving@v1").result["fingerprint"] == before["fingerprint"]
    repository.commit(changed(repository, 8))
    after = ask("load", "org/moving").result
    assert after["fingerprint"] != before["fingerprint"]
    assert after["weights"] != before["weights"]
    assert ask("load", "org/moving@v1").result == before


def test_data_sets_of_either_form_are_read_and_outlive_the_hub(ask, data_sets, mirror):
    rows = {task: ask("questions", task).result for task in ("gsm8k", "multiarith")}
    assert rows["gsm8k"][1] == [
        "Tom has 3 pears. Ann gives him 4 more. How many pears does Tom have? (1)",
        "7",
    ]
    assert rows["gsm8k"] == rows["multiarith"]
    for kind, where in (("500", ""), ("drop", ""), ("drop", "HEAD .*README"), ("500", "GET ")):
        with mirror.failing(kind, where):
            for task, found in rows.items():
                assert ask("questions", task).result == found


def test_a_data_set_that_is_missing_or_out_of_reach_names_the_remedy(ask, mirror):
    assert "ChilleD/SVAMP (test) could not be loaded" in refused(ask("questions", "svamp"))
    for kind in ("500", "drop"):
        mirror.log.clear()
        with mirror.failing(kind):
            sentence = refused(ask("questions", "math500"))
        assert sentence.endswith("give a folder with its jsonl files as data_dir.")
        assert len(mirror.log) == 1


def test_offline_only_whole_copies_are_used(ask, start, shipped, mirror):
    repository = shipped("org/first")
    first = ask("load", "org/first").result
    shipped("org/half", changed(repository, 16))
    with mirror.failing("500", "GET /blobs"):
        refused(ask("load", "org/half"))
    mirror.log.clear()
    alone = start(offline=True)
    assert alone("locate", "org/first").result == {"offline": True, "revision": ""}
    assert alone("load", "org/first").result == first
    assert "is only partly on this machine and HF_HUB_OFFLINE is set" in refused(alone("locate", "org/half"))
    assert "is not on this machine and HF_HUB_OFFLINE is set" in refused(alone("locate", "org/never"))
    assert mirror.log == []
