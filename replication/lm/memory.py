"""Whether a model fits into memory, estimated before anything of it is downloaded or read.

The weights are counted from the headers of the safetensors files, or from what the hub says about them; the
cache and the activations come on top, and the engine adapts its batches to what is left for them.
"""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from replication.lm.locating import CONNECT_SECONDS, Source, locate, weight_files
from replication.lm.specification import Specification, specify
from replication.settings import InputError

# Bytes of stored numbers that stay what they are; floating-point ones are turned into the dtype asked for.
OTHERS = {"I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1}
SIZES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
GB = 1e9
TRAINED = 4  # weights, gradients and AdamW's two moments, all of one size
# Limits of a container: (limit, used), of both kinds of control groups.
LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def check(source: Source, asked: Specification, dtype: str, device: str, copies: int = 1) -> None:
    """Raise `InputError` when the weights are larger than the free memory; unknown sizes pass.

    Args:
        source: where the files are.
        asked: the model as asked for.
        dtype: of the weights, "float32" and the like.
        device: torch device of a model without a device map.
        copies: how many numbers are held for each weight.
    """
    counts = parameters(source)
    if counts is None:
        return
    needed, free = copies * weight_bytes(counts, dtype, asked.bits), free_bytes(device, asked.device_map)
    if needed <= free:
        return
    kind = f"{asked.bits} bits" if asked.quantised else dtype
    what = f"to train {asked.name} in {kind}" if copies > 1 else f"for the weights of {asked.name} in {kind}"
    place = "the devices of its device map" if asked.device_map else device
    raise InputError(
        f"About {needed / GB:.3g} GB are needed {what}, and {free / GB:.3g} GB are free on {place}: use "
        f"{' or '.join(_remedies(asked, dtype) if copies == 1 else ['a smaller model'])}."
    )


def _remedies(asked: Specification, dtype: str) -> list[str]:
    """Return what would make a model smaller, or its room larger."""
    found = []
    if not asked.quantised:
        found += ["a smaller dtype (?dtype=bfloat16)"] if SIZES[dtype] > 2 else []
        found += ["quantised weights (?load_in_4bit=true)"]
    return [*found, *([] if asked.device_map else ["several devices (?device_map=auto)"]), "a smaller model"]


def check_trainable(model: str, device: str) -> None:
    """Raise `InputError` for a model whose weights cannot be trained, or not in the memory that is free."""
    asked = specify(model)
    if asked.quantised:
        raise InputError(
            f"The model {model!r} is quantised, and this notebook trains it: leave out "
            f"load_in_{asked.bits}bit, or take a smaller model."
        )
    check(locate(asked.name), asked, "float32", device, TRAINED)


def weight_bytes(counts: Mapping[str, int], dtype: str, bits: int = 0) -> int:
    """Return the bytes of the weights once loaded.

    Args:
        counts: how many numbers are stored by safetensors' name of their kind.
        dtype: what floating-point numbers become.
        bits: of a quantised weight, 0 for none.
    """
    each = bits / 8 if bits else SIZES[dtype]
    return round(sum(n * (OTHERS[kind] if kind in OTHERS else each) for kind, n in counts.items()))


def parameters(source: Source) -> dict[str, int] | None:
    """Return how many numbers a model stores by safetensors' name of their kind, None where it is unknown."""
    if source.folder:
        return _counted(weight_files(Path(source.location)))
    return _cached(source) or (None if source.offline else _on_the_hub(source))


def _counted(files: Iterable[Path]) -> dict[str, int]:
    """Return what the headers of safetensors files say; a damaged one is left to the library's message."""
    counts: dict[str, int] = {}
    for file in files:
        try:
            with file.open("rb") as handle:
                header = json.loads(handle.read(int.from_bytes(handle.read(8), "little")))
            tensors = [tensor for name, tensor in header.items() if name != "__metadata__"]
            for tensor in tensors:
                counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + math.prod(tensor["shape"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, MemoryError, OverflowError):
            continue
    return counts


def _cached(source: Source) -> dict[str, int] | None:
    """Return the counts of a hub model that is on this machine, None when it is not or not all of it."""
    from huggingface_hub import try_to_load_from_cache

    def find(name: str) -> Path | None:
        found = try_to_load_from_cache(source.location, name, revision=source.revision or None)
        return Path(found) if isinstance(found, str) else None

    if (single := find("model.safetensors")) is not None:
        return _counted([single])
    if (index := find("model.safetensors.index.json")) is None:
        return None
    names = set(json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values())
    files = [find(name) for name in sorted(names)]
    return _counted(files) if files and all(files) else None


def _on_the_hub(source: Source) -> dict[str, int] | None:
    """Return the counts that the hub gives, None when it gives none."""
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(
            source.location, revision=source.revision or None, expand=["safetensors"], timeout=CONNECT_SECONDS
        )
        return dict(info.safetensors.parameters) if info.safetensors else None
    except Exception:  # an estimate that cannot be had stops nothing: loading says what is wrong
        return None


def free_bytes(device: str, device_map: str = "") -> int:
    """Return the free memory of a torch device, or of all GPUs and the host for a device map."""
    if device_map:
        import torch

        cards = range(torch.cuda.device_count())
        return _host_bytes() + sum(_card_bytes(f"cuda:{number}") for number in cards)
    return _card_bytes(device) if device.startswith("cuda") else _host_bytes()


def _card_bytes(device: str) -> int:
    """Return what is free on a GPU, with what PyTorch holds there and does not use."""
    import torch

    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept


def _host_bytes() -> int:
    """Return what is available of the machine's memory, or of what its container may use."""
    import psutil

    free = [psutil.virtual_memory().available]
    for limit, used in LIMITS:
        try:
            free.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no control group, or "max": no limit
            continue
    return max(0, min(free))
