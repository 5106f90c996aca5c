"""How a model is asked for: a name and, behind a question mark, options of loading, as in a web address.

    org/name@revision?dtype=float16&device_map=auto&chat=true

The name is that of a testbed model, a folder or a hub id. What the options mean is `Specification`.
"""

import hashlib
import importlib.util
from dataclasses import dataclass, fields

from replication.settings import InputError, split_model

DTYPES = ("auto", "float32", "float64", "float16", "bfloat16")
DEVICE_MAPS = ("auto", "balanced", "balanced_low_0", "sequential")
FLAGS = {"true": True, "false": False}
LIBRARIES = {"device_map": "accelerate", "load_in_8bit": "bitsandbytes", "load_in_4bit": "bitsandbytes"}


@dataclass(frozen=True)
class Specification:
    """A model as asked for.

    Attributes:
        name: testbed model, folder or hub id, "org/name" or "org/name@revision".
        dtype: of the weights; "auto" is bfloat16 on CUDA and float32 elsewhere.
        device_map: how transformers spreads the layers over devices, one of `DEVICE_MAPS`; "" puts all of
            them on the run's device.
        chat: every prompt becomes one user turn of the tokenizer's chat template.
        load_in_8bit: linear layers in 8 bits (bitsandbytes).
        load_in_4bit: linear layers in 4 bits (bitsandbytes).
    """

    name: str
    dtype: str = "auto"
    device_map: str = ""
    chat: bool = False
    load_in_8bit: bool = False
    load_in_4bit: bool = False

    @property
    def quantised(self) -> bool:
        """Whether weights are quantised when they are loaded."""
        return self.load_in_8bit or self.load_in_4bit

    @property
    def bits(self) -> int:
        """Bits of a quantised weight, 0 where none is."""
        return 4 if self.load_in_4bit else 8 if self.load_in_8bit else 0

    def fingerprint(self, plain: str) -> str:
        """Return a model's fingerprint under the options that change its numbers; `plain` with none.

        Args:
            plain: fingerprint of the files, 16 hexadecimal digits.
        """
        chosen = {"dtype": self.dtype if self.dtype != "auto" else "", "bits": self.bits, "chat": self.chat}
        text = "&".join(f"{name}={value}" for name, value in chosen.items() if value)
        return hashlib.sha256(f"{plain}?{text}".encode()).hexdigest()[:16] if text else plain


OPTIONS = {field.name: field for field in fields(Specification) if field.name != "name"}


def specify(model: str) -> Specification:
    """Return what a model's text asks for.

    Args:
        model: "name" or "name?option=value&option=value".

    Raises:
        InputError: an unknown or repeated option, a value that it does not take, both quantisations, or a
            library that an option needs and that is not installed.
    """
    name, query = split_model(model)
    given: dict[str, str | bool] = {}
    for part in filter(None, query.split("&")):
        option, equals, value = part.partition("=")
        if not equals or option not in OPTIONS or option in given:
            what = "The repeated" if option in given else "Unknown"
            raise InputError(
                f"{what} option {part!r} of the model {model!r}: write option=value joined by &, with "
                f"{', '.join(OPTIONS)}."
            )
        given[option] = _value(option, value, model)
    if given.get("load_in_8bit") and given.get("load_in_4bit"):
        raise InputError(f"The model {model!r} asks for 8 and for 4 bits: choose one of the two.")
    for option in (option for option, value in given.items() if value and option in LIBRARIES):
        _check_library(option, LIBRARIES[option], model)
    return Specification(name, **given)


def _value(option: str, value: str, model: str) -> str | bool:
    """Return the value of an option, checked."""
    if OPTIONS[option].type is bool:
        allowed: tuple[str, ...] = tuple(FLAGS)
    else:
        allowed = DTYPES if option == "dtype" else DEVICE_MAPS
    if value not in allowed:
        raise InputError(
            f"The option {option} of the model {model!r} needs {', '.join(allowed[:-1])} or {allowed[-1]}, "
            f"got {value!r}."
        )
    return FLAGS[value] if OPTIONS[option].type is bool else value


def _check_library(option: str, library: str, model: str) -> None:
    """Raise `InputError` when the library of an option is not installed."""
    if importlib.util.find_spec(library) is None:
        raise InputError(
            f"{option} of the model {model!r} needs the library {library}, which is not installed: "
            f"`python -m pip install {library}`, or leave the option out."
        )
