"""JSON as the provider and the proxies before it send it, and as the ingest needs it."""

import json
import re
from typing import Any, NamedTuple

import orjson

_SURROGATE = re.compile("[\ud800-\udfff]")
_MANY_ENDS = re.compile(rb"[\]}]{40}")
_LONG_NUMBER = re.compile(rb"[0-9]{19}")


class TooDeep(ValueError):
    """JSON that is nested beyond what can be read."""


class Parsed(NamedTuple):
    """A JSON value; ``strict`` is true where the body is strict JSON, so that its own text may be handed on."""

    value: Any
    strict: bool


def parse(body: bytes) -> Parsed:
    """Read strict JSON fast, and nearly-JSON at all. :class:`ValueError` for anything else."""
    try:
        return Parsed(orjson.loads(body), strict=True)
    except orjson.JSONDecodeError:
        return Parsed(parse_leniently(body), strict=False)


def parse_leniently(body: bytes) -> Any:
    """Read JSON with all its digits, and with the blemishes found in the field.

    Those are a byte order mark, bytes that are not UTF-8, raw control characters, ``NaN`` and numbers beyond a double
    (both become texts, which fit no column of numbers), and half characters (lone surrogates, read as U+FFFD).
    :class:`ValueError` for what is not JSON even so.
    """
    text = body.decode("utf-8-sig", errors="replace")
    try:
        return _mended(json.loads(text, strict=False, parse_constant=str, parse_float=_finite))
    except RecursionError:
        raise TooDeep("nested too deeply") from None


def may_be_deep(body: bytes) -> bool:
    """Tell whether something in a body may be nested beyond reason; hardly any is. One look at all of it."""
    return _MANY_ENDS.search(body) is not None


def too_deep(value: Any) -> bool:
    """Tell whether a value is nested deeper than it can be written again."""
    try:
        orjson.dumps(value)
    except TypeError as error:
        return "ecursion" in str(error)
    return False


def has_long_numbers(body: bytes) -> bool:
    """Tell whether there may be whole numbers beyond 64 bits, which the fast parser rounds."""
    return _LONG_NUMBER.search(body) is not None


def dump(value: Any) -> str:
    """Write ``value`` as strict JSON text."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # an integer beyond 64 bits
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _finite(digits: str) -> float | str:
    value = float(digits)
    return value if abs(value) != float("inf") else digits


def _mended(value: Any) -> Any:
    """Return the value without half characters, which no UTF-8 file can hold."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(item) for name, item in value.items()}
    return value
