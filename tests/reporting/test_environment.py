"""Versions and hardware."""

import platform

from replication import __version__
from replication.reporting.environment import hardware, versions


def test_versions_hold_python_and_the_package():
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["replication"] == __version__
    assert found["numpy"].count(".") == 2


def test_hardware_is_described():
    found = hardware()
    assert found["cores"] >= 1
    assert found["memory_gib"] is None or found["memory_gib"] > 0
    assert isinstance(found["processor"], str)
