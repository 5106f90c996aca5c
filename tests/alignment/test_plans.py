"""Plans refuse what cannot be trained, and their keys tell what determines a training."""

from dataclasses import replace

import pytest

from replication.alignment.objectives import Objective
from replication.alignment.plans import Example, Hyper, Plan, Tuning, Watch
from replication.lm.records import canonical
from replication.settings import InputError

HYPER = Hyper(1e-3, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0.0}, "rate > 0"),
        ({"rows": 0}, "rows >= 1"),
        ({"warmup": 1.0}, "warmup"),
        ({"epochs": 0.0}, "steps or epochs"),
        ({"schedule": "none"}, "schedule"),
    ],
)
def test_bad_hyper_parameters_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        replace(HYPER, **options)


def test_plans_of_unusable_pairs_are_refused(make_pairs):
    plan = Plan("cdpo", "testbed", make_pairs(), Objective("cdpo"), HYPER)
    plan.check()
    with pytest.raises(InputError, match="needs weights"):
        replace(plan, pairs=(*plan.pairs, replace(plan.pairs[0], weights=None))).check()
    with pytest.raises(InputError, match="no preference pair"):
        replace(plan, pairs=()).check()
    with pytest.raises(InputError, match="steps between"):
        replace(plan, watch=Watch(plan.pairs, every=0)).check()


def test_keys_tell_plans_apart_and_weights_only_where_they_are_used(make_pairs):
    pairs = make_pairs()
    plan = Plan("one", "testbed", pairs, Objective("cdpo"), HYPER)
    other = tuple(replace(pair, weights=(0.5,) * len(pair.rejected)) for pair in pairs)
    changes = [{"pairs": other}, {"pairs": pairs[1:]}, {"objective": Objective("cdpo", beta=0.5)},
               {"seed": 1}, {"hyper": replace(HYPER, rate=2e-3)}, {"watch": Watch(pairs)},
               {"watch": Watch(pairs, kl=True)}]  # fmt: skip
    keys = {canonical(replace(plan, **change).key()) for change in ({}, *changes)}
    assert len(keys) == 1 + len(changes)
    dpo = replace(plan, objective=Objective("dpo"))
    assert dpo.key() == replace(dpo, pairs=other).key()


def test_fine_tunings_need_examples():
    one = Example("q", (3,), (4, 2))
    tuning = Tuning("positive", "testbed", (one,), HYPER)
    tuning.check()
    assert tuning.key() != replace(tuning, examples=(one, one)).key()
    for examples, message in (((), "no examples"), ((replace(one, response=()),), "no response")):
        with pytest.raises(InputError, match=message):
            replace(tuning, examples=examples).check()
