"""What ``serve`` tells, to a person at a terminal in plain words and to programs in lines of its log."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kandji_cli.output import tell
from kandji_mcp_server.logs import is_for_people
from kandji_mirror.store.lock import holder
from kandji_schema.events import Field, about
from kandji_schema.settings import Settings

if TYPE_CHECKING:
    from kandji_mcp_server.http import Access

log = logging.getLogger(__name__)


def say(settings: Settings, words: str, event: str, **fields: Field) -> None:
    """Tell what happened."""
    if is_for_people(settings):
        tell(words)
    else:
        log.info("%s", words, extra=about(event, **fields))


def warn(settings: Settings, words: str, event: str, **fields: Field) -> None:
    """Tell what is not as somebody meant it, although the server goes on."""
    if is_for_people(settings):
        tell(f"warning: {words}")
    else:
        log.warning("%s", words, extra=about(event, **fields))


def tell_remarks(settings: Settings) -> None:
    """Tell of settings that do not count."""
    for remark in settings.provenance.remarks:
        if remark.grave:
            warn(settings, remark.text, "settings.remark")


def promise(settings: Settings) -> str:
    """Say what this process will do; another one may sync the home already."""
    known = holder(settings.home)
    name = f" --tenant {settings.mirror_tenant}" if settings.mirror_tenant else ""
    ages = f"`kandji-mirror{name} status` tells how old every table is."
    if known:
        return f"Process {known.pid} keeps {settings.home} in sync already; this one takes over when it ends. {ages}"
    return f"Keeping {settings.home} in sync until Ctrl-C. {ages}"


def ways_in(settings: Settings, allowed: "Access") -> Iterator[str]:
    """Say with what clients may connect."""
    if allowed.token:
        where = "KANDJI_MIRROR_HTTP_TOKEN" if settings.mirror_http_token else str(allowed.token_file)
        if settings.mirror_http_token and settings.mirror_tenant:
            where = f"mirror_http_token in {settings.origin('mirror_http_token').place}"
        yield f"with the bearer token in {where}"
    if allowed.people:
        yield f"as people who sign in at {allowed.people.issuer}"
