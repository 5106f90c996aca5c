"""Losses of a reference model, computed once for frozen blocks and kept beside them (Rho-1, step 2).

A folder holds `shard-00000.safetensors`, ... and, once all are there, `reference.json`. A shard has, for its
blocks one behind the other, `loss` (and `entropy`) of every position, in the order of the ids: column j
scores the token at j + 1, positions without a target and so the last of each block are 0. `length` and
`digest` (`blocks.digest`) tell which blocks they are. Each file appears whole or not at all, so a run that
was killed goes on with the first missing shard.

Kept as float16: its spacing is at most 2^-7 nats below 16 nats. bfloat16 would be off by up to 0.03 there,
more than most excesses differ by.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch.nn.utils.rnn import pad_sequence

from replication.files import checksum, write_atomic
from replication.lm.loading import LanguageModel
from replication.pretraining.blocks import digest, row_targets, tokenizer_hash
from replication.pretraining.scoring import score
from replication.pretraining.token_losses import IGNORED
from replication.settings import InputError

if TYPE_CHECKING:
    from datasets import Dataset

LOSS, ENTROPY = "reference_loss", "reference_entropy"
FACTS, COLUMNS, COLUMNS_SUM = "reference.json", "columns.arrow", "columns.sha256"
DTYPES = ("float16", "float32")
SHARD_BLOCKS = 1024
BATCH_TOKENS = 2**14
Blocks = "Dataset | Sequence[Mapping[str, Any]]"
Scored = tuple[NDArray[np.float32], NDArray[np.float32] | None]


def score_blocks(
    model: Any, blocks: Blocks, entropy: bool = False, batch_tokens: int = BATCH_TOKENS
) -> Iterator[Scored]:
    """Yield the losses (T,) of each block, and its entropies or None, both float32 in nats.

    Args:
        model: a transformers causal language model.
        blocks: rows with `input_ids`, maybe `labels` and `position_ids`.
        entropy: whether entropies are wanted.
        batch_tokens: positions of one forward pass.
    """
    batch: list[Mapping[str, Any]] = []
    for row in blocks:
        longest = max(len(one["input_ids"]) for one in (*batch, row))
        if batch and longest * (len(batch) + 1) > batch_tokens:
            yield from _score(model, batch, entropy)
            batch = []
        batch.append(row)
    if batch:
        yield from _score(model, batch, entropy)


def _score(model: Any, batch: Sequence[Mapping[str, Any]], entropy: bool) -> Iterator[Scored]:
    """Yield the scores of one forward pass."""
    lengths = [len(row["input_ids"]) for row in batch]
    ids = _padded([row["input_ids"] for row in batch], 0)
    wanted = _padded([row_targets(row) for row in batch], IGNORED)
    positions = None
    if batch[0].get("position_ids") is not None:
        positions = _padded([row["position_ids"] for row in batch], 0).to(model.device)
    found = score(model, ids.to(model.device), wanted.to(model.device), positions, entropy)
    losses, entropies = (None if values is None else values.cpu().numpy() for values in found)
    for i, length in enumerate(lengths):
        yield losses[i, :length], None if entropies is None else entropies[i, :length]


def _padded(rows: Sequence[Any], value: int) -> torch.Tensor:
    return pad_sequence([torch.as_tensor(np.asarray(row)).long() for row in rows], True, value)


def facts(lm: LanguageModel, blocks: Blocks, packing: str, entropy: bool, dtype: str) -> dict[str, Any]:
    """Return what determines reference losses, as kept in `reference.json`.

    Raises:
        InputError: no blocks, an empty one, ids or a length that the model does not have, an unknown dtype.
    """
    if dtype not in DTYPES:
        raise InputError(f"Reference losses need one of {', '.join(DTYPES)}, not {dtype!r} (too coarse).")
    if not len(blocks):
        raise InputError("There are no blocks to score: give a data set with at least one row.")
    content, longest, largest = hashlib.sha256(), 0, 0
    for row in _arrays(blocks):
        ids = np.asarray(row["input_ids"])
        if not len(ids):
            raise InputError("A block has no tokens: leave empty texts out.")
        longest, largest = max(longest, len(ids)), max(largest, int(ids.max()))
        content.update(digest(row).to_bytes(8, "little", signed=True))
    check_fit(lm, longest, largest)
    return {
        "format": 1,
        "model": lm.name,
        "fingerprint": lm.fingerprint,
        "tokenizer": tokenizer_hash(lm.tokenizer),
        "packing": packing,
        "block_length": longest,
        "blocks": len(blocks),
        "content": content.hexdigest()[:32],
        "entropy": entropy,
        "dtype": dtype,
    }


def check_fit(lm: LanguageModel, longest: int, largest: int = 0) -> None:
    """Raise `InputError` when blocks are longer than the model's context or have ids that it lacks."""
    context = getattr(lm.model.config, "max_position_embeddings", None)
    if context and longest > context:
        raise InputError(f"Blocks of {longest} tokens are longer than {lm.name} takes ({context}): cut them.")
    if largest >= lm.width:
        raise InputError(f"The id {largest} is outside the {lm.width} ids of {lm.name}: check the tokenizer.")


def compute(
    lm: LanguageModel,
    blocks: Blocks,
    folder: Path | str,
    *,
    packing: str = "concatenated",
    entropy: bool = False,
    dtype: str = "float16",
    shard_blocks: int = SHARD_BLOCKS,
    batch_tokens: int = BATCH_TOKENS,
    progress: Callable[[int, int], None] | None = None,
    part: tuple[int, int] = (0, 1),
    wait: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Score all blocks with one pass of the reference model and keep the result.

    Args:
        lm: the reference model.
        blocks: rows with `input_ids`, maybe `labels` and `position_ids`, in their final order.
        folder: where the shards go; those there under the same facts are kept.
        packing: how the blocks were made, a note that `verify` compares.
        entropy: whether entropies are kept too.
        dtype: one of `DTYPES`.
        shard_blocks: blocks of a shard.
        batch_tokens: positions of one forward pass.
        progress: called with the number of finished shards and of all.
        part: place of this process and number of processes that share the work.
        wait: returns once all of them have called it.

    Returns:
        The facts, as in `reference.json`.

    Raises:
        InputError: as `facts`.
    """
    folder = Path(folder)
    about = facts(lm, blocks, packing, entropy, dtype) | {"shard_blocks": shard_blocks}
    key, total = _key(about), -(-len(blocks) // shard_blocks)
    for number in range(part[0], total, part[1]):
        if _header(shard(folder, number)).get("key") != key:
            rows = _rows(blocks, number * shard_blocks, min((number + 1) * shard_blocks, len(blocks)))
            save(shard(folder, number), rows, score_blocks(lm.model, rows, entropy, batch_tokens), dtype, key)
        if progress is not None:
            progress(min(number + part[1], total), total)
    wait()
    if part[0] == 0:
        _finish(folder, about, total)
    wait()
    return read_facts(folder)


def _finish(folder: Path, about: dict[str, Any], total: int) -> None:
    """Write `reference.json` unless it says the same already."""
    about = about | {"sha256": [checksum(shard(folder, number)) for number in range(total)]}
    if (folder / FACTS).is_file() and read_facts(folder) == about:
        return
    (folder / COLUMNS).unlink(missing_ok=True)
    write_atomic(folder / FACTS, json.dumps(about, indent=1) + "\n")


def save(
    path: Path, rows: Sequence[Mapping[str, Any]], scores: Iterator[Scored], dtype: str, key: str
) -> None:
    """Write one shard.

    Args:
        path: the file.
        rows: its blocks.
        scores: losses and entropies of each.
        dtype: one of `DTYPES`.
        key: kept in the file's header.

    Raises:
        InputError: scores that do not fit the blocks' targets (`check_columns`).
    """
    losses, entropies = zip(*scores, strict=True)
    for number, (row, loss) in enumerate(zip(rows, losses, strict=True)):
        check_columns(row, loss, f"block {number} of {path.name}")
    content = {
        "loss": np.concatenate(losses).astype(dtype),
        "length": np.array([len(loss) for loss in losses], dtype=np.int32),
        "digest": np.array([digest(row) for row in rows], dtype=np.int64),
    }
    if entropies[0] is not None:
        content["entropy"] = np.concatenate(entropies).astype(dtype)
    write_atomic(path, lambda beside: save_file(content, beside, metadata={"key": key}))


def check_columns(row: Mapping[str, Any], losses: NDArray[Any], name: str) -> None:
    """Raise `InputError` unless losses fit the targets of a block: as long, and 0 where there is none."""
    missing = row_targets(row) == IGNORED
    if len(losses) != len(missing):
        raise InputError(f"The losses of {name} are {len(losses)} for {len(missing)} tokens: score it again.")
    if not np.isfinite(losses).all():
        raise InputError(f"The losses of {name} are not all finite: score with a float32 model.")
    if losses[missing].any():
        raise InputError(
            f"The losses of {name} are shifted: column j scores the token at j + 1, the last is 0."
        )


def shard(folder: Path, number: int) -> Path:
    """Return the file of a shard."""
    return folder / f"shard-{number:05d}.safetensors"


def read_facts(folder: Path | str) -> dict[str, Any]:
    """Return `reference.json` of a folder; `InputError` where there is none that can be read."""
    path = Path(folder) / FACTS
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder} holds no finished reference losses ({FACTS}): run the scoring step, "
            "it goes on where it was."
        ) from error


def verify(
    folder: Path | str, blocks: Blocks, tokenizer: Any = None, packing: str | None = None
) -> dict[str, Any]:
    """Check that a folder holds the losses of just these blocks, and return its facts.

    Args:
        folder: as written by `compute`.
        blocks: the rows, in the order in which they were scored.
        tokenizer: the learner's, compared with the one that the losses were made with; None skips that.
        packing: how the blocks were made; None skips that.

    Raises:
        InputError: another tokenizer, packing, number, order or content of blocks; a shard that is missing or
            was changed; columns that are shifted.
    """
    folder, about = Path(folder), read_facts(folder)
    if tokenizer is not None and tokenizer_hash(tokenizer) != about["tokenizer"]:
        raise InputError(
            f"The losses in {folder} were made with the tokenizer of {about['model']}, which is not the "
            "learner's: the reference model needs the same one."
        )
    if packing is not None and packing != about["packing"]:
        raise InputError(
            f"The losses in {folder} are of blocks packed as {about['packing']!r}, not "
            f"{packing!r}: score again."
        )
    if len(blocks) != about["blocks"]:
        raise InputError(
            f"The losses in {folder} are of {about['blocks']} blocks, the data has "
            f"{len(blocks)}: score again."
        )
    for number, wanted in enumerate(about["sha256"]):
        if not shard(folder, number).is_file():
            raise InputError(f"{shard(folder, number)} is missing: run the scoring step, it makes that one.")
        if checksum(shard(folder, number)) != wanted:
            raise InputError(f"{shard(folder, number)} was changed: delete it and run the scoring step.")
    for number, (row, (found, losses, _)) in enumerate(
        zip(_arrays(blocks), _stored(folder, about), strict=True)
    ):
        if found != digest(row):
            raise InputError(
                f"Block {number} differs from the one that was scored in {folder} (ids, labels or positions)"
                ": keep the order of the blocks, or score again."
            )
        check_columns(row, losses, f"block {number} in {folder}")
    return about


def load(
    folder: Path | str, blocks: "Dataset", tokenizer: Any = None, packing: str | None = None
) -> "Dataset":
    """Return the blocks with the columns `reference_loss` and, if kept, `reference_entropy`.

    The columns are read from disk when they are used (`columns.arrow`, made once from the shards). Blocks may
    be shuffled afterwards, tokens never.

    Args:
        folder: as written by `compute`.
        blocks: a `datasets.Dataset` in the order in which it was scored.
        tokenizer: as in `verify`.
        packing: as in `verify`.

    Raises:
        InputError: as `verify`.
    """
    from datasets import Dataset, concatenate_datasets

    about = verify(folder, blocks, tokenizer, packing)
    path, sums = Path(folder) / COLUMNS, Path(folder) / COLUMNS_SUM
    if not (path.is_file() and sums.is_file() and checksum(path) == sums.read_text(errors="replace")):
        write_atomic(path, lambda beside: _write_columns(beside, Path(folder), about))
        write_atomic(sums, checksum(path))
    return concatenate_datasets([blocks, Dataset.from_file(str(path))], axis=1)


def _write_columns(path: Path, folder: Path, about: Mapping[str, Any]) -> None:
    """Write the shards' losses and entropies as an Arrow stream, one list a block."""
    import pyarrow as pa

    values = pa.list_(pa.from_numpy_dtype(np.dtype(about["dtype"])))
    names = [LOSS, ENTROPY] if about["entropy"] else [LOSS]
    schema = pa.schema([(name, values) for name in names])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for number in range(len(about["sha256"])):
            content = _read(shard(folder, number))
            offsets = np.append(0, content["length"].cumsum()).astype(np.int32)
            arrays = [
                pa.ListArray.from_arrays(offsets, content[name.removeprefix("reference_")]) for name in names
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def _stored(
    folder: Path, about: Mapping[str, Any]
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any] | None]]:
    """Yield digest, losses and entropies of each block."""
    for number in range(len(about["sha256"])):
        content = _read(shard(folder, number))
        ends = content["length"].cumsum()[:-1]
        losses = np.split(content["loss"], ends)
        entropies = np.split(content["entropy"], ends) if "entropy" in content else [None] * len(losses)
        yield from zip(content["digest"].tolist(), losses, entropies, strict=True)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    with safe_open(path, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def _header(path: Path) -> dict[str, str]:
    """Return what a shard's header says, {} where there is no whole shard."""
    try:
        with safe_open(path, "numpy") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError):
        return {}


def _arrays(blocks: Blocks) -> Blocks:
    """Return the blocks with arrays for lists, many times faster where they lie on disk."""
    return blocks.with_format("numpy") if hasattr(blocks, "with_format") else blocks


def _rows(blocks: Blocks, start: int, stop: int) -> list[Mapping[str, Any]]:
    blocks = _arrays(blocks)
    return [blocks[i] for i in range(start, stop)]


def _key(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
