"""Word problems told as a chain of events: a start, what happens to it, what is asked at the end."""

import random
from collections.abc import Callable

from replication.testbed.lexicon import noun
from replication.testbed.story_details import opener
from replication.testbed.story_frames import Stage, set_stage
from replication.testbed.story_parts import Scenario, Unsuitable, Work
from replication.testbed.worlds import Problem

LARGEST = 400
_TRIES = 200
BOXES = tuple(noun(word) for word in "box bag basket jar tray pack bucket crate carton case".split())
Event = tuple[Callable[[random.Random, int, Work], tuple[int, dict[str, int]]], int, str]


def _nothing(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    return now, {}


def _count(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    return (amount := rng.randint(3, 60)), {"x": amount}


def _boxes(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    boxes, each = rng.randint(2, 9), rng.randint(2, 12)
    return work.mul(boxes, each), {"x": boxes, "y": each}


def _dozens(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    dozens = rng.randint(2, 6)
    return work.mul(dozens, 12), {"x": dozens}


def _gain(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    amount = rng.randint(2, 50)
    return work.add(now, amount), {"x": amount}


def _lose(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    amount = rng.randint(2, max(min(now - 1, 60), 2))
    return work.sub(now, amount), {"x": amount}


def _gain_boxes(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    boxes, each = rng.randint(2, 6), rng.randint(2, 12)
    return work.add(now, work.mul(boxes, each)), {"x": boxes, "y": each}


def _lose_boxes(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    people, each = rng.randint(2, 6), rng.randint(2, 9)
    return work.sub(now, work.mul(people, each)), {"x": people, "y": each}


def _part(rng: random.Random, now: int) -> int:
    fitting = [part for part in (2, 2, 2, 3, 4, 5) if now % part == 0]
    if not fitting:
        raise Unsuitable
    return rng.choice(fitting)


def _lose_half(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    return work.div(now, 2), {}


def _lose_part(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    part = _part(rng, now)
    return work.sub(now, work.div(now, part)), {"k": part}


def _double(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    return work.mul(now, 2), {}


def _share(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    fitting = [people for people in range(2, 13) if now % people == 0]
    if not fitting:
        raise Unsuitable
    people = rng.choice(fitting)
    return work.div(now, people), {"x": people}


def _price(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    price = rng.randint(2, 12)
    return work.mul(now, price), {"x": price}


def _need(rng: random.Random, now: int, work: Work) -> tuple[int, dict[str, int]]:
    goal = now + rng.randint(2, 50)
    return work.sub(goal, now), {"x": goal}


STARTS: tuple[Event, ...] = (
    (_count, 0, "{A} <has/had> {x#n}."),
    (_count, 0, "{A} <has/had> {x#n} [at home|in {A.his} collection|in {A.his} room|at first|at the start]."),
    (_count, 0, "There <are/were> {x#n} in {A.s} {box.one}."),
    (_count, 0, "[On {day}|In {month}|For {A.his} birthday|One day|In the morning], {A} <gets/got> {x#n}."),
    (_boxes, 1, "{A} <has/had> {x#box} with {y#n} in each [{box.one}|one|]."),
    (
        _boxes,
        1,
        "{A} <buys/bought> {x#box} of {n}. Each {box.one} [<holds/held>|<has/had>] {y#n}.",
    ),
    (_boxes, 1, "{A} <collects/collected> {y#n} [a|each|every] day for {x} days."),
    (_dozens, 1, "{A} <buys/bought> {x} dozen {n} [at the {shop}|]."),
)
EVENTS: tuple[Event, ...] = (
    (_gain, 1, "[Then|Later|On {day2}|After that], {A.he} <buys/bought> {x} more."),
    (_gain, 1, "{A.his} {relative} <gives/gave> {A.him} {x} more [{n}|]."),
    (_gain, 1, "{A.he} <finds/found> {x} more at the {place2}."),
    (_gain, 1, "[The next day|Later|Then], {A.he} <gets/got> another {x#n}."),
    (_lose, 1, "{A.he} <gives/gave> {x} [of them|] to {B}."),
    (_lose, 1, "{A.he} <loses/lost> {x} of them [on the way home|at school|]."),
    (_lose, 1, "{x} of them <are/were> [broken|bad|damaged|spoiled|dirty] and <have/had> to be thrown away."),
    (_lose, 1, "{A.he} <sells/sold> {x} [of the {n}|of them|]."),
    (_gain_boxes, 2, "Then {A.he} <buys/bought> {x} more {box} with {y#n} in each."),
    (_gain_boxes, 2, "{x} friends <give/gave> {A.him} {y#n} each."),
    (_lose_boxes, 2, "{A.he} <gives/gave> {y#n} to each of {A.his} {x} {kin}."),
    (_lose_boxes, 2, "{A.he} <uses/used> {y} [a|each|every] day for {x} days."),
    (_lose_half, 1, "{A.he} <gives/gave> half of [them|the {n}] to {B}."),
    (_lose_half, 1, "[Then|Later], {A.he} <loses/lost> half of [them|the {n}]."),
    (_lose_part, 2, "{A.he} <sells/sold> {k/} of [them|the {n}]."),
    (_lose_part, 2, "{k/} of [them|the {n}] <are/were> [thrown away|given away|used up|lost|sold]."),
    (_double, 1, "{A.his} {relative} <doubles/doubled> what {A.he} <has/had>."),
)
ENDINGS: tuple[Event, ...] = (
    (_nothing, 0, "How many {n} <does/did> {A} have [now|left|in the end|at the end]?"),
    (_nothing, 0, "How many {n} <are/were> there [now|in the end]?"),
    (
        _share,
        1,
        "{A.he} <shares/shared> [them|all the {n}|all of them] equally among {x} {kin}. "
        "How many {n} <does/did> each [of them|] get?",
    ),
    (
        _share,
        1,
        "{A.he} <puts/put> [all of them|what {A.he} <has/had> now|them|all {A.his} {n}] into {x#box}, "
        "the same number in each. How many {n} <are/were> in each {box.one}?",
    ),
    (_share, 1, "If {A.he} <puts/put> {x#n} in each {box.one}, how many {box} <does/did> {A~} [need|fill]?"),
    (
        _price,
        1,
        "{A.he} <sells/sold> [all of them|all the {n} {A.he} <has/had>|them all] for {x$} each. "
        "How much money <does/did> {A~} [get|make|earn]?",
    ),
    (_need, 1, "{A.he} <wants/wanted> to have {x#n}. How many more <does/did> {A~} need?"),
)
KIN = tuple("friends cousins sisters brothers classmates neighbors children students nephews nieces".split())


def _chain(rng: random.Random, level: int) -> tuple[Event, ...]:
    """Return a start, at least one event and an ending that together take `level` steps.

    Raises:
        Unsuitable: the start and the ending drawn take too many steps.
    """
    start, ending = rng.choice(STARTS), rng.choice(ENDINGS)
    left = level - start[1] - ending[1]
    if left < 1:
        raise Unsuitable
    events: list[Event] = []
    while left:
        event = rng.choice([one for one in EVENTS if one[1] <= left and one not in events])
        events.append(event)
        left -= event[1]
    return (start, *events, ending)


def _tell(rng: random.Random, level: int) -> Problem:
    chain = _chain(rng, level)
    stage: Stage = set_stage(
        rng, "{A.} {B.}", {}, slots={"n": "things|snacks|school", "kin": KIN, "box": BOXES}
    )
    work, now = Work(low=1, high=LARGEST * 12), 0
    said = [stage.say(opener(rng, "{A}"))]
    for happen, _, text in chain:
        now, numbers = happen(rng, now, work)
        if now > LARGEST and happen is not _price:
            raise Unsuitable
        stage.slots.update(numbers)
        said.append(stage.say(text))
    asked = "dollars" if happen is _price else stage.fill("n")
    return stage.problem(" ".join(said), work, stage.slots["A"].name, asked)


def chain(rng: random.Random, level: int) -> Problem:
    """Return a chain of events with `level` steps.

    Raises:
        Unsuitable: no chain came out with sensible numbers; the caller draws again.
    """
    for _ in range(_TRIES):
        try:
            return _tell(rng, level)
        except Unsuitable:
            continue
    raise Unsuitable


CHAINS = (
    Scenario(chain, frozenset({1, 2}), 4.0),
    Scenario(chain, frozenset({3}), 6.0),
    Scenario(chain, frozenset({4, 5}), 8.0),
)
