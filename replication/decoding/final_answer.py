"""The answer sentence "The final answer is (answer)." that the Top-nσ paper's prompt asks for, read two ways.

`official` is the pattern of the authors' evaluation of GSM8K (Top-nσ, arXiv 2411.07641, development branch of
the official repository), its faults included; `fixed` mends them. They part on thousands, signs, trailing
zeros, a missing full stop and a sentence that is said twice.
"""

import re

from replication.tasks import numbers

SENTENCE = "The final answer is"
_OFFICIAL = re.compile(rf"{SENTENCE} .*?(\d+\.?\d*|\.\d+)[\s\S]*?(?<!\.)\.$", re.DOTALL)
# What any match ends in. Without it the pattern takes quadratic time to fail on a long text.
_FULL_STOP = re.compile(r"(?<!\.)\.\n?\Z")


def official(text: str) -> str:
    """Return the answer as the official pattern reads it, or the whole text where it does not match.

    It takes the first sentence, the first digits in it, stops at a thousands comma, drops a minus sign and
    needs the text to end in a single full stop; spaces and full stops are stripped from the result.
    """
    match = _OFFICIAL.search(text) if _FULL_STOP.search(text) else None
    return text if match is None else match[1].strip(" .")


def fixed(text: str) -> str | None:
    """Return the first number of the last answer sentence that has one, None without any.

    Commas, sign and currency are read and the number is spelled as `tasks.numbers.normalise` does; a sentence
    ends with its line or where the next one begins, and needs no full stop.
    """
    for rest in reversed(text.split(SENTENCE)[1:]):
        line = rest.lstrip().partition("\n")[0]
        span = numbers.find(line, "first")
        if span is not None:
            return numbers.normalise(line[slice(*span)])
    return None
