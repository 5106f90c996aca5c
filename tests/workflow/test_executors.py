"""Profiles of executors: what is wrong is said in one sentence; Snakemake reads those that come along."""

import importlib.util

import pytest
import yaml

from replication.settings import ROOT, InputError
from replication.workflow import executors
from replication.workflow.checks import Request

COMMITTED = sorted((ROOT / "env" / "cluster").iterdir())


@pytest.fixture
def profile(tmp_path):
    """Write a profile and return its folder."""

    def write(text, name="profile.v9+.yaml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path)

    return write


def test_a_profile_says_how_many_jobs_run_side_by_side(profile):
    folder = profile("cores: 3\n", "config.yaml")
    assert executors.read(folder) == {"cores": 3}
    assert Request(jobs=2, executor_profile=folder).side_by_side == 3
    assert Request(jobs=2).side_by_side == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("executor: nope\njobs: 4", "'nope' needs a package: pip install snakemake-executor-plugin-nope"),
        ("executor: local", "needs `jobs: N`, the number of jobs that run at a time, got None"),
        ("jobs: many", "got 'many'"),
        ("jobs: true", "got True"),
        ("jobs: 0", "got 0"),
        ("- jobs", "is no profile"),
        ("executor: 3", "is no profile"),
        ("a: [", "cannot be read as YAML"),
    ],
)
def test_what_is_wrong_with_a_profile_is_one_sentence(profile, text, sentence):
    with pytest.raises(InputError) as error:
        executors.read(profile(text))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_without_a_profile_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"No profile\.v9"):
        executors.read(str(tmp_path / "nope"))


@pytest.mark.parametrize("folder", COMMITTED, ids=lambda folder: folder.name)
def test_snakemake_reads_the_profiles_that_come_along(folder):
    from snakemake.cli import get_argument_parser, parse_args

    content = yaml.safe_load((folder / "profile.v9+.yaml").read_text())
    if missing := [one for one in plugins(content) if importlib.util.find_spec(one) is None]:
        # Options of plugins cannot be known then; all others can.
        actions = get_argument_parser()._actions
        known = {name.lstrip("-") for action in actions for name in action.option_strings}
        own = tuple(f"{one.rpartition('_')[2]}-" for one in missing)
        assert not {name for name in content if not name.startswith(own)} - known
        return
    _, options = parse_args(["--snakefile", "Snakefile", "--profile", str(folder)])
    assert options.retries == content["retries"]
    assert options.latency_wait == content["latency-wait"]
    assert options.executor == content.get("executor")
    unknown = {name.replace("-", "_") for name in content} - set(vars(options))
    assert not unknown


def plugins(content: dict) -> list[str]:
    """Return the packages that a profile needs."""
    found = [f"snakemake_executor_plugin_{content['executor']}"] if "executor" in content else []
    storage = content.get("default-storage-provider")
    return found + ([f"snakemake_storage_plugin_{storage}"] if storage else [])
