"""What the provider offers for whole Prism categories: a count of the rows, and an export.

By an export the provider writes a category into one CSV file, for a dozen requests whatever its size.
"""

import re
from typing import Any, NamedTuple

from kandji_mirror.api.client import Client
from kandji_mirror.api.endpoint import quote_segment
from kandji_mirror.api.envelopes import whole
from kandji_mirror.api.lenient_json import parse
from kandji_mirror.api.responses import tidy
from kandji_schema.errors import ExportFailed, NotFound, Rejected, RetryLater, ServerFault, Skip
from kandji_schema.http import Response, Target
from kandji_schema.resource import Resource

COUNT_PATH = "/api/v1/prism/count"
EXPORT_PATH = "/api/v1/prism/export"

EXPORT_WAITS = (2.0, 3.0, 5.0, 8.0, 13.0, 20.0, *(30.0,) * 28)
"""Seconds before each look at an export: 34 looks in a little less than the 15 minutes it may take."""

_URL = re.compile(r"\bhttps?:\S*", re.IGNORECASE)


class Count(NamedTuple):
    """Rows of a whole category. An ``approximate`` count is not to be compared for equality."""

    rows: int
    approximate: bool


def count(client: Client, resource: Resource) -> Count | None:
    """Ask for the provider's count of a Prism table; None where there is none: not permitted, not offered, or null.

    Costs one request. An answer that is no count is asked for again like any page, and is :class:`ServerFault` where it
    stays so. :class:`RateLimited` and :class:`Unreachable` are raised: no other request would fare better.
    """
    try:
        return client.read(COUNT_PATH, (("category", resource.category or ""),), _parsed_count)
    except (Skip, Rejected):
        return None


def _parsed_count(response: Response) -> Count | None:
    try:
        answer = parse(response.body).value
    except ValueError:
        raise _no_count(response, "it is not JSON") from None
    if not isinstance(answer, dict) or "count" not in answer:
        raise _no_count(response, "it has no member 'count'")
    if answer["count"] is None:
        return None
    rows = whole(answer["count"])
    if rows is None:
        raise _no_count(response, f"{str(answer['count'])[:40]!r} is no number of rows")
    return Count(rows, bool(answer.get("approximate")))


def _no_count(response: Response, reason: str) -> ServerFault:
    text = f"GET {COUNT_PATH} answered {response.status}, but not with a count: {reason}."
    return ServerFault(text, status=response.status)


def export(client: Client, resource: Resource, target: Target) -> None:
    """Have the whole category of ``resource`` exported, wait for it, and write the CSV file to ``target``.

    :class:`Rejected` where the provider does not export this category. :class:`ExportFailed` where the export failed,
    was not ready within 15 minutes, or its file could not be had whole at two addresses, one after the other: the pages
    of the category can be read instead. Else whatever the client raises. Costs a request and one for every look.
    """
    job = _start_export(client, resource)
    url = _wait_for_url(client, resource, job)
    try:
        client.download(url, target)
    except (RetryLater, Rejected):
        _download_anew(client, resource, job, target)


def _start_export(client: Client, resource: Resource) -> str:
    """Order the export and return the path to ask at. All columns are asked for: what the file calls them is not known.

    A second order would do no harm, but a POST is never repeated.
    """
    everything = {"blueprint_ids": [], "device_families": [], "filter": {}, "columns": [], "sort_by": ""}
    response = client.post(EXPORT_PATH, {"category": resource.category, **everything})
    try:
        return f"{EXPORT_PATH}/{quote_segment(str(_fields(response)['id'] or ''))}"
    except (KeyError, Rejected):
        raise ServerFault(f"POST {EXPORT_PATH} answered {response.status}, but named no export.") from None


def _wait_for_url(client: Client, resource: Resource, job: str) -> str:
    """Return the address of the file, once there is one."""
    for seconds in EXPORT_WAITS:
        client.pause(seconds)
        if url := _ask_for_url(client, resource, job):
            return url
    raise ExportFailed(f"The export of {resource.name} was not ready after {sum(EXPORT_WAITS) / 60:.0f} minutes.")


def _ask_for_url(client: Client, resource: Resource, job: str) -> str:
    try:
        return client.read(job, (), lambda response: _signed_url(response, resource, quiet=client.quiet))
    except NotFound as error:
        raise ExportFailed(f"The provider lost the export of {resource.name}.", status=error.status) from error


def _signed_url(response: Response, resource: Resource, *, quiet: bool) -> str:
    """Return the address of the file, a secret; empty while there is none, whatever the provider calls that."""
    fields = _fields(response)
    status, url = str(fields.get("status")).lower(), fields.get("signed_url")
    if status == "failed":
        told = None if quiet else fields.get("error_msg")
        said = tidy(_URL.sub("...", str(told or "it does not say why")))
        raise ExportFailed(f"The provider could not export {resource.name}: {said}.")
    return url if status == "success" and isinstance(url, str) else ""


def _fields(response: Response) -> dict[str, Any]:
    try:
        value = parse(response.body).value
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ServerFault(f"{EXPORT_PATH} answered {response.status}, but not with an export.", status=response.status)
    return value


def _download_anew(client: Client, resource: Resource, job: str, target: Target) -> None:
    """Try a second and last time: a look at the export gives a fresh address."""
    try:
        client.download(_ask_for_url(client, resource, job), target)
    except (RetryLater, Rejected) as error:
        if client.stopped:
            raise
        text = f"The file of the export of {resource.name} could not be had whole: {error}"
        raise ExportFailed(text, status=error.status) from error
