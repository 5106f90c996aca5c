import json

from replication.workflow import events


def test_each_job_has_a_file_and_each_event_is_read_once(tmp_path):
    folder = tmp_path / "events"
    reader = events.Reader(folder)
    assert reader.new() == []
    events.report(folder, "nb_a", "a", "started")
    events.report(folder, "nb_b", "b", "started", shard=2)
    assert [(one["notebook"], one["state"], one.get("shard")) for one in reader.new()] == [
        ("a", "started", None),
        ("b", "started", 2),
    ]
    events.report(folder, "nb_a", "a", "done", seconds=1.5)
    assert [(one["notebook"], one["seconds"]) for one in reader.new()] == [("a", 1.5)]
    assert reader.new() == []
    assert sorted(path.name for path in folder.iterdir()) == ["nb_a.jsonl", "nb_b.jsonl"]
    assert events.last(folder, "nb_a")["state"] == "done"
    assert events.last(folder, "nb_c") == {}


def test_a_line_that_is_still_being_written_waits(tmp_path):
    reader, file = events.Reader(tmp_path), tmp_path / "nb.jsonl"
    whole = json.dumps({"notebook": "é", "state": "started"}).encode()
    file.write_bytes(whole + b"\n" + whole[:20])
    assert len(reader.new()) == 1
    file.write_bytes(whole + b"\n" + whole + b"\n")
    assert [one["notebook"] for one in reader.new()] == ["é"]
