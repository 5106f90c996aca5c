"""Trainings that are done once: weights and tables under a key, whole or not at all.

A training lies in `models/<name>-<digits>/` (weights, tokenizer) and in tables
`<name>-<digits>-<table>.parquet` among the records. The digits are a hash of all that determines it, so that
notebooks share trainings, and one that was killed is all that is done again. The folder's `files.json` has
the checksum of each file, so that weights that were damaged or exchanged afterwards are never used.
"""

import hashlib
import json
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from replication import files
from replication.lm import meter, shards
from replication.lm.engine import out_of_memory
from replication.lm.loading import LanguageModel, load, use_ladder
from replication.lm.memory import check_trainable
from replication.lm.records import Store, canonical, read_frame, write_frame
from replication.settings import InputError, Settings, with_options

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, "pd.DataFrame"]
SEAL = "files.json"


class OnceTrained:
    """The trainings of one run, and the models that they start from and leave.

    Args:
        settings: the run.

    Attributes:
        store: where the tables lie.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        use_ladder(settings)
        self.store = Store(settings.records_dir)
        self._models: dict[str, LanguageModel] = {}

    def model(self, name: str | Path) -> LanguageModel:
        """Return a model by name or folder, loaded once, with the run's options of loading.

        Raises:
            InputError: as `load`; the run's model cannot be trained in the memory there is.
        """
        if not self._models:  # before anything long
            check_trainable(self.settings.model, self.settings.device)
        if str(name) not in self._models:
            asked = with_options(str(name), self.settings.model)
            self._models[str(name)] = load(asked, self.settings.device)
        return self._models[str(name)]

    def once(
        self, name: str, key: Mapping[str, object], tables: Sequence[str], run: Callable[[Path], Tables]
    ) -> tuple[Path, dict[str, "pd.DataFrame"]]:
        """Return folder and tables of a training, from disk when it was done under the same key.

        Args:
            name: of its files, before the digits.
            key: plain values, all that determines the training.
            tables: names of the tables.
            run: trains, leaves weights, `config.json` and tokenizer in the folder it is given, and returns
                the tables.

        Raises:
            InputError: memory or disk space ran out.
            OSError: what was written cannot be read back.
        """
        text = canonical(key)
        stem = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        folder = self.settings.paper_dir / "models" / stem
        if (found := self._read(folder, text, tables)) is None:
            with self.lock(stem):  # of several notebooks that ask, one trains
                if (found := self._read(folder, text, tables)) is None:
                    self._do(folder, text, tables, run)
                    found = self._read(folder, text, tables)
        else:
            meter.reused(stem)
        if found is None:
            raise OSError(f"{folder} could not be read back: check the disk.")
        return folder, found

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Return a lock among the processes of the run; with several workers it may raise `shards.Held`."""
        return shards.holding(self.store.folder / ".locks" / f"{name}.lock")

    def table(self, stem: str, name: str) -> Path:
        """Return the file of a table."""
        return self.store.folder / f"{stem}-{name}.parquet"

    def _read(self, folder: Path, key: str, tables: Sequence[str]) -> "dict[str, pd.DataFrame] | None":
        """Return the tables of a finished training, None when something is missing or of another key."""
        if not folder.is_dir():  # it comes last, so there is nothing
            return None
        found = {name: read_frame(self.table(folder.name, name), _of(key, name)) for name in tables}
        if any(table is None for table in found.values()) or not sealed(folder, key):
            return None
        return found

    def _do(self, folder: Path, key: str, tables: Sequence[str], run: Callable[[Path], Tables]) -> None:
        """Train, and write the tables, then the weights: a folder that is there is complete."""
        beside = folder.with_name(f".{folder.name}")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            with meter.measured(folder.name):
                made = run(beside)
            for name in tables:
                write_frame(self.table(folder.name, name), made[name], _of(key, name))
            seal(beside, key)
        except Exception as error:
            # The next try begins anew; a full disk needs the room at once.
            shutil.rmtree(beside, ignore_errors=True)
            if sentence := self._want(folder, error):
                raise InputError(sentence) from error
            raise
        beside.rename(folder)

    def _want(self, folder: Path, error: Exception) -> str:
        """Return what to say of a training that stopped for want of space or memory; "" for other errors."""
        if files.out_of_space(error):
            return str(error) if isinstance(error, InputError) else files.full(folder.parent)
        if not out_of_memory(error):
            return ""
        return (
            f"The training {folder.name} ran out of memory on {self.settings.device}: take a smaller model "
            "or profile, or end what else uses the memory; trainings that were finished are kept."
        )


def _of(key: str, table: str) -> str:
    """Return the key of one table of a training: tables are not taken for each other."""
    return f"{key}#{table}"


def seal(folder: Path, key: str) -> None:
    """Write the checksums of all files of a training, as the last of them."""
    sums = {path.name: files.checksum(path) for path in sorted(folder.iterdir()) if path.is_file()}
    files.write_atomic(folder / SEAL, json.dumps({"key": key, "sha256": sums}, indent=1) + "\n")


def sealed(folder: Path, key: str) -> bool:
    """Tell whether the files of a training are those that it left; a warning says which is not."""
    wrong = SEAL
    try:
        content = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        if content["key"] == key:
            sums = content["sha256"].items()
            wrong = next((name for name, wanted in sums if files.checksum(folder / name) != wanted), "")
    except FileNotFoundError as error:
        wrong = Path(error.filename).name
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    if wrong:
        warnings.warn(
            f"{folder.name}/{wrong} is missing or damaged: the training is done again.",
            RuntimeWarning,
            stacklevel=2,
        )
    return not wrong
