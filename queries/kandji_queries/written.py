"""Values of parameters as people write them on a command line, for statements that do not declare types.

A text adapts to what it is compared with, as a literal in quotes does: ``7`` to a number, ``2026-11-20`` to a date,
``15.10`` stays what it is beside a version. So a value is bound as its text, and only where a number is computed with,
which a text cannot be, as the number. ``null``, lists and objects are read as JSON; a text in double quotes is just
that.
"""

import json
from collections.abc import Iterator, Mapping

Values = Mapping[str, object]


class Written(str):
    """A text that may stand for a number, true or false."""

    __slots__ = ()


def read(text: str) -> object:
    """The value to bind first."""
    value = _parsed(text) if text == "null" or text[:1] in {"[", "{", '"'} else text
    return Written(text) if value is text else value


def readings(params: Values) -> Iterator[Values]:
    """The values as they are; and once more with the texts that are numbers, true or false as what they are."""
    yield params
    typed = {name: _parsed(value) if isinstance(value, Written) else value for name, value in params.items()}
    if any(typed[name] is not params[name] for name in params):
        yield typed


def _parsed(text: str) -> object:
    """The JSON value; the same text where it is none."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


def _no_number(name: str) -> object:
    raise ValueError(name)  # NaN and the infinities are words here
