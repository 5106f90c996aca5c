"""Stories of a stock that goes up and down: a setting, a start, then one event per calculation step.

`chain` is the plain form with small numbers (start 2..20, changes 1..9, all values 0..40); `events` the same
with numbers of any size. Who and what differ by `Setting`; every event is worded anew.
"""

import random
import re
from dataclasses import dataclass

from replication.testbed import lexicon
from replication.testbed.story_parts import Scenario, Scene, Unsuitable, Work
from replication.testbed.worlds import Problem


@dataclass(frozen=True)
class Setting:
    """Where a stock goes up and down.

    Attributes:
        themes: nouns that fit.
        start: template of the first sentence, with {x}.
        gains: templates of events that add {e}.
        losses: templates of events that take {e} away.
        asks: templates of the question.
        about: slot or text of what is asked about.
        places: texts for {place}.
        weight: relative frequency.
    """

    themes: str
    start: str
    gains: tuple[str, ...]
    losses: tuple[str, ...]
    asks: tuple[str, ...]
    about: str = "A"
    places: tuple[str, ...] = ("",)
    weight: float = 1.0


_OWN = "[{e} more|{e#more n}|{e#n}|{e#n}]"
_PART = "[{e} of them|{e} of {A.his} {n}|{e#n}|{e}|{e#n}]"
_HAVE_ASKS = (
    "How many {n} <does/did> {A} have [left|in the end]?",
    "How many {n} does {A~} have [now|now|]?",
    "How many [|of the ]{n} are left with {A}?",
    "How many {n} [remain|are left]?",
    "How many {n} <does/did> {A~} end up with?",
    "What is the number of {n} that {A} has now?",
    "Now how many {n} does {A} have?",
    "Find out how many {n} {A} has now. How many is it?",
    "How many {n} <will/would> {A~} have [then|after that]?",
)
_START = (
    "[{A} <has/had> {x#n} [|at first|to start with|to begin with|in {A.his} room|at home|in a bag|in the "
    "morning].|"
    "[At first|In the beginning|To begin with|One day|On Monday|This morning], {A} <has/had> {x#n}.|"
    "{A} <starts/started> with {x#n}.|There <are/were> {x#n} in {A.s} "
    "[bag|box|collection|basket|room|drawer|backpack].|"
    "{A} <owns/owned> {x#n}.|{A} already <has/had> {x#n}.|{A} <begins/began> the [day|week] with {x#n}.|"
    "{A} <keeps/kept> {x#n} in a [box|bag|drawer|jar|basket].|{A} <brings/brought> {x#n} to school.]"
)
THINGS = Setting(
    "things|goods",
    _START,
    (
        "{A~} <finds/found> " + _OWN + " [|at home|at {place}|on the way home|under the bed].",
        "{A~} <buys/bought> " + _OWN + " [|at the store|from {G}|with {A.his} allowance|at a sale|online].",
        "{G} <gives/gave> {A} " + _OWN + " [|for {A.his} birthday|as a gift].",
        "{A~} <gets/got> " + _OWN + " from {G}.",
        "{A~} <receives/received> " + _OWN + " [|from {G}|in the mail|as a present].",
        "{A~} <wins/won> " + _OWN + " [|at the fair|in a contest|from {G}].",
        "{G} <brings/brought> {A} " + _OWN + ".",
        "{A~} <collects/collected> " + _OWN + ".",
        "{G} <hands/handed> {A} " + _OWN + ".",
        "{A~} <takes/took> " + _OWN + " from {G}.",
        "{A~} <adds/added> {e#more n}.",
        "{A~} <picks/picked> up " + _OWN + ".",
        "{G} <sends/sent> {A.him} " + _OWN + ".",
        "{A~} <borrows/borrowed> {e#n} from {G}.",
        "{G} <shares/shared> {e#n} with {A}.",
        *(f"{{A~}} <{third}/{past}> {_OWN}." for _, third, past in lexicon.GAIN),
    ),
    (
        "{A~} <gives/gave> " + _PART + " to {G}.",
        "{A~} <gives/gave> {G} " + _PART + ".",
        "{A~} <loses/lost> " + _PART + " [|at {place}|on the bus|at school].",
        "{A~} <sells/sold> " + _PART + " [|to {G}|at {place}|online].",
        "{A~} <gives/gave> away " + _PART + ".",
        "{A~} <drops/dropped> and <loses/lost> " + _PART + ".",
        "{A~} <throws/threw> away " + _PART + ".",
        "{A~} <donates/donated> " + _PART + " [|to charity|to the school].",
        "{G} <takes/took> {e} of {A.s} {n}.",
        "{A~} <trades/traded> away " + _PART + ".",
        "{A~} <lends/lent> {e#n} to {G}.",
        "{A~} <hands/handed> out " + _PART + " to {A.his} friends.",
        "{A~} <shares/shared> " + _PART + " with {G}.",
        "{A~} <uses/used> " + _PART + ".",
        "{A~} <leaves/left> " + _PART + " at {place}.",
        "{G} <borrows/borrowed> {e} of {A.s} {n}.",
        "{e} of the {n} <get/got> lost.",
        *(f"{{A~}} <{third}/{past}> {_PART}." for _, third, past in lexicon.LOSE),
    ),
    _HAVE_ASKS,
    places=("school", "the park", "the fair", "the market", "the library", "the beach", "a friend's house"),
    weight=4.0,
)
FOOD = Setting(
    "food",
    "[{A} <has/had> {x#n} [on a plate|in the kitchen|in {A.his} lunch bag|"
    "for lunch|in the fridge].|There <are/were> {x#n} [on the table|in the kitchen|on {A.s} plate|in "
    "{A.s} basket].|"
    "{A} <buys/bought> {x#n} at the [store|market|grocery store].]",
    (
        "{A~} <makes/made> [{e} more|{e#more n}].",
        "{G} <brings/brought> [|over ][{e} more|{e#more n}].",
        "{A~} <buys/bought> " + _OWN + " [|at the store|at the market].",
        "{G} <gives/gave> {A} " + _OWN + ".",
        "{A~} <puts/put> {e#more n} on the table.",
        "{A~} <gets/got> " + _OWN + " from {G}.",
    ),
    (
        "{A~} <eats/ate> " + _PART + " [|for lunch|for breakfast|for dinner|as a snack|after school].",
        "{G} <eats/ate> {e} of them.",
        "{A~} <gives/gave> " + _PART + " to {G}.",
        "{e} of the {n} <are/were> [rotten|spoiled] and {A} <throws/threw> them away.",
        "{A~} <shares/shared> {e} of them with {G}.",
        "the dog <eats/ate> {e} of them.",
        "{A~} <sells/sold> {e} of them.",
        "{G} <takes/took> {e} of the {n}.",
        "{A~} <drops/dropped> {e} of them on the floor and <throws/threw> those away.",
    ),
    (
        "How many {n} are left?",
        "How many {n} <does/did> {A} have left?",
        "How many {n} does {A} have now?",
        "How many {n} remain?",
        "How many {n} <are/were> there in the end?",
    ),
)
BAKING = Setting(
    "baked",
    "[{A} <bakes/baked> {x#n} [|for a bake sale|for {A.his} friends|in the morning].|{A} <makes/made> {x#n}.|"
    "There <are/were> {x#n} in {A.s} [kitchen|bakery].|{A} <prepares/prepared> {x#n} for a party.]",
    (
        "{A~} <bakes/baked> [{e} more|{e&n}].",
        "{A~} <makes/made> {e#more n}.",
        "{G} <brings/brought> {e#more n}.",
        "{A~} <bakes/baked> another batch of {e}.",
    ),
    (
        "{A~} <sells/sold> {e} [|of them|of the {n}].",
        "{A~} <gives/gave> {e} of them to {G}.",
        "{A~} <eats/ate> {e} of them.",
        "{A.his} family <eats/ate> {e} of them.",
        "{A~} <burns/burned> {e} and <throws/threw> those away.",
    ),
    (
        "How many {n} are left?",
        "How many {n} <does/did> {A} have left?",
        "How many {n} does {A} have now?",
        "How many {n} <are/were> there in the end?",
    ),
    weight=0.7,
)
BUS = Setting(
    "people",
    "[There <are/were> {x#passenger} on [a|the] {place}.|A {place} <leaves/left> the station with "
    "{x#passenger}.|"
    "a {place} <has/had> {x#person} on it.|{x#person} <are/were> [on|riding] a {place}.]",
    (
        "at the [next|first|following] stop, [{e#more person}|{e#person}] <get/got> on.",
        "{e#more person} <get/got> on.",
        "{e#passenger} <board/boarded>.",
        "{e#person} <climb/climbed> aboard.",
        "the driver <picks/picked> up {e#more passenger}.",
    ),
    (
        "at the [next|first|following] stop, {e#person} <get/got> off.",
        "{e} of them <get/got> off.",
        "{e#passenger} <get/got> off [|at the park|at the school].",
        "{e#person} <leave/left> the {place}.",
        "the driver <drops/dropped> off {e#passenger}.",
    ),
    (
        "How many [people|passengers] are [now |still |]on the {place}?",
        "How many people <are/were> on the {place} then?",
        "How many passengers are on the {place} now?",
    ),
    about="{place}",
    places=("bus", "train", "ferry", "tram", "school bus", "city bus"),
)
BIRDS = Setting(
    "wild|bugs|farm",
    "[There <are/were> {x#n} {place}.|{x#n} <are/were> [resting|sitting|playing|eating|standing] {place}.|"
    "{A} <sees/saw> {x#n} {place}.|{A} <counts/counted> {x#n} {place}.]",
    (
        "[{e} more|{e#more n}] <join/joined> them.",
        "{e#more n} <come/came>.",
        "then {e} more <arrive/arrived>.",
        "{e&n} <show/showed> up.",
        "{e} others <come/came> along.",
        "a storm <drives/drove> {e#more n} there.",
        "{G} <brings/brought> {e#more n}.",
    ),
    (
        "{e} of them <leave/left>.",
        "{e} of the {n} <go/went> away.",
        "then {e} <run/ran> [off|away].",
        "a loud noise <scares/scared> {e} of them away.",
        "{e} of them <move/moved> to another place.",
    ),
    (
        "How many {n} are [left|there now|still there]?",
        "How many {n} are {place} now?",
        "How many {n} remain?",
        "How many {n} <are/were> there in the end?",
    ),
    about="they",
    places=(
        "in the park",
        "in the garden",
        "near the pond",
        "in the field",
        "by the lake",
        "in the forest",
        "behind the barn",
        "by the river",
        "under a tree",
        "at the zoo",
        "in the meadow",
        "on the farm",
        "on the hill",
        "in the yard",
    ),
)
SHOP = Setting(
    "goods|reading|toys|flowers|baked|sweets",
    "[A {place} <has/had> {x#n} [|in stock|on the shelf|in the window|for sale].|There <are/were> {x#n} "
    "[at|in] a {place}.|"
    "{A} <has/had> {x#n} for sale at {A.his} {place}.|A {place} <opens/opened> the day with {x#n}.]",
    (
        "[the {place}|it] <gets/got> [{e} more|{e#more n}].",
        "a delivery of {e#n} <arrives/arrived>.",
        "a truck <brings/brought> [{e} more|{e#more n}].",
        "the owner <orders/ordered> [{e} more|{e#more n}].",
        "the {place} <receives/received> {e#new n}.",
        "a customer <returns/returned> {e#n}.",
        "the workers <put/put> out {e#more n}.",
    ),
    (
        "[the {place}|it] <sells/sold> {e} [|of them|of the {n}].",
        "a customer <buys/bought> {e} of them.",
        "in the [morning|afternoon|evening], {e#n} <are/were> sold.",
        "{e} of the {n} <are/were> broken and thrown out.",
        "{G} <buys/bought> {e#n}.",
        "on [Monday|Tuesday|Friday|Saturday], {e#n} <are/were> sold.",
        "the owner <gives/gave> {e} of them away.",
    ),
    (
        "How many {n} <does/did> the {place} have left?",
        "How many {n} does the {place} have now?",
        "How many {n} are left?",
        "How many {n} are [still |]in the {place} now?",
        "How many {n} remain at the {place}?",
    ),
    about="{place}",
    places=(
        "shop",
        "store",
        "market stall",
        "gift shop",
        "corner store",
        "supermarket",
        "fair stand",
        "kiosk",
        "warehouse",
        "outdoor market",
    ),
)
BOX = Setting(
    "small|household|tools|sports|clothes",
    "[There <are/were> {x#n} in [a|the] {place}.|A {place} <has/had> {x#n} in it.|{A} <has/had> a {place} "
    "with {x#n} in it.|"
    "{A} <puts/put> {x#n} in a {place}.|A {place} <holds/held> {x#n}.]",
    (
        "{A~} <puts/put> [{e} more|{e#more n}] [in|in the {place}|into it].",
        "{A~} <adds/added> [{e} more|{e#more n}].",
        "{G} <places/placed> {e#more n} in the {place}.",
        "{A~} <drops/dropped> {e&n} into the {place}.",
    ),
    (
        "{A~} <takes/took> out [{e}|{e} of them|{e#n}].",
        "{A~} <takes/took> {e#n} out of the {place}.",
        "{G} <removes/removed> {e} of the {n}.",
        "{G} <takes/took> {e} of them.",
        "{A~} <removes/removed> {e#n} from the {place}.",
    ),
    (
        "How many {n} are [now |left |]in the {place}?",
        "How many {n} <does/did> the {place} hold [now|in the end]?",
        "How many {n} are in the {place} now?",
        "How many {n} are left in the {place}?",
    ),
    about="{place}",
    places=(
        "box",
        "bag",
        "jar",
        "drawer",
        "basket",
        "bucket",
        "chest",
        "bin",
        "crate",
        "cupboard",
        "closet",
        "backpack",
    ),
)
MONEY = Setting(
    "shopping",
    "[{A} <has/had> {x$} [|in {A.his} wallet|in {A.his} piggy bank|in savings|to spend|in {A.his} pocket].|"
    "{A} <starts/started> with {x$}.|{A} <saves/saved> {x$}.|There <is/was> {x$} in {A.s} [wallet|piggy "
    "bank|purse|bank account].|"
    "{A} <takes/took> {x$} to the [fair|mall|market|store].]",
    (
        "{A~} <earns/earned> {e$} [|more] [|by washing cars|for mowing the lawn|from chores|by babysitting].",
        "{G} <gives/gave> {A} {e$} [|more|for {A.his} birthday|as a gift].",
        "{A~} <finds/found> {e$} [|on the street|in a coat].",
        "{A~} <gets/got> {e$} from {G}.",
        "{A~} <receives/received> {e$} [as an allowance|for {A.his} birthday].",
        "{A~} <makes/made> {e$} selling lemonade.",
    ),
    (
        "{A~} <spends/spent> {e$} [on a {m.one}|on {m}|at the store|on lunch|on a book].",
        "{A~} <buys/bought> a {m.one} for {e$}.",
        "{A~} <gives/gave> {e$} to {G}.",
        "{A~} <pays/paid> {e$} for a {m.one}.",
        "{A~} <loses/lost> {e$} [|at the park].",
        "{A~} <uses/used> {e$} to buy a {m.one}.",
        "{A~} <donates/donated> {e$}.",
        "{A~} <lends/lent> {e$} to {G}.",
    ),
    (
        "How much money does {A} have [now|left]?",
        "How many dollars <does/did> {A} have left?",
        "How much does {A} have left?",
        "How much money <does/did> {A~} have in the end?",
        "How much money is left?",
        "How many dollars does {A} have now?",
    ),
)
CROWD = Setting(
    "people",
    "[There <are/were> {x#n} {place}.|{x#n} <are/were> {place}.|At first, there <are/were> {x#n} {place}.]",
    (
        "{e#more n} <join/joined> them.",
        "[{e} more|{e#more n}] <arrive/arrived>.",
        "then {e#new n} <come/came>.",
        "[later|after an hour], {e#more n} <come/came> in.",
        "{G} <brings/brought> {e#more n}.",
    ),
    (
        "{e} of them <go/went> home.",
        "{e} of the {n} <leave/left>.",
        "then {e#n} <leave/left> early.",
        "[after a while|later], {e#n} <go/went> home.",
        "{G} <takes/took> {e#n} home.",
    ),
    (
        "How many {n} are [left|there now|still there]?",
        "How many {n} are {place} now?",
        "How many {n} remain?",
    ),
    about="they",
    places=(
        "at the party",
        "at the pool",
        "in the park",
        "in the library",
        "on the playground",
        "at the museum",
        "in the gym",
        "in the store",
        "in the classroom",
        "at the concert",
        "at the camp",
        "in the cafeteria",
        "at the meeting",
    ),
)
GARDEN = Setting(
    "plants|vegetables",
    "[There <are/were> {x#n} in {place}.|{A} <has/had> {x#n} in {place}.|{A} <grows/grew> {x#n} in {place}.]",
    (
        "{A~} <plants/planted> [{e} more|{e#more n}] [|today|the next week].",
        "{G} <plants/planted> {e&n}.",
        "{A~} <adds/added> {e#more n}.",
        "workers <plant/planted> [{e} more|{e#more n}].",
    ),
    (
        "{A~} <gives/gave> {e} of them to {G}.",
        "[rabbits|deer|bugs|birds] <eat/ate> {e} of the {n}.",
        "{e} of the {n} <die/died>.",
        "{A~} <digs/dug> up {e} of them.",
        "a storm <destroys/destroyed> {e} of the {n}.",
        "{A~} <sells/sold> {e} of them at the market.",
    ),
    (
        "How many {n} are [left|in {place} now]?",
        "How many {n} <does/did> {A} have left?",
        "How many {n} does {A} have now?",
        "How many {n} will {place} have?",
    ),
    places=(
        "the garden",
        "the yard",
        "the field",
        "the backyard",
        "the greenhouse",
        "the park",
        "the flower bed",
    ),
    weight=0.7,
)
SCORE = Setting(
    "games",
    "[{A} <has/had> {x#point} in a [game|video game|card game|quiz|board game].|{A} <scores/scored> "
    "{x#point} in the first round of a game.|"
    "in a game, {A} <starts/started> with {x#point}.]",
    (
        "{A~} <scores/scored> {e} more.",
        "{A~} <wins/won> {e#point} in the next round.",
        "{A~} <gets/got> {e#bonus point}.",
        "{A~} <earns/earned> {e#more point}.",
    ),
    (
        "{A~} <loses/lost> {e#point}.",
        "{A~} <makes/made> a mistake and <loses/lost> {e#point}.",
        "in the next round, {A} <loses/lost> {e#point}.",
    ),
    (
        "How many points <does/did> {A} have [in the end|at the end]?",
        "How many points does {A} have now?",
        "What <is/was> {A.s} final score?",
    ),
    weight=0.5,
)
LEVEL = Setting(
    "things",
    "[{A} <takes/took> an elevator from floor {x}.|An elevator <is/was> on floor {x}.|{A} <is/was> on "
    "floor {x} of a tall building.]",
    ("[it|the elevator] <goes/went> up {e#floor}.", "the elevator <rises/rose> {e#floor}."),
    ("[it|the elevator] <goes/went> down {e#floor}.", "then it <goes/went> {e#floor} down."),
    ("on which floor is the elevator now?", "What floor <does/did> the elevator stop on?"),
    about="the elevator",
    weight=0.25,
)
DEGREES = Setting(
    "things",
    "[In the morning, the temperature <is/was> {x#degree}.|The temperature <is/was> {x#degree} [at "
    "noon|at dawn|in the morning].]",
    ("[it|the temperature] <rises/rose> by {e#degree}.", "it <gets/got> {e#degree} warmer."),
    (
        "[it|the temperature] <falls/fell> by {e#degree}.",
        "it <gets/got> {e#degree} colder.",
        "the temperature <drops/dropped> {e#degree}.",
    ),
    (
        "What is the temperature now?",
        "What <is/was> the temperature in the end?",
        "How many degrees is it now?",
    ),
    about="the temperature",
    weight=0.25,
)
SETTINGS = (THINGS, FOOD, BAKING, BUS, BIRDS, SHOP, BOX, MONEY, CROWD, GARDEN, SCORE, LEVEL, DEGREES)
_WEIGHTS = tuple(s.weight for s in SETTINGS)
_NOUNS = {
    id(MONEY): "dollars",
    id(SCORE): "points",
    id(LEVEL): "floors",
    id(DEGREES): "degrees",
    id(BUS): "people",
}
_LINKS = (
    "Then",
    "Later",
    "After that",
    "Next",
    "the next day",
    "Later that day",
    "in the afternoon",
    "Soon after",
    "a little later",
    "Then",
    "Afterwards",
    "That evening",
)
_OPENED = ("then ", "at the ", "at [", "in the ", "on [", "[later", "[after")
_LEFT = re.compile(r"\b(?:left|remain|still)\b")
_COUNTED_SUBJECT = re.compile(
    r"(?:^\[?|, |then |\] |<are/were> broken)\{e[#}&]|\{e[#}&][^{}]*<(?:are/were|leave)|those|them away"
)


def chain(rng: random.Random, level: int) -> Problem:
    """Return the plain story of a start 2..20 and `level` changes of 1..9, every value within 0..40."""
    work = Work(0, 40)
    start = rng.randint(2, 20)
    changes = []
    value = start
    for _ in range(level):
        size = rng.randint(1, 9)
        sign = rng.choice((-1, 1))
        if not 0 <= value + sign * size <= 40:
            sign = -sign
        value = work.step(value, "+" if sign > 0 else "-", size)
        changes.append(sign * size)
    return _tell(rng, start, changes, work)


def events(rng: random.Random, level: int) -> Problem:
    """Return a story of a start and `level` changes of any size up to some hundreds."""
    top = rng.choice((12, 20, 30, 50, 60, 80, 100, 100, 200, 400))
    work = Work(1)
    start = value = rng.randint(2, top)
    changes = []
    for _ in range(level):
        size = rng.randint(2, max(top // rng.choice((1, 1, 2, 3)), 3))
        lose = value > size and rng.random() < 0.55
        value = work.step(value, "-" if lose else "+", size)
        changes.append(-size if lose else size)
    return _tell(rng, start, changes, work)


def _tell(rng: random.Random, start: int, changes: list[int], work: Work) -> Problem:
    """Word a start and its changes in a setting."""
    setting = rng.choices(SETTINGS, _WEIGHTS)[0]
    if (setting is DEGREES and start > 99) or (setting is LEVEL and max(start, *map(abs, changes)) > 40):
        raise Unsuitable
    scene = Scene(rng, x=start, place=rng.choice(setting.places))
    scene.people("A", roles=True)
    scene.noun("n", setting.themes)
    sentences = [scene.say(setting.start)]
    last = ""
    for i, change in enumerate(changes):
        last = _pick(rng, setting.gains if change > 0 else setting.losses, abs(change), last)
        sentences.append(_event(scene, last, abs(change), i))
    sentences.append(_ask(scene, setting, min(changes) < 0))
    subject = {"A": scene.slots["A"].name, "{place}": f"the {scene.slots['place']}"}.get(
        setting.about, setting.about
    )
    noun = _NOUNS.get(id(setting)) or scene.slots["n"].many
    return scene.problem(" ".join(sentences), work, subject, noun)


def _pick(rng: random.Random, templates: tuple[str, ...], size: int, last: str) -> str:
    """Draw an event's template; not the last one again, and none whose verb is plural when only one moves."""
    fitting = [t for t in templates if t != last and not (size == 1 and _COUNTED_SUBJECT.search(t))]
    return rng.choice(fitting or templates)


def _event(scene: Scene, template: str, size: int, index: int) -> str:
    scene.slots["e"] = size
    scene.slots.pop("G", None)
    if "{m" in template:
        scene.noun("m", "shopping")
    linked = index > 0 and scene.rng.random() < 0.4 and not template.startswith(_OPENED)
    return (f"{scene.rng.choice(_LINKS)}, " if linked else "") + scene.say(template)


def _ask(scene: Scene, setting: Setting, lost: bool) -> str:
    """Word the question; "left" and "remain" only where something was lost."""
    for _ in range(20):
        text = scene.say(scene.rng.choice(setting.asks))
        if lost or not _LEFT.search(text):
            return text
    raise Unsuitable


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(events, frozenset({1}), 40.0),
    Scenario(events, frozenset({2}), 40.0),
    Scenario(events, frozenset({3}), 30.0),
    Scenario(events, frozenset({4, 5}), 25.0),
)
