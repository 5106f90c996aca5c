"""Secrets of the environment, taken out of what is stored or said.

Nothing of the project writes environment variables down. A cell may print them, though, and the message of a
library may hold the address of a proxy with its password; such notebooks and messages are handed on.
"""

import json
import os
import re
from collections.abc import Mapping

PLACEHOLDER = "[hidden]"
# Shorter values, such as "true", are words that stand in a notebook for other reasons.
SHORTEST = 8
NAME = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|KEY)(?:_|$)", re.IGNORECASE
)
PASSWORD = re.compile(r"://[^/@\s:]*:([^/@\s]+)@")


def values(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the secrets of an environment, the longest first.

    They are the values of variables whose name says so (a part of it, between underscores, is TOKEN, SECRET,
    PASSWORD, KEY or the like), and passwords inside addresses in any variable. Numbers and the paths of
    existing files are none.
    """
    found = set()
    for name, value in environment.items():
        found |= set(PASSWORD.findall(value))
        if NAME.search(name) and not value.isdecimal() and not os.path.exists(value):
            found.add(value.strip())
    return sorted((value for value in found if len(value) >= SHORTEST), key=len, reverse=True)


def hidden(text: str) -> str:
    """Return a text with every secret replaced by `PLACEHOLDER`, also as Python or JSON would write it."""
    for value in values():
        plain = {value, repr(value)[1:-1]}
        inside_json = {
            json.dumps(one, ensure_ascii=escaped)[1:-1] for one in plain for escaped in (True, False)
        }
        for spelling in sorted(plain | inside_json, key=len, reverse=True):
            text = text.replace(spelling, PLACEHOLDER)
    return text
