"""Building blocks of the word problems: templates, people, quantities, arithmetic plans.

A template is plain text with three marks, which may be nested:

    [a|b|c]        one of the alternatives, drawn evenly (an empty one is allowed)
    <has/had>      present or past, the same choice throughout one story
    {slot}         something of the scene; see `Scene.fill` for the forms a slot can take

`frame` turns a plan ("x+y, r1-z") and a template into a `Scenario`; the numbers, people and nouns are drawn
until every step of the plan has a sensible value. Articles and capitals are put right afterwards.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from replication.testbed import lexicon
from replication.testbed.lexicon import Noun, Person
from replication.testbed.story_labels import labels
from replication.testbed.worlds import Problem, Step, calculate

LARGEST = 999
_TRIES = 200
_TOKENS = re.compile(r"[\[\]|<>/{}]")
_ARTICLE = re.compile(r"\b([Aa])n? (?=([A-Za-z0-9][\w-]*))")
_SENTENCE = re.compile(r'(?:^|(?<=[.?!] )|(?<=[.?!]" ))[a-z]')
_DOZEN = re.compile(r"\b(the|these|those|another|all|his|her|their) a dozen\b", re.IGNORECASE)
_CONSONANT_SOUND = re.compile(r"(?:uni|use|usu|eu|one\b|once)", re.IGNORECASE)
_VOWEL_SOUND = re.compile(r"(?:[aeiou]|hour|honest|8\d*\b|11\b|18\b)", re.IGNORECASE)


class Unsuitable(Exception):
    """The drawn numbers do not fit the story; the caller draws again."""


@dataclass(frozen=True)
class Scenario:
    """One way of making word problems.

    Attributes:
        make: (random source, level) to a problem with that many steps; may raise `Unsuitable`.
        levels: the levels it can serve.
        weight: relative frequency among the scenarios of a level.
    """

    make: Callable[[random.Random, int], Problem]
    levels: frozenset[int]
    weight: float = 1.0


class Work:
    """Collects the calculation steps; each method adds one step and returns its result."""

    def __init__(self, low: int = 0, high: int = LARGEST) -> None:
        self.steps: list[Step] = []
        self.low = low
        self.high = high

    def step(self, left: int, op: str, right: int) -> int:
        """Add `left op right` and return the result.

        Raises:
            Unsuitable: the result is no integer between `low` and `high`.
        """
        try:
            result = calculate(left, op, right)
        except ValueError as error:
            raise Unsuitable from error
        if not self.low <= result <= self.high:
            raise Unsuitable
        self.steps.append(Step(left, op, right, result))
        return result

    def add(self, left: int, right: int) -> int:
        """Add the step left + right."""
        return self.step(left, "+", right)

    def sub(self, left: int, right: int) -> int:
        """Add the step left - right."""
        return self.step(left, "-", right)

    def mul(self, left: int, right: int) -> int:
        """Add the step left * right."""
        return self.step(left, "*", right)

    def div(self, left: int, right: int) -> int:
        """Add the step left / right, which must come out even."""
        return self.step(left, "/", right)


@lru_cache(maxsize=8192)
def _compile(template: str) -> tuple:
    """Parse a template into a tuple of texts, ("choice" | "tense", parts) and ("slot", text)."""
    try:
        return _parse(template, 0, "")[0]
    except IndexError:
        raise ValueError(f"an unclosed mark in template {template!r}") from None


def _parse(template: str, position: int, ends: str) -> tuple[tuple, int]:
    parts: list = []
    while position < len(template):
        mark = template[position]
        if mark in ends:
            break
        if mark in "[<":
            kind, between, close = ("choice", "|", "]") if mark == "[" else ("tense", "/", ">")
            options = []
            while mark != close:
                option, position = _parse(template, position + 1, between + close)
                options.append(option)
                mark = template[position]
            if kind == "tense" and (len(options) != 2 or "|" in str(options)):
                raise ValueError(f"a tense mark in a template needs <present/past>, got {template!r}")
            parts.append((kind, tuple(options)))
            position += 1
        elif mark == "{":
            close_at = template.index("}", position)
            parts.append(("slot", template[position + 1 : close_at]))
            position = close_at + 1
        elif mark in "]>|":
            raise ValueError(f"a stray {mark!r} in template {template!r}")
        else:
            following = _TOKENS.search(template, position + 1)
            end = following.start() if following else len(template)
            parts.append(template[position:end])
            position = end
    return tuple(parts), position


def number_words(n: int) -> str:
    """Return a number below 100, or a full hundred, in words; larger ones stay digits."""
    if n <= 20:
        return lexicon.NUMBERS[n]
    if n < 100:
        tens, ones = lexicon.TENS[n // 10], n % 10
        return f"{tens}-{lexicon.NUMBERS[ones]}" if ones else tens
    return f"{lexicon.NUMBERS[n // 100]} hundred" if n % 100 == 0 and n < 1000 else str(n)


def join(items: list[str] | tuple[str, ...], word: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def tidy(text: str) -> str:
    """Put right spaces, "a" before vowels and capitals at the start of sentences."""
    text = " ".join(text.split()).replace(" ,", ",").replace(" .", ".").replace(" ?", "?")
    text = _DOZEN.sub(r"\1 dozen", _ARTICLE.sub(_article, text))
    return _SENTENCE.sub(lambda m: m.group().upper(), text)


def _article(match: re.Match) -> str:
    word = match.group(2)
    vowel = _VOWEL_SOUND.match(word) and not _CONSONANT_SOUND.match(word)
    return f"{match.group(1)}n " if vowel else f"{match.group(1)} "


class Scene:
    """The cast and style of one story: people, nouns, numbers, tense, digits or words.

    Attributes:
        rng: random source.
        past: whether <present/past> marks give the past.
        slots: name to Person, Noun, int or str; add to it freely.
    """

    def __init__(self, rng: random.Random, **slots: object) -> None:
        self.rng = rng
        self.past = rng.random() < 0.6
        self.slots: dict[str, object] = dict(slots)
        style = rng.random()
        self.words_up_to = 0 if style < 0.8 else 12 if style < 0.93 else 99
        self.words_chance = 1.0 if rng.random() < 0.6 else 0.5
        self.dollar_sign = rng.random() < 0.65
        self._met: set[str] = set()
        self._last = ""

    def people(self, *keys: str, roles: bool = False) -> None:
        """Cast people of distinct names; with `roles` the first may be "a farmer" or "Mr. Lee"."""
        taken = {p.name for p in self.slots.values() if isinstance(p, Person)}
        for position, key in enumerate(keys):
            person = lexicon.person(self.rng, roles and position == 0)
            while person.name in taken:
                person = lexicon.person(self.rng, False)
            taken.add(person.name)
            self.slots[key] = person

    def other(self, key: str, of: str = "A") -> None:
        """Cast someone for the key who has to do with the person `of`: "his sister", "a friend" or a name."""
        owner = self.slots[of]
        if isinstance(owner, Person) and of in self._met and self.rng.random() < 0.45:
            name = f"{owner.his} {self.rng.choice(lexicon.RELATIVES)}"
            self.slots[key] = Person(name, "they", "them", "their", name)
        else:
            self.slots.pop(key, None)
            self.people(key)

    def noun(self, key: str, themes: str) -> Noun:
        """Draw a noun from themes such as "food|toys" ("~n": the theme of slot n, but another noun)."""
        if themes.startswith("~"):
            other = self.slots[themes[1:]]
            group = lexicon.group_of(other)
            noun = self.rng.choice(group)
            while noun == other:
                noun = self.rng.choice(group)
        else:
            noun = self.rng.choice(lexicon.themed(themes))
        self.slots[key] = noun
        return noun

    def say(self, template: str) -> str:
        """Expand a template with this scene's slots; capitals and articles are left to `tidy`."""
        out: list[str] = []
        self._expand(_compile(template), out)
        return "".join(out)

    def _expand(self, parts: tuple, out: list[str]) -> None:
        for part in parts:
            if isinstance(part, str):
                out.append(part)
            elif part[0] == "slot":
                out.append(self.fill(part[1]))
            elif part[0] == "tense":
                self._expand(part[1][self.past], out)
            else:
                self._expand(self.rng.choice(part[1]), out)

    def fill(self, slot: str) -> str:
        """Return the text of a slot.

        Forms: {A} name (a role is "a farmer" first, "the farmer" later), {A~} name, or pronoun if A was named
        last, {A.he} {A.him} {A.his} {A.s} (Tom's); {G} and {H} are cast when first used. {n} plural noun,
        {n.one} singular, {n.a} with article; {x} number, {x#n} number with the noun of slot n, {x#minute}
        with that word, {x#more n} "3 more apples", {x#c n} with the text of slot c between, {x&n} "another 3
        apples"; {x$} money; {k*} "twice" or "3 times"; {k/} "half", "a third"; any text slot as it is.
        """
        key, _, attribute = slot.partition(".")
        if "#" in slot:
            return self._counted(*slot.split("#"))
        if "&" in slot:
            counted = self._counted(*slot.split("&"))
            single = self.slots[slot[0]] == 1
            return f"another {counted.split(' ', 1)[1] if single else counted}"
        if slot[-1] in "$*/":
            style = {"$": self.money, "*": self.times, "/": self.fraction}[slot[-1]]
            return style(self._int(slot[:-1]))
        key = key.rstrip("~")
        if key in ("G", "H") and key not in self.slots:
            self.other(key)
        if slot[-1] == "~":
            attribute = "he" if self._last == key and self.rng.random() < 0.65 else ""
        value = self.slots[key]
        if isinstance(value, Person):
            return self._name(key, value, attribute)
        if isinstance(value, Noun):
            return {"": value.many, "one": value.one, "a": f"a {value.one}"}[attribute]
        return self.number(value) if isinstance(value, int) else str(value)

    def _counted(self, key: str, what: str) -> str:
        before, _, word = what.rpartition(" ")
        noun = self.slots.get(word)
        if not isinstance(noun, Noun):
            noun = lexicon.noun(what)
        elif before:
            between = self.slots.get(before, before)
            noun = Noun(f"{between} {noun.one}", f"{between} {noun.many}")
        return self.count(self._int(key), noun)

    def _int(self, key: str) -> int:
        value = int(key) if key.isdigit() else self.slots[key]
        if not isinstance(value, int):
            raise TypeError(f"slot {key!r} needs a number, got {value!r}")
        return value

    def _name(self, key: str, person: Person, attribute: str) -> str:
        if attribute in ("he", "him", "his"):
            return getattr(person, attribute)
        first = key not in self._met
        self._met.add(key)
        self._last = key
        name = person.first if first else person.name
        return f"{name}'s" if attribute == "s" else name

    def number(self, n: int) -> str:
        """Return a number in digits, or in words where the story's style has it so."""
        in_words = n <= self.words_up_to and self.rng.random() < self.words_chance
        return number_words(n) if in_words else str(n)

    def count(self, n: int, noun: Noun) -> str:
        """Return "3 apples", "1 apple" or, at times, "a dozen apples"."""
        if n == 12 and self.rng.random() < 0.12:
            return f"a dozen {noun.many}"
        return f"{self.number(n)} {noun.one if n == 1 else noun.many}"

    def money(self, n: int) -> str:
        """Return "$5" or "5 dollars", the same way throughout a story."""
        return f"${n}" if self.dollar_sign else self.count(n, lexicon.DOLLAR)

    def times(self, n: int) -> str:
        """Return "twice", "3 times" or "three times"."""
        if n == 2:
            return "twice"
        return f"{number_words(n) if self.rng.random() < 0.4 else n} times"

    def fraction(self, n: int) -> str:
        """Return the n-th part in words: "half", "a third", "one fourth", "1/5"."""
        if n == 2:
            return "half"
        if self.rng.random() < 0.4:
            return f"1/{n}"
        name = "quarter" if n == 4 and self.rng.random() < 0.5 else lexicon.ORDINALS[n]
        return f"{self.rng.choice(('a', 'one'))} {name}"

    def problem(self, text: str, work: Work, subject: str = "", noun: str = "") -> Problem:
        """Return the problem told by `text`, whose answer is the result of the last step.

        Without a subject or noun they are read off the question.
        """
        question = tidy(text)
        steps = tuple(str(step) for step in work.steps)
        if not (subject and noun):
            people = {p.name: p.he for p in self.slots.values() if isinstance(p, Person)}
            nouns = [n.many for n in self.slots.values() if isinstance(n, Noun)]
            found = labels(question, people, nouns)
            subject, noun = subject or found[0], noun or found[1]
        return Problem("stories", question, str(work.steps[-1].result), steps, subject, noun, len(steps))


def frame(
    plan: str,
    text: str,
    *,
    weight: float = 1.0,
    roles: bool = True,
    low: int = 1,
    check: Callable[[Mapping[str, int]], bool] | None = None,
    **slots: object,
) -> Scenario:
    """Make a scenario from a plan and a template.

    Args:
        plan: steps over number slots, constants and earlier results, e.g. "x*y, r1-z". A number that is
            divided and comes from the question is made a multiple of its divisor.
        text: the template of the whole question. The people A, B, C, D are cast when it names them, and G, H
            as people around A ("his sister", "Mary").
        weight: relative frequency.
        roles: A may be "a farmer" or "Mrs. Lee" instead of a first name.
        low: smallest result allowed in any step.
        check: extra condition on the numbers (slot name to value, with r1, r2, ... the results).
        slots: a number range (low, high), a list of numbers, a theme name ("food|toys", "~n" for another noun
            of n's theme), a tuple of texts or nouns to choose from, or a function of the numbers so far.

    Returns:
        The scenario; its level is the number of steps.
    """
    steps = tuple(re.fullmatch(r"(\w+)([-+*/])(\w+)", s).groups() for s in plan.replace(" ", "").split(","))
    cast = tuple(key for key in "ABCD" if re.search(rf"\{{{key}[.~}}]", text))
    numbers = {k: v for k, v in slots.items() if _is_number_slot(v)}
    others = {k: v for k, v in slots.items() if k not in numbers}
    for left, op, right in steps:
        for key in (left, right):
            if re.fullmatch(r"[a-z]", key):
                numbers.setdefault(key, (2, 12) if op in "*/" else ())
    used = {key for left, _, right in steps for key in (left, right)}
    roles = roles and bool(re.match(r"(?:\w+,? )?\{A\}", text))
    _compile(text)

    def make(rng: random.Random, level: int) -> Problem:
        scene = Scene(rng)
        work = _draw(rng, steps, numbers, used, low, check, scene.slots)
        scene.people(*cast, roles=roles)
        for key, spec in others.items():
            if isinstance(spec, str):
                scene.noun(key, spec)
            else:
                scene.slots[key] = rng.choice(spec)
        return scene.problem(scene.say(text), work)

    return Scenario(make, frozenset({len(steps)}), weight)


def frames(plan: str, texts: str, *, weight: float = 1.0, **slots: object) -> tuple[Scenario, ...]:
    """Make one scenario per paragraph of `texts`, all of one plan; see `frame` for the rest.

    Args:
        plan: the steps.
        texts: templates, separated by empty lines.
        weight: relative frequency of each paragraph.
        slots: further arguments of `frame`.

    Returns:
        One scenario for each paragraph.
    """
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", texts))
    return tuple(frame(plan, part, weight=weight, **slots) for part in paragraphs if part)


def _is_number_slot(spec: object) -> bool:
    return callable(spec) or (isinstance(spec, list | tuple) and len(spec) > 0 and isinstance(spec[0], int))


def _draw(
    rng: random.Random,
    steps: tuple,
    numbers: Mapping[str, object],
    used: set[str],
    low: int,
    check: Callable[[Mapping[str, int]], bool] | None,
    values: dict[str, object],
) -> Work:
    """Draw the number slots until the plan works out; fills `values` and returns the steps."""
    for _ in range(_TRIES):
        drawn = _numbers(rng, steps, numbers)
        work = Work(low)
        try:
            for i, (left, op, right) in enumerate(steps, 1):
                a, b = (int(k) if k.isdigit() else drawn[k] for k in (left, right))
                drawn[f"r{i}"] = work.step(a, op, b)
        except Unsuitable:
            continue
        if any(not 0 < drawn[key] <= LARGEST for key in numbers) or (check and not check(drawn)):
            continue
        values.update(drawn)
        return work
    raise Unsuitable


def _numbers(rng: random.Random, steps: tuple, numbers: Mapping[str, object]) -> dict[str, int]:
    top = rng.choice((10, 15, 20, 20, 30, 50, 50, 80, 100, 100, 300 if len(steps) < 3 else 60))
    drawn: dict[str, int] = {}
    for key, spec in numbers.items():
        if not callable(spec):
            drawn[key] = _one(rng, spec or (2, top))
    for left, op, right in steps:
        divisor = int(right) if right.isdigit() else drawn.get(right, 0)
        if op == "/" and divisor and isinstance(numbers.get(left), tuple) and left in drawn:
            largest = max(drawn[left] // divisor, 1)
            drawn[left] = divisor * (largest if largest > 1 else rng.randint(2, 12))
    for key, spec in numbers.items():
        if callable(spec):
            drawn[key] = spec(drawn)
    return drawn


def _one(rng: random.Random, spec: object) -> int:
    return rng.choice(spec) if isinstance(spec, list) else rng.randint(*spec)
