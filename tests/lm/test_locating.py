import subprocess
import sys
import time

import pytest

from replication.lm import locating
from replication.lm.locating import check, locate, weight_files
from replication.settings import InputError


@pytest.fixture
def saved(tmp_path, save_lm):
    return save_lm(tmp_path / "model", "llama")


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize(
    "name",
    [
        "./missing",
        "/missing/model",
        "~/missing-model",
        "../missing",
        "a/b/c",
        "missing/model/",
        "models\\x y",
    ],
)
def test_paths_that_do_not_exist(name, tmp_path, monkeypatch, offline):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"does not exist|Unknown model"):
        check(name)


@pytest.mark.parametrize(
    ("name", "message"), [("", "empty"), ("testbedd", "Unknown model"), ("a b/c", "Unknown")]
)
def test_names_that_mean_nothing(name, message, offline):
    with pytest.raises(InputError, match=message):
        check(name)


def test_a_saved_folder_is_found(saved, monkeypatch):
    source = locate(str(saved))
    assert source.location == str(saved.resolve())
    assert source.folder
    assert source.offline
    monkeypatch.chdir(saved.parent)
    assert locate("model") == source
    assert [path.name for path in weight_files(saved)] == ["model.safetensors"]


def test_a_file_is_no_model(saved):
    with pytest.raises(InputError, match="is a file"):
        check(str(saved / "config.json"))


def test_missing_parts_of_a_folder(saved):
    (saved / "model.safetensors").rename(saved / "kept")
    with pytest.raises(InputError, match="no weights"):
        check(str(saved))
    (saved / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(InputError, match=r"never loaded"):
        check(str(saved))
    (saved / "model.safetensors.index.json").write_text('{"weight_map": {"a": "part-1.safetensors"}}')
    with pytest.raises(InputError, match=r"part-1.safetensors missing"):
        check(str(saved))
    (saved / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(InputError, match="not a valid index"):
        check(str(saved))
    (saved / "model.safetensors.index.json").unlink()
    (saved / "kept").rename(saved / "model.safetensors")
    (saved / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="no tokenizer"):
        check(str(saved))
    (saved / "config.json").write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        check(str(saved))
    (saved / "config.json").unlink()
    with pytest.raises(InputError, match=r"no config\.json"):
        check(str(saved))


def test_hub_model_that_is_not_here_while_offline(offline, monkeypatch):
    started = time.monotonic()
    with pytest.raises(InputError, match=r"HF_HUB_OFFLINE is set.*local folder"):
        check("some-org/no-such-model-at-all")
    assert time.monotonic() - started < 5


def answer(monkeypatch, error=None, cached=None):
    """Let the hub answer without a network."""
    import huggingface_hub

    def metadata(url, timeout):
        if error is not None:
            raise error

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", metadata)
    found = str(cached / "config.json") if cached else None
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **k: found)


def hub_error(kind):
    import httpx2 as transport
    from huggingface_hub import errors

    request = transport.Request("HEAD", "https://huggingface.co/org/name")
    return getattr(errors, kind)("no", response=transport.Response(404, request=request))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("GatedRepoError", "gated.*HF_TOKEN"),
        ("RepositoryNotFoundError", "hub has no model"),
        ("RevisionNotFoundError", "no revision 'v2'"),
        ("RemoteEntryNotFoundError", r"no config\.json"),
    ],
)
def test_what_the_hub_refuses(monkeypatch, kind, message):
    answer(monkeypatch, hub_error(kind))
    with pytest.raises(InputError, match=message):
        check("org/name@v2")


def test_unreachable_hub(monkeypatch, saved):
    answer(monkeypatch, ConnectionError("Name or service not known"))
    with pytest.raises(InputError, match=r"cannot be reached.*Name or service.*HF_HUB_OFFLINE"):
        check("org/name")
    answer(monkeypatch, ConnectionError("down"), cached=saved)
    assert locate("org/name") == locating.Source("org/name", "", offline=True, folder=False)
    (saved / "model.safetensors").unlink()
    with pytest.raises(InputError, match="only partly on this machine"):
        check("org/name")


def test_hub_model_with_revision(monkeypatch):
    answer(monkeypatch)
    assert locate("org/name@v1") == locating.Source("org/name", "v1", offline=False, folder=False)
    assert locate("org/name", "v2").revision == "v2"


def test_testbed_names_resolve_to_their_folder(monkeypatch, saved):
    from replication.testbed import models

    monkeypatch.setattr(models, "folder", lambda name: saved)
    assert locate("testbed").location == str(saved)


def test_checking_imports_no_heavy_library():
    code = "import sys; from replication.lm.locating import check\n"
    code += "try: check('./nowhere')\nexcept ValueError: pass\n"
    code += "print([m for m in ('torch', 'transformers', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
