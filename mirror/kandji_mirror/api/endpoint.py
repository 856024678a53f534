"""The API's base URL, from the settings, and the request paths below it that may leave this machine.

A path is built from ids, and ids come from outside. A path that a proxy or a library would rewrite (``..``, ``//``, an
encoded slash, a second host) could reach another endpoint, one that answers with a recovery key for instance.
"""

import re
from urllib.parse import quote, unquote, urlsplit

from kandji_schema.errors import Rejected
from kandji_schema.provider import provider_host, url_of
from kandji_schema.settings import Settings

_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+")
_NEVER_INSIDE = re.compile(r"[/\\%\x00-\x1f\x7f]")


def base_url(settings: Settings) -> str:
    """Return scheme and host of the API, without path and without a slash at the end."""
    return url_of(settings.subdomain, settings.region, settings.api_url)


def setting_of(base_url: str) -> str:
    """Return the setting to look at where the host does not answer: the one that names hosts of this kind."""
    return "KANDJI_SUBDOMAIN" if provider_host(urlsplit(base_url).hostname or "") else "KANDJI_API_URL"


def quote_segment(value: str) -> str:
    """Encode ``value`` as exactly one segment of a path. :class:`Rejected` where it could be read as anything else."""
    if not _plain(value):
        raise Rejected(f"{value[:80]!r} cannot be an id: an id is one piece of a path. Nothing was sent.")
    return quote(value, safe="")


def checked_path(path: str) -> str:
    """Return ``path`` itself, or :class:`Rejected` where it is not plainly a path below ``/api/``."""
    pieces = path.removesuffix("/").split("/")[1:]
    if not (path.startswith("/api/") and _CHARACTERS.fullmatch(path) and all(_plain(unquote(p)) for p in pieces)):
        raise Rejected(f"The path {path[:120]!r} is not a plain path below /api/. Nothing was sent.")
    return path


def _plain(segment: str) -> bool:
    """Tell whether a decoded segment stays one segment however often it is decoded again."""
    return segment not in {"", ".", ".."} and not _NEVER_INSIDE.search(segment)
