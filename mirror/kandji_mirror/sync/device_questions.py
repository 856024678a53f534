"""Direct questions: all rows that some devices have in a Prism table, each answer one picture of them.

An answer of one page is such a picture. One of several pages is none, as rows shift between them while the tenant
changes: then fewer devices are asked for at once. A device that has more rows than a page is read twice, and what
either reading brought counts.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kandji_mirror.api.pages import Page
from kandji_mirror.sync.changes import device_pages
from kandji_mirror.sync.choice import DEVICES_A_REQUEST
from kandji_mirror.sync.job import Job

ROOM = 0.7
"""How full a page may get by what is expected: devices have more rows and fewer."""


@dataclass(frozen=True)
class Answer:
    """All rows of some devices, as pages; some rows may come twice."""

    devices: Sequence[str]
    pages: Sequence[Page]


class DeviceQuestions:
    """Questions to one table about devices that have about so many rows each."""

    def __init__(self, job: Job, rows_a_device: float) -> None:
        self._job = job
        self._rows = max(rows_a_device, 1 / DEVICES_A_REQUEST)
        self._page = job.resource.page_size
        self.requests = 0

    @property
    def at_once(self) -> int:
        """Devices of one question."""
        return max(1, min(DEVICES_A_REQUEST, int(ROOM * self._page / self._rows)))

    def cost(self, devices: int) -> int:
        """Requests it takes, about, to ask for so many devices."""
        return -(-devices // self.at_once)

    def ask(self, devices: Sequence[str]) -> Iterator[Answer]:
        """The answers for all of them. :class:`NotEnough` where the provider does not honour such a question."""
        left = deque(devices)
        while left:
            some = [left.popleft() for _ in range(min(self.at_once, len(left)))]
            pages = self._read(some)
            if len(pages) == 1:
                yield Answer(some, pages)
            elif len(some) == 1:
                yield Answer(some, [*pages, *self._read(some)])
            else:
                self._learn(pages, len(some))
                left.extendleft(reversed(some))

    def _read(self, devices: Sequence[str]) -> list[Page]:
        pages = list(device_pages(self._job, devices))
        self.requests += len(pages)
        return pages

    def _learn(self, pages: Sequence[Page], devices: int) -> None:
        """Pages may be shorter than was asked for, and devices have more rows than was thought."""
        fit = self.at_once
        self._page = min(self._page, max(1, pages[0].members))
        self._rows = max(self._rows, sum(page.members for page in pages) / devices)
        while self.at_once >= fit and fit > 1:
            self._rows *= 2
