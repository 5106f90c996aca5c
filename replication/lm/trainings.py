"""Trainings that are done once: weights and tables under a key, whole or not at all.

A training lies in `models/<name>-<digits>/` (weights, tokenizer) and in tables
`<name>-<digits>-<table>.parquet` among the records. The digits are a hash of all that determines it, so that
notebooks share trainings, and one that was killed is all that is done again.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from replication.lm import meter, shards
from replication.lm.loading import LanguageModel, load, use_ladder
from replication.lm.memory import check_trainable
from replication.lm.records import Store, canonical, read_frame, write_frame
from replication.settings import Settings, with_options

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, "pd.DataFrame"]


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
        found = {name: read_frame(self.table(folder.name, name), key) for name in tables}
        complete = (folder / "config.json").is_file() and all(table is not None for table in found.values())
        return found if complete else None

    def _do(self, folder: Path, key: str, tables: Sequence[str], run: Callable[[Path], Tables]) -> None:
        """Train, and write the tables, then the weights: a folder that is there is complete."""
        beside = folder.with_name(f".{folder.name}")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        with meter.measured(folder.name):
            made = run(beside)
        for name in tables:
            write_frame(self.table(folder.name, name), made[name], key)
        beside.rename(folder)
