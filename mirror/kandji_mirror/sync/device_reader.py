"""One device's rows, for every table that the answer at its path fills: at once, or page by page of its own list.

Such a list is read as a whole set, or, where it only grows, from its newest end down to the known rows.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kandji_mirror.api.client import Client
from kandji_mirror.api.endpoint import quote_segment
from kandji_mirror.api.paging import Page, Row, read_page
from kandji_mirror.ingest.projection import reshape_per_device
from kandji_mirror.sync.devices import DEVICES
from kandji_mirror.sync.list_walk import fetch_row
from kandji_schema.errors import NotFound, Rejected, ServerFault, Skip
from kandji_schema.http import Response
from kandji_schema.registry import resource as resource_named
from kandji_schema.resource import Paging, Resource

READINGS = 3
"""A list that comes out otherwise each time is read at most so often."""

OVERLAP = 100
"""Known rows that are read again at the end of a long list: so far apart may two events of one moment be sorted."""


@dataclass(frozen=True)
class KnownRows:
    """What is mirrored of a device's list: identifiers as text, and how many the provider does not count any more.

    ``whole``: they are all that the provider had when the device was last read.
    """

    keys: frozenset[str] = frozenset()
    surplus: int = 0
    whole: bool = False

    @property
    def counted(self) -> int:
        """Rows that the provider counted when the device was last read."""
        return max(0, len(self.keys) - self.surplus)


NOTHING_KNOWN = KnownRows()


@dataclass
class DeviceList:
    """The list of one device. ``path`` names it, ``known`` is what is mirrored of it."""

    client: Client
    resource: Resource
    path: str
    known: KnownRows = NOTHING_KNOWN
    pages: list[Page] = field(default_factory=list)
    requests: int = 0
    surplus: int = 0
    _torn: bool = False

    def __post_init__(self) -> None:
        self.surplus = self.known.surplus

    @property
    def texts(self) -> list[str]:
        """What the ingest reads, of pages with any rows."""
        return [page.text for page in self.pages if page.rows]

    def read_whole(self) -> None:
        """Read every row, until nothing shifted meanwhile and their number is what the provider says.

        A second reading that brings the same rows is believed too; :class:`ServerFault` where each one brings others.
        """
        self.pages = []
        self._read_from_the_front(proof=False)

    def read_news(self) -> None:
        """Read the newest rows down to the known ones; all of them where nothing shows that none is left out.

        No order is promised. The proof is that known and new rows together are as many as the provider counts: at the
        end of a long list, where its newest rows are in published answers, else somewhere from its front on.
        """
        if not (self.known.whole and self.known.counted >= self.resource.page_size and self._read_the_end()):
            self._read_from_the_front(proof=self.known.whole)

    def _read_the_end(self) -> bool:
        """Return whether the end brings all that is new: the oldest rows must come first for that."""
        self._torn = False
        for page in self._from(self.known.counted - OVERLAP):
            self.pages.append(page)
        came = self._keys(self.pages)
        return self._fits(self.pages[-1], came) and self._ascending()

    def _read_from_the_front(self, *, proof: bool) -> None:
        """Read on until the end or, with ``proof``, until the numbers fit."""
        kept, before = self.pages, None
        for _ in range(READINGS):
            self.pages, came, self._torn = [*kept], self._keys(kept), False
            for page in self._from(0):
                self.pages.append(page)
                came |= self._keys([page])
                if proof and self._fits(page, came):
                    return
            total = self.pages[-1].total
            if (not self._torn and total in (None, len(came))) or came == before:
                self.surplus = len(self.known.keys | came) - (len(came) if total is None else total)
                return
            before = came
        raise ServerFault(f"GET {self.path}: the list changed in each of {READINGS} readings.")

    def _fits(self, page: Page, came: set[str]) -> bool:
        """Return whether what came has a known row in it, and is with the known ones as many as the provider counts."""
        together = len(self.known.keys | came) - self.known.surplus
        return not self._torn and page.total == together and not self.known.keys.isdisjoint(came)

    def _ascending(self) -> bool:
        """Return whether the rows that came begin with the oldest: else the end of the list is not where news are."""
        source = self.resource.newest_by.sources[0]
        moments = [str(row.get(source)) for page in self.pages for row in page.rows]
        return not moments or moments[0] <= moments[-1]

    def _from(self, offset: int) -> Iterator[Page]:
        """Yield pages from an offset on, each beginning with the last row of the one before, else rows shifted.

        A count that fits would not tell: for one row that went and was read another may be missing.
        """
        page = self._page(offset)
        yield page
        while self._goes_on(page, offset := offset + page.members):
            last, offset = self._key_of(page.rows[-1]) if page.rows else None, offset - 1
            page = self._page(offset)
            self._torn = self._torn or not page.rows or self._key_of(page.rows[0]) != last
            yield page
            if page.members <= 1:
                return

    def _goes_on(self, page: Page, offset: int) -> bool:
        if not page.members:
            return False
        if page.total is not None and offset < page.total:
            return True
        return bool(page.onward) or (page.onward is None and page.total is None)

    def _page(self, offset: int) -> Page:
        params = {**self.resource.params, "limit": str(self.resource.page_size), "offset": str(offset)}
        self.requests += 1
        return self.client.read(self.path, params.items(), lambda answer: read_page(answer, self.resource))

    def _keys(self, pages: list[Page]) -> set[str]:
        keys = (self._key_of(row) for page in pages for row in page.rows)
        return {key for key in keys if key is not None}

    def _key_of(self, row: Row) -> str | None:
        source = next(c for c in self.resource.columns if c.name == self.resource.own_key).sources[0]
        return None if row.get(source) is None else str(row[source])


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
        known: KnownRows = NOTHING_KNOWN,
    ) -> DeviceAnswer:
        """Return the rows of one device for the tables that have any of its platform.

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

    def _listed(self, device: str, resource: Resource, path: str, known: KnownRows) -> DeviceAnswer:
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
        """Drop its rows only where the device itself is gone too; else this platform has no such answer."""
        try:
            gone = fetch_row(self._client, resource_named(DEVICES), device) is None
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
    return [reshape_per_device(rows, resource)] if rows else NO_ROWS
