"""The light page of a run beside the full site, which takes its place."""

import pytest

from replication.reporting.site import fingerprint
from replication.workflow import site


@pytest.fixture
def full(tmp_path):
    """A run whose full site is up to date."""
    run_dir = tmp_path / "cpu-toy"
    (run_dir / "min_p" / "notebooks").mkdir(parents=True)
    (run_dir / "site").mkdir()
    (run_dir / "site" / "index.html").write_text("the full site")
    (run_dir / "site" / "other.html").touch()
    fingerprint.store(run_dir / "site", fingerprint.of(run_dir))
    return run_dir


def test_a_full_site_stays_as_long_as_it_shows_the_run(full):
    assert site.write(full, [])
    assert (full / "site" / "index.html").read_text() == "the full site"
    assert (full / "scoreboard.json").exists()


def test_an_outdated_full_site_gives_way_to_the_light_page(full):
    (full / "min_p" / "claims.json").write_text("[]")
    site.write(full, [])
    assert "<h1>cpu-toy</h1>" in (full / "site" / "index.html").read_text()
    assert [path.name for path in (full / "site").iterdir()] == ["index.html"]


def test_a_light_page_is_written_again(tmp_path):
    for _time in range(2):
        site.write(tmp_path, ["min_p"])
        assert "not testable" in (tmp_path / "site" / "index.html").read_text()
