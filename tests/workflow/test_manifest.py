import json

from replication.workflow import manifest

EVENT = {"notebook": "01_a/01_x", "state": "done", "seconds": 3.1, "time": 1.7e9}


def test_the_manifest_says_what_ran_and_keeps_what_ran_before(tmp_path):
    given = {"model": "testbed", "seed": 4, "results_dir": "a/folder/results"}
    manifest.write(tmp_path, given, 2, {"01_a/01_x": EVENT})
    failed = EVENT | {"state": "failed", "message": "broke"}
    manifest.write(tmp_path, given, 1, {"01_a/02_y": failed})
    found = manifest.read(tmp_path)
    assert found["seed"] == 4
    assert found["parameters"] == {"model": "testbed", "seed": 4}
    assert found["package"]["version"] == found["versions"]["replication"]
    assert {"python", "torch", "transformers"} <= set(found["versions"])
    assert {"processor", "cores", "memory_gib"} <= set(found["hardware"])
    assert found["notebooks"] == {
        "01_a/01_x": {"status": "done", "seconds": 3.1, "finished": "2023-11-14T22:13:20Z"},
        "01_a/02_y": {
            "status": "failed", "seconds": 3.1, "finished": "2023-11-14T22:13:20Z", "message": "broke",
        },
    }  # fmt: skip


def test_nothing_of_the_environment_gets_in(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "canary-5f1c")
    monkeypatch.setenv("USER", "canary-user")
    text = manifest.write(tmp_path, {}, 1, {}).read_text()
    assert "canary" not in text
    assert json.loads(text)["notebooks"] == {}


def test_a_missing_or_broken_manifest_is_empty(tmp_path):
    assert manifest.read(tmp_path) == {}
    (tmp_path / manifest.NAME).write_text("{")
    assert manifest.read(tmp_path) == {}


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "ROOT", tmp_path)
    assert manifest.commit() == {}
