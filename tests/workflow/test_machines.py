"""Seconds and memory of work on a machine, against numbers worked out by hand."""

from dataclasses import replace

import pytest

from replication.settings import InputError
from replication.workflow import cost, ledger, machines
from replication.workflow.machines import Work
from replication.workflow.scaling import Scaled
from replication.workflow.shapes import Shape

BIG = Shape("big", 8 * 10**9, 32, 4096, 1024, 128_256)
GPU = machines.machine("h100")


def test_operations_are_two_a_parameter_read_and_six_a_parameter_trained():
    assert Work(generated=10, read=20, trained=5).flops(BIG) == 8e9 * (2 * 30 + 6 * 5)


def test_training_and_reading_take_operations_by_speed():
    assert GPU.seconds(BIG, Work(trained=10**6)) == pytest.approx(48e15 / (0.35 * 989e12))
    assert GPU.seconds(BIG, Work(trained=10, calls=5)) == pytest.approx(3 * 5 * 32 * 6e-4)  # tiny steps
    assert GPU.seconds(BIG, Work(read=10**6)) == pytest.approx(16e15 / (0.5 * 989e12))


def test_generation_is_bound_by_memory_kernels_or_arithmetic():
    one_row = Work(generated=100, rows=1, width=1000)
    fast = replace(GPU, bandwidth=1e15)
    assert GPU.seconds(BIG, one_row) == pytest.approx(100 * 32 * 6e-4)  # starting kernels
    slow = replace(GPU, bandwidth=1e11)
    weights_and_half_a_row = 16e9 + 0.7 * 500 * 2 * 32 * 1024 * 2
    assert slow.seconds(BIG, one_row) == pytest.approx(100 * weights_and_half_a_row / 0.7e11)
    many = Work(generated=1e6, rows=10**6, width=10)
    rows = 0.7 * 2**17 / 10
    assert fast.seconds(BIG, many) == pytest.approx(1e6 / rows * 16e9 * rows / (0.5 * 989e12))


def test_more_rows_make_generation_cheaper_until_the_budget():
    seconds = [GPU.seconds(BIG, Work(generated=1e6, rows=rows, width=200)) for rows in (1, 64, 600, 60_000)]
    assert seconds[0] > 20 * seconds[1] > 20 * seconds[2]
    assert seconds[3] == pytest.approx(GPU.seconds(BIG, Work(generated=1e6, rows=2**17 / 200, width=200)))


def test_memory_of_generating_and_of_training():
    generating = Work(generated=1, rows=100, width=500)
    cache, logits = 100 * 500 * 2 * 32 * 1024 * 2, 12 * 100 * 128_256
    assert GPU.bytes(BIG, generating) == pytest.approx(16e9 + cache + logits)
    training = Work(trained=4000, calls=2)
    kept = 2000 * (34 * 4096 * 32 + 12 * 128_256)
    assert GPU.bytes(BIG, training) == pytest.approx(16 * 8e9 + kept)


def test_this_cpu_is_compared_with_the_one_that_was_measured(monkeypatch):
    monkeypatch.setattr(ledger, "speed", lambda: 0.3)
    monkeypatch.setattr(ledger, "speeds", lambda: {"cpu": 0.1, "smoke": 0.6})
    own = machines.this_cpu()
    assert own.cpu
    assert own.times == pytest.approx({"cpu": 3, "smoke": 0.5})
    pieces = [Scaled(None, Work(), 10.0), Scaled(BIG, Work(generated=5), 4.0)]
    assert [cost.total("x", base, pieces, own).seconds for base in ("cpu", "smoke")] == pytest.approx([42, 7])
    assert cost.total("x", "cpu", pieces, machines.machine("cpu")).seconds == 14


def test_unknown_machine_is_refused():
    with pytest.raises(InputError, match="cpu, a100, h100, h200, l40s, rtx4090"):
        machines.machine("abacus")
