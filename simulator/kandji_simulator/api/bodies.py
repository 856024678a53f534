"""JSON bodies of writes as the API reads them: in one case of letters only, and with its words for what is wrong."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kandji_schema.http import Request, Response
from kandji_simulator.api.routing import json_answer

Body = dict[str, Any]
BODY_LIMIT = 1 << 20
"""Bytes; more is refused unread."""
TOO_LARGE = json_answer(413, {"message": "Request size limit exceeded"})


class Refused(Exception):  # it is an answer
    """The request is answered by ``response``, and nothing was changed."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def refused(status: int, body: Any) -> Refused:
    """Return a refusal with a JSON body."""
    return Refused(json_answer(status, body))


@dataclass(frozen=True)
class Key:
    """A key that the API knows: ``complaint`` gives what is wrong with a value, or ""."""

    complaint: Callable[[Any], str]
    required: bool = False
    nullable: bool = False

    def wrong(self, value: Any) -> str:
        """Return what is wrong with the value, or ""."""
        if value is None:
            return "" if self.nullable else "This field may not be null."
        return self.complaint(value)


def a_text(value: Any) -> str:
    """Accept any text."""
    return "" if isinstance(value, str) else "Not a valid string."


def a_filled_text(value: Any) -> str:
    """Accept a text with something in it."""
    return a_text(value) or ("" if value.strip() else "This field may not be blank.")


def a_flag(value: Any) -> str:
    """Accept JSON's true or false; the API is not known to take words for them."""
    return "" if isinstance(value, bool) else "Must be a valid boolean."


def texts(value: Any) -> str:
    """Accept a list of texts with something in them."""
    if not isinstance(value, list):
        return f'Expected a list of items but got type "{type(value).__name__}".'
    return next(filter(None, map(a_filled_text, value)), "")


def read_body(request: Request, keys: Mapping[str, Key]) -> Body:
    """Return the ``keys`` that were sent, all others being ignored; :class:`Refused` with 415 or 400."""
    sent = _decoded(request)
    if not isinstance(sent, dict):
        said = f"Invalid data. Expected a dictionary, but got {type(sent).__name__}."
        raise refused(400, {"non_field_errors": [said]})
    wrong = dict(_complaints(sent, keys))
    if wrong:
        raise refused(400, wrong)
    return {name: sent[name] for name in keys if name in sent}


def content_type(request: Request) -> str:
    """Return the content type without parameters, in lower case; "" where there is none."""
    return (
        next((v for k, v in request.headers.items() if k.lower() == "content-type"), "").split(";")[0].strip().lower()
    )


def parsed(request: Request) -> Any:
    """Return the body as JSON, None where it is none."""
    try:
        return json.loads(request.body)
    except ValueError:
        return None


def _decoded(request: Request) -> Any:
    """Decode the body; none counts as an empty object, whatever its type."""
    if not request.body:
        return {}
    if content_type(request) != "application/json":
        raise refused(415, {"detail": f'Unsupported media type "{content_type(request)}" in request.'})
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise refused(400, f"JSON parse error - {error}") from error


def _complaints(sent: Mapping[str, Any], keys: Mapping[str, Key]) -> Iterator[tuple[str, list[str]]]:
    for name, key in keys.items():
        wrong = key.wrong(sent[name]) if name in sent else "This field is required." if key.required else ""
        if wrong:
            yield name, [wrong]
