"""What a question asks: the person or thing, and the plural noun that is counted."""

import re

_ASKED = re.compile(r"\b(?:how|what|find out|by how|on which)\b", re.IGNORECASE)
_MANY = re.compile(
    r"(?:how many|number of|number is|amount of)"
    r"(?: (?:more|fewer|less|other|extra|good|different|of|the|his|her|their|total|additional|these)\b)*"
    r" ?(.*)",
    re.IGNORECASE,
)
_STOP = re.compile(
    r"\b(?:do|does|did|is|are|was|were|will|would|can|could|must|should|has|have|had|than|remain|left|in|on|at|came|come"
    r"|went|go|got|get|fit|that|they|you|he|she|it|per|if|joined|visited|need|needs|older|younger|farther|longer|to|away"
    r"|tall|altogether|for|by|with|from|still|there|each|not|visit|go|like|take|stayed|remained|passed|watched|own|ride|walk|play|used)\b|[,.?]"
)
_UNITS = re.compile(
    r"\b(miles|minutes|hours|inches|feet|pounds|gallons|days|weeks|years|pages|points|degrees|meters|ounces|yards"
    r"|kilometers|seconds|floors|cups|liters|months|centimeters|grams|laps|calories)\b"
)
_MONEY = re.compile(r"\$|\bdollars?\b")
_THING = re.compile(
    r"(?:do|does|did|will|is|was|are|can) (the [a-z' ]+?) "
    r"(?:still|have|has|sell|now|cost|hold|get|need|bake|use)\b"
)


def labels(question: str, pronouns: dict[str, str], nouns: list[str]) -> tuple[str, str]:
    """Return (subject, counted noun) of a question.

    Args:
        question: the whole text.
        pronouns: name of each person in the story to "he" or "she", in order of importance.
        nouns: plural nouns of the story, the most likely first.
    """
    asked = (
        question[[m.start() for m in _ASKED.finditer(question)][-1] :]
        if _ASKED.search(question)
        else question
    )
    return _subject(asked, pronouns), _noun(asked, question, nouns)


def _subject(asked: str, pronouns: dict[str, str]) -> str:
    places = {name: asked.lower().find(name.lower()) for name in pronouns if name.lower() in asked.lower()}
    group = re.search(r"\b(?:they|both|the two)\b", asked)
    if group and all(group.start() < place for place in places.values()):
        return "they"
    if places:
        first = min(places, key=places.get)
        second = [n for n in places if re.search(rf"{re.escape(first)} and {re.escape(n)}", asked)]
        return "they" if second else first
    if re.search(r"\b(?:she|he|her|his)\b", asked):
        word = "she" if re.search(r"\b(?:she|her)\b", asked) else "he"
        fitting = [name for name, pronoun in pronouns.items() if pronoun == word]
        if fitting:
            return fitting[0]
    thing = _THING.search(asked)
    if thing:
        return thing.group(1)
    return (
        "there"
        if re.search(r"\b(?:are|is|were|was|there|left|remain)\b", asked) or not pronouns
        else next(iter(pronouns))
    )


def _noun(asked: str, question: str, nouns: list[str]) -> str:
    many = _MANY.search(asked)
    if many:
        words = many.group(1)
        known = [noun for noun in nouns if words.startswith(noun)]
        stop = _STOP.search(words)
        counted = max(known, key=len) if known else words[: stop.start() if stop else None].strip()
        if counted:
            return counted
        return next((noun for noun in nouns if noun in question), "")
    if re.search(r"\bold\b", asked):
        return "years"
    if _MONEY.search(question) and not re.search(r"\b(?:far|long|tall)\b", asked):
        return "dollars"
    units = _UNITS.findall(question)
    return units[0] if units else ""
