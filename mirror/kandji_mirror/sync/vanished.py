"""Deletion is never concluded from one absence.

A row that is mirrored but did not come in a complete walk is asked for by itself, where the provider has an endpoint
for it: 404 means gone, an answer means that the walk skipped it. Where there is none (Prism), a drop that is too large
to be believed must be confirmed by the provider's own count, or by a second walk.
"""

from dataclasses import replace
from pathlib import Path

import orjson

from kandji_mirror.api.client import Client
from kandji_mirror.api.pages import Page, read_page
from kandji_mirror.api.paths import quote_segment
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.outcome import Silent
from kandji_mirror.sync.walks import walk_all
from kandji_schema.errors import NotFound, Rejected, RetryLater, Skip, Suspicious
from kandji_schema.resource import Paging, Resource

MANY = 50
MANY_SHARE = 0.05
SAMPLE = 20
"""Above 50 missing rows, or 5 % of the table, a sample of 20 is asked for instead of every one."""

SHRUNK = 0.9
"""A Prism walk that brings less than this share of the previous rows needs confirmation."""


def confirm_vanished(client: Client, resource: Resource, staging: Staging, live: Path, mirrored: int) -> int:
    """Ask for the rows that did not come; the ones still there are staged. Returns the number of requests.

    Raises :class:`Suspicious` where many are missing and one of the sample is still there.
    """
    missing = staging.vanished(live)
    many = len(missing) > MANY or len(missing) > MANY_SHARE * mirrored
    asked = missing[:: max(1, len(missing) // SAMPLE)][:SAMPLE] if many else missing
    try:
        found = [page for key in asked if (page := _still_there(client, resource, key)) is not None]
    except (Skip, Rejected):
        return len(asked) + _absent_twice(client, resource, staging)
    if found and many:
        raise Suspicious(
            f"{len(missing)} of {mirrored} rows of {resource.name} did not come, but {len(found)} of {len(asked)} "
            "asked for are still there: the list was not whole. The previous rows are kept; the next pass tries again."
        )
    for page in found:
        staging.add(page.text)
    staging.flush()
    return len(asked)


def _still_there(client: Client, resource: Resource, key: str) -> Page | None:
    path = (resource.confirm or "").format(**{resource.key[0]: quote_segment(key)})
    try:
        return client.read(path, (), lambda answer: read_page(answer, replace(resource, paging=Paging.ARRAY)))
    except NotFound:
        return None


def _absent_twice(client: Client, resource: Resource, staging: Staging) -> int:
    """Without the right to ask for single rows a second walk is the second observation: absent twice means gone."""
    return walk_all(client, resource, staging, Silent(), keep=True).pages


def confirm_shrunk(client: Client, resource: Resource, staging: Staging, mirrored: int) -> int:
    """Believe a much smaller Prism category only if its count or a second walk says the same. Returns the requests."""
    rows = staging.rows
    if rows >= SHRUNK * mirrored:
        return 0
    counted = _count(client, resource)
    if counted == rows:
        return 1
    staging.clear()
    again = walk_all(client, resource, staging, Silent())
    if staging.rows != rows:
        raise Suspicious(
            f"{resource.name} had {mirrored} rows; one walk brought {rows}, a second {staging.rows}, and the "
            f"provider's count is {counted or 'unknown'}. The previous rows are kept; the next pass tries again."
        )
    return 1 + again.pages


def _count(client: Client, resource: Resource) -> int | None:
    """The provider's count of a Prism category; None where it is approximate or not to be had."""
    try:
        answer = orjson.loads(client.get("/api/v1/prism/count", (("category", resource.category or ""),)).body)
    except (Skip, Rejected, RetryLater, orjson.JSONDecodeError):
        return None
    exact = isinstance(answer, dict) and not answer.get("approximate") and isinstance(answer.get("count"), int)
    return answer["count"] if exact else None
