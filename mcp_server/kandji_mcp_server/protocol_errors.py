"""What is wrong with a message before the protocol can read it, as the answer its sender gets.

The SDK is silent about a line it cannot read, and its sender would wait for ever. Both transports ask here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pydantic_core
from mcp.types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError, jsonrpc_message_adapter
from pydantic import ValidationError

BOM = b"\xef\xbb\xbf"

MOST_ANSWERS = 100
"""Requests of one batch that are answered one by one."""

_HEAD = re.compile(rb'\s*\{[^{}\[\]]{0,200}?"id"\s*:\s*(?P<id>-?[0-9]{1,15}|"[^"\\]{0,100}")\s*,')
"""The beginning of a message, as clients write it, up to its number."""

_BATCH = "A list of messages is not part of this protocol. Send each message by itself."


def errors_in(message: bytes) -> list[JSONRPCError]:
    """Return the errors to answer with: none for a message that can be read, one a request for a list of them."""
    try:
        value = pydantic_core.from_json(message.decode())
    except (ValueError, RecursionError):
        return [_unreadable(message)]
    if isinstance(value, list):
        numbers = [number for part in value[:MOST_ANSWERS] if (number := _request_id(part)) is not None]
        return [_error(INVALID_REQUEST, _BATCH, number) for number in numbers] or [_error(INVALID_REQUEST, _BATCH)]
    return list(_invalid(value))


def too_long(head: bytes, most: int) -> JSONRPCError:
    """Return the answer to a message of more than ``most`` bytes, of which only the beginning is known."""
    return _error(PARSE_ERROR, f"The message has more than {most:,} bytes. Send less at once.", _request_id_in(head))


def _invalid(value: Any) -> Iterator[JSONRPCError]:
    number = _request_id(value)
    if isinstance(value, dict) and "method" in value and "id" in value and number is None:
        yield _error(INVALID_REQUEST, "The id of a request must be a whole number or a text.", None)
        return
    try:
        jsonrpc_message_adapter.validate_python(value, by_name=False)
    except ValidationError:
        yield _error(INVALID_REQUEST, "This is JSON but no message of JSON-RPC 2.0.", number)


def _unreadable(message: bytes) -> JSONRPCError:
    """Find who waits: Python reads what is no JSON in one thing only, such as half of an emoji."""
    try:
        number = _request_id(json.loads(message))
    except (ValueError, RecursionError):
        return _error(PARSE_ERROR, "The message is not JSON in UTF-8.", _request_id_in(message[:1_000]))
    return _error(PARSE_ERROR, "The message holds what no text may: half of a surrogate pair, or no UTF-8.", number)


def _request_id(value: Any) -> int | str | None:
    number = value.get("id") if isinstance(value, dict) else None
    if isinstance(number, str):
        return number if number.isprintable() else None  # half of a surrogate pair could not be sent back
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _request_id_in(head: bytes) -> int | str | None:
    found = _HEAD.match(head)
    try:
        return _request_id({"id": json.loads(found["id"])}) if found else None
    except ValueError:
        return None


def _error(code: int, words: str, number: int | str | None = None) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=number, error=ErrorData(code=code, message=words))


def error_bytes(error: JSONRPCError) -> bytes:
    """Return it as it is sent; a number that is not known is null."""
    return error.model_dump_json(by_alias=True, exclude_unset=True).encode()
