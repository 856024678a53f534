"""One device's rows for every table that its answer fills."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kandji_mirror.api.client import Client
from kandji_mirror.api.pages import read_page
from kandji_mirror.api.paths import quote_segment
from kandji_mirror.ingest.fallback import reshaped
from kandji_mirror.sync.device_pages import NOTHING_KNOWN, DeviceList, Known
from kandji_mirror.sync.fleet import DEVICES
from kandji_mirror.sync.walks import still_there
from kandji_schema.errors import NotFound, Rejected, ServerFault, Skip
from kandji_schema.http import Response
from kandji_schema.registry import resource as resource_named
from kandji_schema.resource import Paging, Resource

NO_ROWS: Sequence[str] = ()

BAD_REQUEST = 400

Texts = Mapping[str, Sequence[str]]
"""Page texts by table."""


@dataclass(frozen=True)
class DeviceAnswer:
    """What a device's endpoint sent.

    ``texts`` holds page texts for each table whose rows of this device are now known as a whole, or in a list that
    only grows the newest of them; none where there are none or the device is ``gone``. ``error`` is why nothing could
    be read; the mirrored rows stay then. ``surplus`` is how many more rows are kept than the provider counts.
    """

    device: str
    texts: Texts
    requests: int = 1
    error: ServerFault | None = None
    gone: bool = False
    surplus: int = 0


class DeviceReader:
    """Reads what one path tells of a device: one request a device, or one a page of its list."""

    def __init__(self, client: Client, path: str, filled: Mapping[str, Collection[str]]) -> None:
        """``path`` names the device in braces; ``filled`` are the devices that have rows now, by table."""
        self._client = client
        self._path = path
        self._filled = filled

    def read(
        self,
        device: str,
        resources: Sequence[Resource],
        fields: Mapping[str, Any],
        known: Known = NOTHING_KNOWN,
    ) -> DeviceAnswer:
        """The rows of one device for the tables that have any of its platform.

        ``fields`` are what rows of a fallback lack; ``known`` is what is mirrored of a list that only grows. Raises
        :class:`RetryLater` but for a fault of the server, and :class:`Skip` that concerns all devices.
        """
        path = self._path.format(device_id=quote_segment(device))
        try:
            if _is_paged(resources[0]):
                return self._listed(device, resources[0], path, known)
            return self._at_once(device, resources, path, fields)
        except NotFound:
            return self._not_found(device, resources)
        except ServerFault as error:
            return DeviceAnswer(device, {}, error=error)

    def _at_once(
        self, device: str, resources: Sequence[Resource], path: str, fields: Mapping[str, Any]
    ) -> DeviceAnswer:
        def asked() -> Texts:
            try:
                return self._client.read(path, (), lambda response: _texts(response, resources, fields))
            except Rejected as error:
                if _says_there_are_none(error, resources[0]):
                    return {resource.name: NO_ROWS for resource in resources}
                raise

        texts = asked()
        if any(self._emptied(device, name, found) for name, found in texts.items()):
            return DeviceAnswer(device, asked(), requests=2)  # nothing is deleted on one absence
        return DeviceAnswer(device, texts)

    def _listed(self, device: str, resource: Resource, path: str, known: Known) -> DeviceAnswer:
        found = DeviceList(self._client, resource, path, known)
        if resource.newest_first:
            found.read_news()
        else:
            found.read_whole()
            if self._emptied(device, resource.name, found.texts):
                found.read_whole()
        return DeviceAnswer(device, {resource.name: found.texts}, requests=found.requests, surplus=found.surplus)

    def _emptied(self, device: str, table: str, texts: Sequence[str]) -> bool:
        return not texts and device in self._filled[table]

    def _not_found(self, device: str, resources: Sequence[Resource]) -> DeviceAnswer:
        """Its rows go only where the device itself is gone too; else this platform has no such answer."""
        try:
            gone = still_there(self._client, resource_named(DEVICES), device) is None
        except (Skip, Rejected):
            gone = False
        texts = {resource.name: NO_ROWS for resource in resources} if gone else {}
        return DeviceAnswer(device, texts, requests=2, gone=gone)


def _is_paged(resource: Resource) -> bool:
    return resource.swept and resource.paging is not Paging.WHOLE


def _says_there_are_none(error: Rejected, resource: Resource) -> bool:
    words = resource.empty_answer
    return bool(words) and error.status == BAD_REQUEST and words in str(error).lower()


def _texts(response: Response, resources: Sequence[Resource], fields: Mapping[str, Any]) -> Texts:
    return {resource.name: _text(response, resource, fields) for resource in resources}


def _text(response: Response, resource: Resource, fields: Mapping[str, Any]) -> Sequence[str]:
    if resource.swept or resource.fallback is None:
        page = read_page(response, resource)
        return [page.text] if page.rows else NO_ROWS
    as_it_comes = replace(resource, paging=Paging.WHOLE, rows_at=resource.fallback.rows_at)
    rows = [{**row, **fields} for row in read_page(response, as_it_comes).rows]
    return [reshaped(rows, resource)] if rows else NO_ROWS
