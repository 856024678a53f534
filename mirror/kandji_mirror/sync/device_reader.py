"""One device's rows for every table that its answer fills."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kandji_mirror.api.client import Client
from kandji_mirror.api.pages import read_page
from kandji_mirror.api.paths import quote_segment
from kandji_mirror.api.wire import Response
from kandji_mirror.ingest.fallback import reshaped
from kandji_mirror.sync.fleet import DEVICES
from kandji_mirror.sync.walks import still_there
from kandji_schema.errors import NotFound, Rejected, ServerFault, Skip
from kandji_schema.registry import resource as resource_named
from kandji_schema.resource import Paging, Resource

NO_ROWS = '{"data":[]}'

Texts = Mapping[str, str]
"""Page text by table."""


@dataclass(frozen=True)
class DeviceAnswer:
    """What a device's endpoint sent.

    ``texts`` holds a page text for each table whose rows of this device are now known as a whole, an empty one where
    the device is gone. ``error`` is why nothing could be read; the mirrored rows stay then.
    """

    device: str
    texts: Texts
    requests: int = 1
    error: ServerFault | None = None


class DeviceReader:
    """Reads what one path tells of a device, one request a device."""

    def __init__(self, client: Client, path: str, filled: Mapping[str, Collection[str]]) -> None:
        """``path`` names the device in braces; ``filled`` are the devices that have rows now, by table."""
        self._client = client
        self._path = path
        self._filled = filled

    def read(self, device: str, resources: Sequence[Resource], fields: Mapping[str, Any]) -> DeviceAnswer:
        """The rows of one device for the tables that have any of its platform.

        ``fields`` are what rows of a fallback lack. Raises :class:`RetryLater` but for a fault of the server, and
        :class:`Skip` that concerns all devices.
        """
        path = self._path.format(device_id=quote_segment(device))

        def asked() -> Texts:
            return self._client.read(path, (), lambda response: _texts(response, resources, fields))

        try:
            texts = asked()
            if any(text == NO_ROWS and device in self._filled[name] for name, text in texts.items()):
                return DeviceAnswer(device, asked(), requests=2)  # nothing is deleted on one absence
            return DeviceAnswer(device, texts)
        except NotFound:
            return self._not_found(device, resources)
        except ServerFault as error:
            return DeviceAnswer(device, {}, error=error)

    def _not_found(self, device: str, resources: Sequence[Resource]) -> DeviceAnswer:
        """Its rows go only where the device itself is gone too; else this platform has no such answer."""
        try:
            gone = still_there(self._client, resource_named(DEVICES), device) is None
        except (Skip, Rejected):
            gone = False
        texts = {resource.name: NO_ROWS for resource in resources} if gone else {}
        return DeviceAnswer(device, texts, requests=2)


def _texts(response: Response, resources: Sequence[Resource], fields: Mapping[str, Any]) -> Texts:
    return {resource.name: _text(response, resource, fields) for resource in resources}


def _text(response: Response, resource: Resource, fields: Mapping[str, Any]) -> str:
    if resource.swept or resource.fallback is None:
        page = read_page(response, resource)
        return page.text if page.rows else NO_ROWS
    as_it_comes = replace(resource, paging=Paging.WHOLE, rows_at=resource.fallback.rows_at)
    rows = [{**row, **fields} for row in read_page(response, as_it_comes).rows]
    return reshaped(rows, resource) if rows else NO_ROWS
