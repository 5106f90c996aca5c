"""Where a model lies, found and checked within seconds and without importing torch or transformers."""

import importlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from replication.lm.specification import specify
from replication.settings import InputError

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
CONNECT_SECONDS = 4.0


@dataclass(frozen=True)
class Source:
    """What to hand to `from_pretrained`.

    Attributes:
        location: folder, or hub id.
        revision: branch, tag or commit of a hub id; "" is the default branch.
        offline: whether only files already on this machine may be used.
        folder: whether `location` is a folder.
    """

    location: str
    revision: str = ""
    offline: bool = True
    folder: bool = True


def locate(name_or_path: str, revision: str = "") -> Source:
    """Return where a model's files are.

    Args:
        name_or_path: name of a testbed model, a folder, or a hub id, "org/name" or "org/name@revision",
            without options of loading.
        revision: branch, tag or commit of a hub id, when it is not part of the name.

    Raises:
        InputError: nothing of that name, no configuration, tokenizer or safetensors weights, a hub that
        cannot be
            reached and no copy on this machine, or a gated model.
    """
    text = str(name_or_path).strip()
    if not text:
        raise InputError("The model name is empty: give a testbed model, a folder or a hub id.")
    # Imported by name: the source of the training recipes decides nothing here, the fingerprint covers the
    # weights.
    testbed = importlib.import_module("replication.testbed.models")
    if text in testbed.names():
        return Source(str(importlib.import_module("replication.testbed.grown").folder(text)))
    path = Path(text).expanduser()
    if path.is_dir():
        _check_folder(path)
        return Source(str(path.resolve()))
    name, _, suffix = text.partition("@")
    if path.exists():
        raise InputError(
            f"The model {text!r} is a file: give the folder that holds config.json and the weights."
        )
    if text[0] in "./~\\" or path.is_absolute() or name.count("/") > 1:
        raise InputError(
            f"The model folder {text!r} does not exist: give an existing folder or a hub id (org/name)."
        )
    if not HUB_ID.fullmatch(name):
        raise InputError(
            f"Unknown model {text!r}: choose one of {', '.join(testbed.names())}, "
            "a folder, or a hub id (org/name)."
        )
    return _check_hub(name, revision or suffix)


def check(name_or_path: str, revision: str = "") -> None:
    """Raise `InputError` unless `load` can find the model; reads no weights and takes seconds at most.

    Args:
        name_or_path: as `locate`, with options of loading behind a question mark if wanted.
        revision: as `locate`.

    Raises:
        InputError: as `locate`, or options that cannot be had.
    """
    locate(specify(name_or_path).name, revision)


def _check_folder(path: Path) -> None:
    """Raise `InputError` unless the folder holds a configuration, safetensors weights and a tokenizer."""
    config = path / "config.json"
    if not config.is_file():
        raise InputError(
            f"The folder {path} holds no config.json: give the folder of a saved transformers model."
        )
    try:
        json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{config} is not valid JSON ({error}): save the model again.") from error
    if missing := [file.name for file in weight_files(path) if not file.is_file()]:
        raise InputError(
            f"The weights of {path} are incomplete, {', '.join(missing)} missing: copy the whole model."
        )
    if not weight_files(path):
        pickled = any(file.suffix in PICKLE_SUFFIXES for file in path.iterdir())
        reason = "only pickled weights, which are never loaded" if pickled else "no weights"
        raise InputError(f"The folder {path} holds {reason}: save the model as safetensors there.")
    if not any((path / file).is_file() for file in TOKENIZER_FILES):
        raise InputError(
            f"The folder {path} holds no tokenizer: save the model's tokenizer beside its weights."
        )


def weight_files(path: Path) -> list[Path]:
    """Return the safetensors files of a folder, sorted; all that its index names, existing or not."""
    index = path / "model.safetensors.index.json"
    if not index.is_file():
        return sorted(path.glob("*.safetensors"))
    try:
        named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{index} is not a valid index of weights: copy the whole model again.") from error
    return sorted(path / name for name in named)


def _check_hub(name: str, revision: str) -> Source:
    """Return the source of a hub id: its copy on this machine or, when the hub answers, the hub."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.constants import HF_HUB_OFFLINE
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        lack = _lack(name, revision)
        if HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
            if not lack:
                return Source(name, revision, offline=True, folder=False)
            raise InputError(
                f"The model {name!r} {lack} and HF_HUB_OFFLINE is set: "
                "unset it to download the model, or give a local folder."
            )
        get_hf_file_metadata(
            hf_hub_url(name, "config.json", revision=revision or None), timeout=CONNECT_SECONDS
        )
        if not any(_on_hub(name, file, revision) for file in WEIGHTS):
            raise InputError(
                f"The hub's {name!r} has no safetensors weights, and pickled ones are never loaded: "
                "choose another model or revision."
            )
    except GatedRepoError as error:
        raise InputError(
            f"The model {name!r} is gated: accept its licence at https://huggingface.co/{name} and set "
            "HF_TOKEN, or use an open model."
        ) from error
    except RevisionNotFoundError as error:
        raise InputError(f"The model {name!r} has no revision {revision!r}: give an existing one.") from error
    except RepositoryNotFoundError as error:
        raise InputError(
            f"The hub has no model {name!r} (or it is private): check the name or set HF_TOKEN."
        ) from error
    except EntryNotFoundError as error:
        raise InputError(f"The hub's {name!r} has no config.json: it is not a transformers model.") from error
    except HFValidationError as error:
        raise InputError(f"{name!r} is not a valid hub id: write it as org/name.") from error
    except InputError:
        raise
    except HfHubHTTPError as error:
        reason = f"the hub answered with status {error.response.status_code}"
        return _unreachable(name, revision, lack, reason)
    except Exception as error:  # the transport library differs between versions of the hub's client
        return _unreachable(name, revision, lack, f"the hub cannot be reached ({error})")
    return Source(name, revision, offline=False, folder=False)


def _on_hub(name: str, file: str, revision: str) -> bool:
    """Tell whether the hub has a file of a model; the hub client's errors for what else goes wrong."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    try:
        get_hf_file_metadata(hf_hub_url(name, file, revision=revision or None), timeout=CONNECT_SECONDS)
    except EntryNotFoundError:
        return False
    return True


def _lack(name: str, revision: str) -> str:
    """Return what is wrong with the copy of a hub id on this machine, "" for nothing."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, "config.json", revision=revision or None)
    if not isinstance(config, str):
        return "is not on this machine"
    try:
        _check_folder(Path(config).parent)
    except InputError:  # a download that was broken off leaves some of the files
        return "is only partly on this machine"
    return ""


def commit(source: Source) -> str:
    """Return the commit of a hub model's copy on this machine; its revision when there is none.

    The cache has a folder for each commit, and notes to which one a branch or tag pointed last.
    """
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(source.location, "config.json", revision=source.revision or None)
    return Path(config).parent.name if isinstance(config, str) else source.revision


def _unreachable(name: str, revision: str, lack: str, reason: str) -> Source:
    """Return the copy on this machine, or raise `InputError` when there is none."""
    if not lack:
        return Source(name, revision, offline=True, folder=False)
    summary = " ".join(reason.split())[:160]
    raise InputError(
        f"The model {name!r} {lack} and {summary}: "
        "connect, or give a local folder (HF_HUB_OFFLINE=1 skips the attempt)."
    )
