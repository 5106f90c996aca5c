"""Stop strings: recognised across token borders, looked for only where a token can complete one."""

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from replication.lm.loading import LanguageModel

# What a decoder prints for bytes that are not yet a whole character.
INCOMPLETE = "\N{REPLACEMENT CHARACTER}"
_TEXTS: "weakref.WeakKeyDictionary[object, list[str]]" = weakref.WeakKeyDictionary()


def token_texts(lm: "LanguageModel") -> list[str]:
    """Return the text that each id of the tokenizer adds behind other text."""
    if lm.tokenizer not in _TEXTS:
        # Decoders drop a leading space at the start of a text, so each id is decoded behind an anchor.
        anchor = lm.tokenizer.encode("a", add_special_tokens=False)
        before = len(lm.decode(anchor))
        pairs = [[*anchor, i] for i in range(lm.vocabulary)]
        texts = lm.tokenizer.batch_decode(pairs, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        _TEXTS[lm.tokenizer] = [text[before:] for text in texts]
    return _TEXTS[lm.tokenizer]


class Stops:
    """The stop strings of a run.

    Args:
        lm: model whose tokens are checked.
        strings: stop strings, none of them empty.
    """

    def __init__(self, lm: "LanguageModel", strings: Sequence[str]) -> None:
        self.strings = tuple(strings)
        self.completes = np.zeros(max(lm.width, lm.vocabulary), dtype=bool)
        if self.strings:
            last = {string[-1] for string in self.strings}
            if not all(character.isascii() for character in last):  # may be spread over several byte tokens
                last.add(INCOMPLETE)
            for i, text in enumerate(token_texts(lm)):
                self.completes[i] = not last.isdisjoint(text)

    def find(self, text: str) -> int:
        """Return where the earliest stop string begins in `text`, -1 when there is none."""
        places = [place for string in self.strings if (place := text.find(string)) >= 0]
        return min(places, default=-1)

    def cut(self, text: str) -> str:
        """Return `text` up to the earliest stop string."""
        place = self.find(text)
        return text if place < 0 else text[:place]
