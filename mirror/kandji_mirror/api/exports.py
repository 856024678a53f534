"""Prism exports: the provider writes a whole category into one CSV file, for a dozen requests whatever its size."""

import re
from typing import Any

from kandji_mirror.api.answers import tidy
from kandji_mirror.api.bodies import parse
from kandji_mirror.api.client import Client
from kandji_mirror.api.paths import quote_segment
from kandji_schema.errors import ExportFailed, NotFound, Rejected, RetryLater, ServerFault
from kandji_schema.http import Response, Target
from kandji_schema.resource import Resource

PATH = "/api/v1/prism/export"

WAITS = (2.0, 3.0, 5.0, 8.0, 13.0, 20.0, *(30.0,) * 28)
"""Seconds before each look at an export: 34 looks in a little less than the 15 minutes it may take."""

_A_URL = re.compile(r"\bhttps?:\S*", re.IGNORECASE)


def export(client: Client, resource: Resource, target: Target) -> None:
    """Have the whole category of ``resource`` exported, wait for it, and write the CSV file to ``target``.

    :class:`Rejected` where the provider does not export this category. :class:`ExportFailed` where the export failed,
    was not ready within 15 minutes, or its file could not be had whole at two addresses, one after the other: the pages
    of the category can be read instead. Else whatever the client raises. Costs a request and one for every look.
    """
    job = _order(client, resource)
    url = _ready(client, resource, job)
    try:
        client.download(url, target)
    except (RetryLater, Rejected):
        _download_anew(client, resource, job, target)


def _order(client: Client, resource: Resource) -> str:
    """Order the export; returns the path to look at. All columns are asked for: what the file calls them is not known.

    A second order would do no harm, but a POST is never repeated.
    """
    everything = {"blueprint_ids": [], "device_families": [], "filter": {}, "columns": [], "sort_by": ""}
    response = client.post(PATH, {"category": resource.category, **everything})
    try:
        return f"{PATH}/{quote_segment(str(_fields(response)['id'] or ''))}"
    except (KeyError, Rejected):
        raise ServerFault(f"POST {PATH} answered {response.status}, but named no export.") from None


def _ready(client: Client, resource: Resource, job: str) -> str:
    """The address of the file, once there is one."""
    for seconds in WAITS:
        client.pause(seconds)
        if url := _look(client, resource, job):
            return url
    raise ExportFailed(f"The export of {resource.name} was not ready after {sum(WAITS) / 60:.0f} minutes.")


def _look(client: Client, resource: Resource, job: str) -> str:
    try:
        return client.read(job, (), lambda response: _signed_url(response, resource, quiet=client.quiet))
    except NotFound as error:
        raise ExportFailed(f"The provider lost the export of {resource.name}.", status=error.status) from error


def _signed_url(response: Response, resource: Resource, *, quiet: bool) -> str:
    """The address of the file, which is a secret; empty while there is none, whatever the provider calls that."""
    fields = _fields(response)
    status, url = str(fields.get("status")).lower(), fields.get("signed_url")
    if status == "failed":
        told = None if quiet else fields.get("error_msg")
        said = tidy(_A_URL.sub("...", str(told or "it does not say why")))
        raise ExportFailed(f"The provider could not export {resource.name}: {said}.")
    return url if status == "success" and isinstance(url, str) else ""


def _fields(response: Response) -> dict[str, Any]:
    try:
        value = parse(response.body).value
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ServerFault(f"{PATH} answered {response.status}, but not with an export.", status=response.status)
    return value


def _download_anew(client: Client, resource: Resource, job: str, target: Target) -> None:
    """The second and last attempt: a look at the export gives a fresh address."""
    try:
        client.download(_look(client, resource, job), target)
    except (RetryLater, Rejected) as error:
        if client.stopped:
            raise
        text = f"The file of the export of {resource.name} could not be had whole: {error}"
        raise ExportFailed(text, status=error.status) from error
