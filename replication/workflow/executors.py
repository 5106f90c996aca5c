"""Where jobs run: Snakemake's profiles, each a folder with a YAML file that names an executor plugin."""

import importlib.util
from pathlib import Path
from typing import Any

from replication.settings import InputError

FILES = ("profile.v9+.yaml", "profile.yaml", "config.v9+.yaml", "config.yaml")
BUILT_IN = ("local", "dryrun", "touch")


def read(folder: str) -> dict[str, Any]:
    """Return the content of a profile.

    Raises:
        InputError: no such folder, no YAML file in it, not a profile, or an executor that is not installed.
    """
    import yaml

    path = Path(folder).expanduser()
    file = next((path / name for name in FILES if (path / name).is_file()), None)
    if file is None:
        raise InputError(f"No {FILES[0]} in the executor profile {folder!r}: give a folder of env/cluster.")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as YAML: {str(error).splitlines()[0]}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("executor", "local"), str):
        raise InputError(f"{file} is no profile: it needs lines such as `executor: slurm` and `jobs: 8`.")
    side_by_side(content, str(file))
    check_installed(content.get("executor", "local"))
    return content


def side_by_side(content: dict[str, Any], file: str) -> int:
    """Return how many jobs a profile runs at a time.

    Raises:
        InputError: it does not say so.
    """
    found = content.get("jobs", content.get("cores"))
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise InputError(f"{file} needs `jobs: N`, the number of jobs that run at a time, got {found!r}.")
    return found


def check_installed(executor: str) -> None:
    """Raise `InputError` unless Snakemake finds the plugin of an executor."""
    module = f"snakemake_executor_plugin_{executor.replace('-', '_')}"
    if executor not in BUILT_IN and importlib.util.find_spec(module) is None:
        raise InputError(
            f"The executor {executor!r} needs a package: pip install snakemake-executor-plugin-{executor}."
        )
