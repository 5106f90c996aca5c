"""Stories of any length: totals, ladders of comparisons, chains solved backwards, shopping lists, swaps."""

import random

from replication.testbed import lexicon
from replication.testbed.story_parts import Scenario, Scene, Unsuitable, Work, join
from replication.testbed.worlds import Problem

_FEW = (5, 10, 12, 20, 20, 30, 50, 60, 100)
_ALL = "[|in all|in total|altogether]"
_VERBS = (
    ("things", "<collects/collected>", "collect"),
    ("fruit|vegetables|flowers|scouting", "<picks/picked>", "pick"),
    ("things|goods|clothes", "<buys/bought>", "buy"),
    ("baked", "<bakes/baked>", "bake"),
    ("goods|baked|flowers", "<sells/sold>", "sell"),
    ("things", "<finds/found>", "find"),
    ("crafts", "<makes/made>", "make"),
    ("sea", "<catches/caught>", "catch"),
    ("animals|people|vehicles", "<counts/counted>", "count"),
    ("reading", "<reads/read>", "read"),
    ("plants", "<plants/planted>", "plant"),
    ("tasks", "<solves/solved>", "solve"),
    ("snacks", "<eats/ate>", "eat"),
    ("actions", "<does/did>", "do"),
    *(("things|goods", f"<{third}/{past}>", base) for base, third, past in lexicon.GAIN + lexicon.LOSE),
)
_COLLECTIVE = (
    ("fruit", "pieces of fruit"),
    ("vegetables", "vegetables"),
    ("toys", "toys"),
    ("farm", "animals"),
    ("pets", "pets"),
    ("flowers", "flowers"),
    ("trees", "plants"),
    ("clothes", "pieces of clothing"),
    ("bugs", "bugs"),
    ("wild", "animals"),
    ("school", "school supplies"),
    ("vehicles", "vehicles"),
    ("sports", "items"),
    ("household", "items"),
    ("baked", "items"),
)
_KEYS = "ABCDEF"


def _amounts(rng: random.Random, n: int) -> list[int]:
    top = rng.choice(_FEW)
    return [rng.randint(2, top) for _ in range(n)]


def _sum(values: list[int]) -> Work:
    work = Work(1)
    total = values[0]
    for value in values[1:]:
        total = work.add(total, value)
    return work


def total_people(rng: random.Random, level: int) -> Problem:
    """Return a total over `level` + 1 people."""
    values = _amounts(rng, level + 1)
    work = _sum(values)
    scene = Scene(rng, **{f"v{i}": v for i, v in enumerate(values)})
    keys = _KEYS[: level + 1]
    scene.people(*keys)
    themes, verb, base = rng.choice(
        (*_VERBS, ("things|goods", "<has/had>", "have"), ("things|animals", "<has/had>", "have"))
    )
    scene.noun("n", themes)
    style = rng.randrange(3)
    if style == 0:
        parts = [f"{{{key}}} {verb} {{v{i}{'#n' if i == 0 else ''}}}" for i, key in enumerate(keys)]
        told = join(parts) + "."
    elif style == 1:
        told = " ".join(f"{{{key}}} {verb} {{v{i}#n}}." for i, key in enumerate(keys))
    else:
        told = (
            f"{{A}} {verb} {{v0#n}}. "
            + join([f"{{{k}}} {verb} {{v{i}}}" for i, k in enumerate(keys) if i])
            + "."
        )
    who = "they" if level > 1 else "[they|{A} and {B}]"
    ask = f"How many {{n}} <do/did> {who} {base} [in all|in total|altogether|together]?"
    if style == 0 and rng.random() < 0.3:
        text = f"If {told[:-1]}, {ask[0].lower()}{ask[1:]}"
    else:
        text = f"{told} {ask}"
    return scene.problem(scene.say(text), work, "they")


def total_days(rng: random.Random, level: int) -> Problem:
    """Return a total over `level` + 1 days, months, weeks, rounds or rooms."""
    values = _amounts(rng, level + 1)
    work = _sum(values)
    scene = Scene(rng, **{f"v{i}": v for i, v in enumerate(values)})
    scene.people("A", roles=True)
    themes, verb, base = rng.choice(_VERBS)
    scene.noun("n", themes)
    times = _times(rng, level + 1)
    parts = [f"{{v{i}{'#n' if i == 0 else ''}}} {time}" for i, time in enumerate(times)]
    if rng.random() < 0.6:
        told = f"{{A}} {verb} {join(parts)}."
    else:
        told = f"{times[0]}, {{A}} {verb} {{v0#n}}. " + " ".join(
            f"{time}, {{A.he}} {verb} {{v{i}}} [more|{{n}}|]." for i, time in enumerate(times) if i
        )
    ask = f"[How many {{n}} <does/did> {{A~}} {base} {_ALL}?|What <is/was> the total number of {{n}}?]"
    return scene.problem(scene.say(f"{told} {ask}"), work)


def _times(rng: random.Random, n: int) -> list[str]:
    series = rng.choice(
        (
            [f"on {day}" for day in lexicon.WEEKDAYS],
            [f"in {month}" for month in lexicon.MONTHS],
            [f"on the {rank} day" for rank in lexicon.RANKS],
            [f"in the {rank} week" for rank in lexicon.RANKS],
            [f"in the {rank} hour" for rank in lexicon.RANKS],
            ["in the morning", "at noon", "in the afternoon", "in the evening", "at night", "after midnight"],
        )
    )
    first = rng.randint(0, len(series) - n)
    return series[first : first + n]


def total_kinds(rng: random.Random, level: int) -> Problem:
    """Return a total over `level` + 1 kinds of things or colours."""
    values = _amounts(rng, level + 1)
    work = _sum(values)
    scene = Scene(rng, **{f"v{i}": v for i, v in enumerate(values)})
    scene.people("A", roles=True)
    if rng.random() < 0.4:
        noun = scene.noun("n", "toys|clothes|flowers|crafts|household|sports|school|vehicles")
        for i, colour in enumerate(
            rng.sample(lexicon.COLOURS if rng.random() < 0.75 else lexicon.SIZES, level + 1)
        ):
            scene.slots[f"c{i}"] = colour
        parts = [f"{{v{i}#c{i} n}}" for i in range(level + 1)]
        word = noun.many
    else:
        theme, word = rng.choice(_COLLECTIVE)
        for i, noun in enumerate(rng.sample(lexicon.THEMES[theme], level + 1)):
            scene.slots[f"k{i}"] = noun
        parts = [f"{{v{i}#k{i}}}" for i in range(level + 1)]
    listed = join(parts)
    told = [
        f"{{A}} <has/had> {listed}. How many {word} <does/did> {{A~}} have {_ALL}?",
        f"There <are/were> {listed} {{place}}. How many {word} <are/were> there {_ALL}?",
        f"{{A}} <sees/saw> {listed} {{place}}. How many {word} <does/did> {{A~}} see {_ALL}?",
        f"{{A}} <counts/counted> {listed}. What is the total number of {word}?",
    ]
    if word not in ("animals", "pets", "bugs", "vehicles", "plants"):
        told.append(
            f"A {{shop}} <sells/sold> {listed} [on {{day}}|in one day|this week]. How many {word} is that "
            f"{_ALL}?"
        )
    scene.slots |= {"shop": rng.choice(lexicon.SHOPS), "day": rng.choice(lexicon.WEEKDAYS)}
    scene.slots["place"] = rng.choice(
        ("in the yard", "at the fair", "in the garden", "on the farm", "by the road", "at the show")
    )
    return scene.problem(scene.say(rng.choice(told)), work, "", word)


def ladder(rng: random.Random, level: int) -> Problem:
    """Return comparisons in a row (more, fewer, twice, half) that ask for the last, all or a difference."""
    asked = rng.choice(
        {
            1: ("last",),
            2: ("last", "total", "total"),
            3: ("last", "gap"),
            4: ("last", "total"),
            5: ("last", "gap"),
        }[level]
    )
    rungs = {"last": level, "total": level // 2, "gap": level - 1}[asked]
    work = Work(1, 300)
    start = value = rng.randint(2, rng.choice((10, 20, 40, 60)))
    scene = Scene(rng, v=start)
    keys = "ABCDEF"[: rungs + 1]
    scene.people(*keys)
    scene.noun("n", rng.choice(("things|goods|animals", "things", "reading", "baked")))
    sentences, values = ["{A} <has/had> {v#n}."], [start]
    for i in range(1, rungs + 1):
        value, text = _rung(rng, work, value, keys[i - 1], keys[i])
        scene.slots[f"s{i}"] = int(text[0])
        sentences.append(text[1].replace("{s", f"{{s{i}"))
        values.append(value)
    if rng.random() < 0.2 and rungs > 1:
        sentences = sentences[:0:-1] + sentences[:1]
        sentences[0] = (
            sentences[0]
            .replace("[than {", "[{n} than {")
            .replace("[fewer|", "[fewer {n}|")
            .replace("|less]", "]")
        )
    if asked == "total":
        total = values[0]
        for value in values[1:]:
            total = work.add(total, value)
        names = join([f"{{{key}}}" for key in keys])
        sentences.append(
            f"How many {{n}} <do/did> [they|{names}] have [in all|in total|altogether|together]?"
        )
    elif asked == "gap":
        high, low = (keys[-1], keys[0]) if values[-1] > values[0] else (keys[0], keys[-1])
        work.sub(max(values[0], values[-1]), min(values[0], values[-1]))
        sentences.append(f"How many more {{n}} <does/did> {{{high}}} have than {{{low}}}?")
    else:
        sentences.append(f"How many {{n}} <does/did> {{{keys[-1]}}} have?")
    return scene.problem(scene.say(" ".join(sentences)), work, "they" if asked == "total" else "")


def _rung(rng: random.Random, work: Work, value: int, below: str, above: str) -> tuple[int, tuple[int, str]]:
    """Compare one person with the one before; returns the new value and (number used, sentence with {s})."""
    kind = rng.choices("+-*/", (4, 4, 2.5, 1.5))[0]
    size = (
        rng.randint(2, max(3, value))
        if kind in "+-"
        else rng.choice((2, 2, 2, 3, 3, 4, 5))
        if kind == "*"
        else rng.choice((2, 2, 3, 4))
    )
    new = work.step(value, kind, size)
    old, who = f"{{{below}}}", f"{{{above}}}"
    text = {
        "+": f"{who} <has/had> {{s}} more [than {old}|{{n}} than {old}].",
        "-": f"{who} <has/had> {{s}} [fewer|fewer {{n}}|less] than {old}.",
        "*": f"{who} <has/had> [{{s*}} as many {{n}} as|{{s*}} as many as] {old}.",
        "/": f"{who} <has/had> {{s/}} as many [{{n}} |]as {old}.",
    }[kind]
    if kind == "/" and size > 2:
        text = text.replace("as many [{n} |]as", "of the number of {n} that").replace(
            f"{old}.", f"{old} <has/had>."
        )
    return new, (size, text)


_GAINED = (
    "{A~} <gets/got> {e} more",
    "{A~} <buys/bought> {e} more",
    "{G} <gives/gave> {A} {e} more",
    "{A~} <finds/found> {e}",
)
_LOST = (
    "{A~} <gives/gave> {e} to {G}",
    "{A~} <loses/lost> {e} [of them|]",
    "{A~} <sells/sold> {e} [of them|]",
    "{G} <takes/took> {e} of them",
)


def backwards(rng: random.Random, level: int) -> Problem:
    """Return a story whose start is unknown and whose end is known; it is solved from the end."""
    top = rng.choice(_FEW)
    value, changes = rng.randint(2, top), []
    for _ in range(level):
        size = rng.randint(2, max(3, top // 2))
        changes.append(-size if value > size and rng.random() < 0.5 else size)
        value += changes[-1]
    work = Work(1)
    left = value
    for change in reversed(changes):
        left = work.step(left, "-" if change > 0 else "+", abs(change))
    scene = Scene(rng, v=value)
    scene.people("A", roles=True)
    scene.noun("n", "things|goods")
    told = [scene.say("{A} <has/had> [some|some|a number of|a few] {n}[| in a box| in a bag].")]
    for i, change in enumerate(changes):
        scene.slots["e"] = abs(change)
        scene.slots.pop("G", None)
        link = rng.choice(("then ", "after that, ", "", "later, ")) if i else ""
        told.append(scene.say(f"{link}{rng.choice(_GAINED if change > 0 else _LOST)}."))
    extra = "[|left]" if min(changes) < 0 else "[|in all|altogether]"
    told.append(scene.say(f"[Now {{A}} has {{v#n}} {extra}.|In the end, {{A}} <has/had> {{v#n}} {extra}.]"))
    start = "[at first|to begin with|to start with|at the start|in the beginning|at the beginning]"
    told.append(scene.say(f"How many {{n}} did {{A}} have {start}?"))
    return scene.problem(" ".join(told), work)


def shopping(rng: random.Random, level: int) -> Problem:
    """Return a list of purchases, paid from a sum of money, or only added up."""
    change = level > 1 and rng.random() < 0.65
    n = level if change else level + 1
    top = rng.choice((6, 10, 15, 20, 40, 60))
    prices = [rng.randint(1 + (top > 6), top) for _ in range(n)]
    work = Work(1)
    total = prices[0]
    for price in prices[1:]:
        total = work.add(total, price)
    scene = Scene(rng, **{f"p{i}": price for i, price in enumerate(prices)})
    scene.people("A", roles=True)
    for i, noun in enumerate(rng.sample(lexicon.THEMES["shopping"], n)):
        scene.slots[f"k{i}"] = noun
    forms = rng.choice(
        ("a {k%d.one} for {p%d$}", "a {k%d.one} that <costs/cost> {p%d$}", "a {k%d.one} for {p%d$}")
    )
    bought = join([forms % (i, i) for i in range(n)])
    scene.slots["shop"] = rng.choice(lexicon.SHOPS)
    where = rng.choice(("", "at the {shop}", "for {G}"))
    if not change:
        ask = (
            "[How much <does/did> {A~} spend [in all|in total|altogether|]?|What <is/was> the total "
            "cost?|How much <does/did> everything cost?]"
        )
        return scene.problem(
            scene.say(f"{{A}} <buys/bought> {bought} {where}. {ask}"), work, scene.slots["A"].name, "dollars"
        )
    notes = [note for note in (10, 20, 50, 100, 200, 500) if note > total][:2]
    money = rng.choice(notes) if rng.random() < 0.5 else total + rng.randint(1, max(top, 5))
    scene.slots["w"] = money
    work.sub(money, total)
    paid = rng.choice(
        (
            "{A} <has/had> {w$} [|in {A.his} wallet|in {A.his} pocket]. {A.he} <buys/bought> %s %s. How "
            "much money does {A} have [left|now]?",
            "{A} <buys/bought> %s %s. {A.he} <pays/paid> with {w$}. How much change <does/did> {A~} get "
            "[|back]?",
            "{A} <buys/bought> %s %s. {A.he} <gives/gave> the cashier {w$}. How much change should {A.he} "
            "get?",
            "{A} <goes/went> shopping with {w$}. {A.he} <buys/bought> %s %s. How many dollars are left?",
        )
    ) % (bought, where)
    return scene.problem(scene.say(paid), work, scene.slots["A"].name, "dollars")


def swap(rng: random.Random, level: int) -> Problem:
    """Return a transfer between two people: one share after it, the difference or both checks in a row."""
    top = rng.choice(_FEW[2:])
    x, y, z, w = rng.randint(4, top), rng.randint(2, top), rng.randint(2, max(3, top // 2)), rng.randint(2, 9)
    if z >= x:
        raise Unsuitable
    scene = Scene(rng, x=x, y=y, z=z, w=w)
    scene.people("A", "B")
    scene.noun("n", "things|goods")
    work = Work(1)
    told = "{A} <has/had> {x#n} and {B} <has/had> {y} [|{n}]. {A} <gives/gave> {z} [of {A.his} {n} |]to {B}."
    if level == 1:
        if rng.random() < 0.5:
            work.sub(x, z)
            ask = "How many {n} does {A} have [now|left]?"
        else:
            work.add(y, z)
            ask = "How many {n} does {B} have now?"
    elif level == 2:
        if rng.random() < 0.5:
            work.add(work.add(y, z), w)
            told += " Then {B} <finds/found> {w} more."
            ask = "How many {n} does {B} have now?"
        else:
            work.sub(work.sub(x, z), w)
            told += " Then {A} <loses/lost> {w}."
            ask = "How many {n} does {A} have now?"
    else:
        left, got = work.sub(x, z), work.add(y, z)
        work.sub(max(left, got), min(left, got))
        ask = "How many more {n} does {%s} have than {%s} now?" % (("A", "B") if left > got else ("B", "A"))
    return scene.problem(scene.say(f"{told} {ask}"), work)


def _serves(make: object, levels: str, weight: float) -> Scenario:
    return Scenario(make, frozenset(map(int, levels)), weight)


SCENARIOS: tuple[Scenario, ...] = (
    _serves(total_people, "1", 10),
    _serves(total_people, "2", 9),
    _serves(total_people, "345", 6),
    _serves(total_days, "1", 8),
    _serves(total_days, "2", 8),
    _serves(total_days, "345", 6),
    _serves(total_kinds, "1", 6),
    _serves(total_kinds, "2", 8),
    _serves(total_kinds, "345", 5),
    _serves(ladder, "1", 12),
    _serves(ladder, "2", 18),
    _serves(ladder, "345", 12),
    _serves(backwards, "1", 4),
    _serves(backwards, "2", 7),
    _serves(backwards, "345", 6),
    _serves(shopping, "1", 4),
    _serves(shopping, "2", 8),
    _serves(shopping, "345", 8),
    _serves(swap, "1", 3),
    _serves(swap, "2", 3),
    _serves(swap, "3", 3),
)
