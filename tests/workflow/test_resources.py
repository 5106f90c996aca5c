import pytest

from replication.workflow.resources import needed


@pytest.mark.parametrize(
    ("profile", "device", "seconds", "found"),
    [
        ("cpu", "auto", 60, {"mem_mb": 4000, "runtime": 30}),
        ("cpu", "auto", 850, {"mem_mb": 4000, "runtime": 57}),
        ("cpu", "cuda", 60, {"mem_mb": 4000, "runtime": 30, "gpu": 1}),
        ("gpu", "auto", 60, {"mem_mb": 24000, "runtime": 240, "gpu": 1}),
        ("paper", "cpu", 60, {"mem_mb": 64000, "runtime": 1440}),
    ],
)
def test_memory_minutes_and_gpus(profile, device, seconds, found):
    assert needed(profile, device, seconds) == found
