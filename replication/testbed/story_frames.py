"""Tales: word problems from a plan whose numbers are drawn to fit, told in one of several texts.

A plan such as ``"k:2-9 e:3-12 c:2-30 > t=k*e r=t-c"`` names the numbers that a story gives before the mark
``>``: a range, every tenth value of a range (``p:10-200/10``), a choice (``p:5,10,20``), a formula over
earlier ones (``t=k*e``) or a condition (``a<b``). After the mark come the steps of the solution; the last one
gives the answer. Drawing numbers backwards, from the result, makes every division exact.

Texts are templates of `story_parts.Scene` with a few more slots: ``{x!}`` digits, ``{j//k}`` "3/4" or "three
fourths", ``{verb~}`` a verb of the table in the story's tense, ``{verb.ing}``, and words from pools such as
``{day}`` and ``{color2}``.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from replication.testbed import lexicon
from replication.testbed.lexicon import Noun, Person
from replication.testbed.story_details import opener
from replication.testbed.story_parts import Scenario, Scene, Unsuitable, Work, number_words
from replication.testbed.story_words import KINDS, POOLS, TABLES, verb_form
from replication.testbed.worlds import Problem

LARGEST_RESULT = 9_999
LARGEST_ANSWER = 2_000
_ATTEMPTS = 2_000
Formula = tuple[str, str, str, str]


@dataclass(frozen=True)
class Plan:
    """What a story gives and the calculations that solve it.

    Attributes:
        given: what to draw, in order: (name, values), a formula, or a pair that must be ascending.
        steps: the calculations, in the order of the solution.
    """

    given: tuple[tuple, ...]
    steps: tuple[Formula, ...]


@cache
def parse_plan(text: str) -> Plan:
    """Return the plan written as `text`.

    Raises:
        ValueError: if a token is neither a range, a choice, a formula nor a condition.
    """
    left, right = text.split(" > ")
    return Plan(
        tuple(_given(token) for token in left.split()), tuple(_formula(token) for token in right.split())
    )


def _given(token: str) -> tuple:
    if "<" in token:
        return tuple(token.split("<"))
    if "=" in token:
        return _formula(token)
    name, values = token.split(":")
    if "-" not in values:
        return name, tuple(int(value) for value in values.split(",")), "values"
    low, rest = values.split("-")
    high, _, stride = rest.partition("/")
    return name, tuple(range(int(low), int(high) + 1, int(stride or 1))), "values"


def _formula(token: str) -> Formula:
    match = re.fullmatch(r"(\w+)=(\w+)([-+*/])(\w+)", token)
    if match is None:
        raise ValueError(f"not a formula: {token!r}; write it like total=bags*each")
    return match.group(1), match.group(2), match.group(3), match.group(4)


def draw(rng: random.Random, plan: Plan) -> tuple[dict[str, int], Work]:
    """Return the given numbers by name and the steps.

    Raises:
        Unsuitable: if no draw satisfies the plan.
    """
    for _ in range(_ATTEMPTS):
        try:
            numbers: dict[str, int] = {}
            _draw_given(rng, plan, numbers)
            given = dict(numbers)
            work = _work(plan.steps, numbers)
        except Unsuitable:
            continue
        if work.steps[-1].result <= LARGEST_ANSWER:
            return given, work
    raise Unsuitable(f"no numbers satisfy {plan}")


def _draw_given(rng: random.Random, plan: Plan, numbers: dict[str, int]) -> None:
    for entry in plan.given:
        if len(entry) == 3:
            name, values, _ = entry
            # Small numbers a little more often.
            numbers[name] = values[int(len(values) * rng.random() ** 1.25)]
        elif len(entry) == 4:
            _work((entry,), numbers)
        elif not _value(numbers, entry[0]) < _value(numbers, entry[1]):
            raise Unsuitable


def _value(numbers: Mapping[str, int], key: str) -> int:
    return int(key) if key.isdigit() else numbers[key]


def _work(formulas: tuple[Formula, ...], numbers: dict[str, int]) -> Work:
    work = Work(low=1, high=LARGEST_RESULT)
    for name, left, op, right in formulas:
        numbers[name] = work.step(_value(numbers, left), op, _value(numbers, right))
    return work


class Stage(Scene):
    """A scene whose missing words come from pools and whose verbs follow the tense."""

    def fill(self, slot: str) -> str:
        """Return the text of a slot; see `Scene.fill` and the module's text for the forms."""
        if slot.endswith("!"):
            return str(self._int(slot[:-1]))
        if "//" in slot:
            top, _, bottom = slot.partition("//")
            return self.part(self._int(top), self._int(bottom))
        if slot.startswith("verb"):
            key, form = re.fullmatch(r"(verb\d?)(.*)", slot).groups()
            wanted = form.strip(".~") or ("" if not form else "ed" if self.past else "s")
            return verb_form(str(self.slots[key]), wanted)
        key = re.match(r"\w+", slot).group()
        if key not in self.slots and key.rstrip("23456") in POOLS:
            self._take(key, key.rstrip("23456"))
        return super().fill(slot)

    def count(self, n: int, noun: Noun) -> str:
        """Return "3 apples"; amounts of money are never told in dozens."""
        return f"{self.number(n)} {noun.many}" if noun == lexicon.DOLLAR and n > 1 else super().count(n, noun)

    def _take(self, key: str, pool: str) -> None:
        taken = {str(word) for name, word in self.slots.items() if name.rstrip("23456") == pool}
        self.slots[key] = self.rng.choice([word for word in POOLS[pool] if word not in taken])

    def part(self, top: int, bottom: int) -> str:
        """Return "3/4" or "three fourths"."""
        if bottom == 2 or top == 1 or self.rng.random() < 0.5:
            return f"{top}/{bottom}"
        between = self.rng.choice(" -")
        return f"{number_words(top)}{between}{lexicon.ORDINALS[bottom]}s"


def tale(
    plan: str,
    text: str,
    *,
    weight: float = 1.0,
    about: str = "A",
    counts: str = "n",
    table: str = "",
    roles: bool = True,
    **slots: str | tuple[str, ...],
) -> Scenario:
    """Make a scenario from a plan and the texts that can tell it.

    Args:
        plan: numbers and steps; see the module's text.
        text: templates of the whole question, separated by empty lines; one is drawn.
        weight: relative frequency.
        about: slot or plain text of what the answer is about.
        counts: slot or plain plural of what is counted.
        table: a table of `story_words`, one row of which is drawn into the slots named by its columns.
        roles: A may be "a farmer" or "Mrs. Lee" instead of a first name.
        slots: a theme such as "food|toys" ("~n": another noun of n's theme) or a tuple of words.

    Returns:
        The scenario; its level is the number of steps of the plan.
    """
    parsed = parse_plan(plan)
    templates = tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))

    def make(rng: random.Random, level: int) -> Problem:
        numbers, work = draw(rng, parsed)
        template = rng.choice(templates)
        template = opener(rng, template) + template
        stage = set_stage(rng, template, numbers, table, roles, slots)
        text = stage.say(template)
        return stage.problem(text, work, *_labels(stage, about, counts, text))

    return Scenario(make, frozenset({len(parsed.steps)}), weight)


def set_stage(
    rng: random.Random,
    template: str,
    numbers: Mapping[str, int],
    table: str = "",
    roles: bool = True,
    slots: Mapping[str, str | tuple[str, ...]] | None = None,
) -> Stage:
    """Return a stage with numbers, the people that the template names, a row of the table and nouns."""
    stage = Stage(rng, **numbers)
    stage.people(*(key for key in "ABCD" if re.search(rf"\{{{key}[.~}}]", template)), roles=roles)
    if table:
        columns, rows = TABLES[table]
        stage.slots.update(zip(columns, rng.choice(rows), strict=True))
    for key, spec in (slots or {}).items():
        if isinstance(spec, str):
            noun = rng.choice(KINDS[spec]) if spec in KINDS else stage.noun(key, spec)
            stage.slots[key] = noun
        else:
            stage.slots[key] = rng.choice(spec)
    return stage


def _labels(stage: Stage, about: str, counts: str, text: str) -> tuple[str, str]:
    """Return subject and counted noun as plain texts; "they" and "" where the text does not name them."""
    subject, noun = stage.slots.get(about, "they"), stage.slots.get(counts, counts)
    if about in ("each", "it"):
        subject = about
    many = noun.many if isinstance(noun, Noun) else str(noun)
    money = many == "dollars" and ("$" in text or "money" in text)
    return (
        subject.name if isinstance(subject, Person) else str(subject),
        many if money or many in text else "",
    )
