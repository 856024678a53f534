"""Forms that are sent by POST: bounded in size, and taken only from a page of the session that sends them."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from kandji_schema.errors import UsageError
from kandji_web.bodies import MOST_BYTES
from kandji_web.sessions import Session, same_key
from kandji_web.sign_in import SESSION

MOST_FIELDS = 200


async def sent_form(request: Request) -> Mapping[str, tuple[str, ...]]:
    """Return the values of a form by name, line breaks as one character each.

    :class:`HTTPException` 403 without the key of the session, 411 and 413 for a size that is not told or too large;
    :class:`UsageError` for what is no form. A program that sent the server's token has no session and needs no key.
    """
    size = request.headers.get("content-length", "")
    if not size.isdigit():
        raise HTTPException(411)
    if int(size) > MOST_BYTES:
        raise HTTPException(413)
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise UsageError(f"This is no form of a page, or it has more than {MOST_FIELDS} fields.") from error
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value.replace("\r\n", "\n").replace("\r", "\n"))
    session: Session | None = request.scope.get(SESSION)
    if session is not None and not same_key(session, found.get("key", ("",))[0]):
        raise HTTPException(403)
    return found
