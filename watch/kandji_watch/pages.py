"""Where people find the pages of ``serve``, for links in texts: only where an address is set, never a guess."""

from urllib.parse import urlsplit

from kandji_schema.settings import Settings
from kandji_watch.definition import CheckFile


def pages_address(settings: Settings, file: CheckFile) -> str:
    """Return the address without a slash at its end, empty where none is set.

    It is ``pages`` of ``checks.toml``, else the host of KANDJI_MIRROR_OAUTH_RESOURCE, at which people sign in.
    """
    if file.pages:
        return file.pages
    parts = urlsplit(settings.mirror_oauth_resource)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} and parts.netloc else ""
