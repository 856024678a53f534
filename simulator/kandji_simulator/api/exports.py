"""Prism exports: jobs that are asked for, polled, and end in a CSV file behind a signed URL of the object storage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from kandji_schema.errors import Rejected, ServerFault, Unreachable
from kandji_schema.http import Response, Target
from kandji_schema.resource import Resource
from kandji_simulator.api.faults import Fault, FaultKind
from kandji_simulator.api.prism import Filter, filter_of, passes, picks
from kandji_simulator.api.routing import Transport
from kandji_simulator.simulation.world import World
from kandji_simulator.tables.prism import TIMES, Category, Header, Spelling, header_line, identity, reports
from kandji_simulator.world.fleet import specimen
from kandji_simulator.world.records import Blueprint, Device, User
from kandji_simulator.world.rng import stable_hash, uuid_from
from kandji_simulator.world.time import offset, time_of

_CHUNK = 1 << 18
"""About so many bytes of a file are made at once."""
_ARGUMENTS: Mapping[str, Any] = {"filter": {}, "columns": [], "sort_by": "", "blueprint_ids": [], "device_families": []}


@dataclass
class ExportRules:
    """How exports go, to be changed at any time.

    A job is ``waiting_status`` for its first ``pending_polls`` polls and ``pending_seconds`` of the tenant's clock,
    then without URL for ``polls_without_url`` polls; with ``error`` it ends as failed. ``refused`` categories get the
    400 of an unknown one. ``keep`` is the share of devices whose rows reach the file, ``ragged`` cuts its last line in
    the middle: both look like whole downloads. A URL is good for ``valid_seconds``.
    """

    pending_polls: int = 1
    pending_seconds: float = 0.0
    waiting_status: str = "pending"
    polls_without_url: int = 0
    error: str | None = None
    refused: frozenset[str] = frozenset()
    keep: float = 1.0
    ragged: bool = False
    valid_seconds: float = 172_800.0
    header: Header = Header.FIELDS
    spelling: Spelling = Spelling.JSON


class BadExport(Exception):
    """The provider does not take the order; the text is its ``detail``."""


@dataclass
class Job:
    """One export. ``ordered`` is by the tenant's clock, ``moment`` by the world's."""

    id: str
    resource: Resource
    arguments: dict[str, Any]
    ordered: float
    moment: int
    devices: tuple[Device, ...] = field(repr=False)
    wanted: Filter = field(repr=False)
    polls: int = 0

    @property
    def path(self) -> str:
        """Of the file, in the provider's storage."""
        day = time_of(self.moment).date()
        return f"visibility-export/acme/export-{day}-{self.resource.category}-{self.id}.csv"


class Exports:
    """The jobs of a tenant."""

    def __init__(self, world: World) -> None:
        self.rules = ExportRules()
        self.jobs: dict[str, Job] = {}
        self._world = world
        self._categories = {r.category: r for r in world.resources.values() if r.category}

    def order(self, body: Any, now: float) -> Job:
        """Begin a job over the rows as they are at this moment; :class:`BadExport` where it is not taken."""
        category = body.get("category") if isinstance(body, dict) else None
        if category not in self._categories or category in self.rules.refused:
            raise BadExport(f"Invalid category: {category}")
        arguments = {name: body.get(name) or empty for name, empty in _ARGUMENTS.items()}
        job = Job(
            id=uuid_from(stable_hash(self._world.seed, "export", len(self.jobs))),
            resource=self._categories[category],
            arguments=arguments,
            ordered=now,
            moment=self._world.moment,
            devices=self._world.remember("snapshot", lambda: snapshot(self._world)),
            wanted=filter_of(arguments["filter"]),
        )
        self.jobs[job.id] = job
        return job

    def poll(self, job: Job, now: float, url: str) -> dict[str, Any]:
        """Return the job as the provider shows it at the next poll; ``url`` is where its file is."""
        job.polls += 1
        if job.polls <= self.rules.pending_polls or now < job.ordered + self.rules.pending_seconds:
            return self.as_json(job, self.rules.waiting_status)
        if self.rules.error is not None:
            return self.as_json(job, "failed", error_msg=self.rules.error)
        if job.polls <= self.rules.pending_polls + self.rules.polls_without_url:
            return self.as_json(job, "success")
        return self.as_json(job, "success", path=job.path, signed_url=url)

    def as_json(self, job: Job, status: str, **known: Any) -> dict[str, Any]:
        """Return the provider's object of a job."""
        fresh = {"error_msg": None, "path": None, "signed_url": None}
        start = {"id": job.id, "status": status, "category": job.resource.category, "args": job.arguments}
        ended = job.moment if status == "pending" else job.moment + 1_043_076
        return {**start, **fresh, **known, "created_at": offset(job.moment), "updated_at": offset(ended)}

    def content(self, job: Job) -> Iterator[bytes]:
        """Yield the file, in chunks: made while it is read, never held as a whole."""
        category = self._world.tables.category(job.resource.name)
        names = _columns(category, job.arguments["columns"])
        waiting = bytearray(header_line(names, self.rules.header))
        for device in self._kept(job):
            waiting += b"".join(self._lines(job, category, device, names))
            if len(waiting) >= _CHUNK:
                yield bytes(waiting)
                waiting.clear()
        yield bytes(waiting[: -len(waiting) // 16] if self.rules.ragged else waiting)

    def _kept(self, job: Job) -> tuple[Device, ...]:
        asked = picks(job.arguments["device_families"], job.arguments["blueprint_ids"])
        found = tuple(d for d in job.devices if reports(d, job.resource) and asked(d))
        return found[: int(len(found) * self.rules.keep)]

    def _lines(self, job: Job, category: Category, device: Device, names: tuple[str, ...]) -> list[bytes]:
        lines = category.csv(device, names, self.rules.spelling)
        if job.wanted.everything:
            return lines
        return [line for line, row in zip(lines, category.rows(device), strict=True) if passes(job.wanted, device, row)]


def _columns(category: Category, asked: list[str]) -> tuple[str, ...]:
    """Return all columns, or those asked for, in the order of the category."""
    names = (*identity(specimen()), *TIMES, *category.columns)
    return tuple(name for name in names if name in asked) if asked else names


def snapshot(world: World) -> tuple[Device, ...]:
    """Copy the devices in order, with their people and blueprints, so that later changes of the world do not show."""
    people: dict[User | None, User | None] = {user: copy(user) for user in world.users.values()}
    homes: dict[Blueprint | None, Blueprint | None] = {b: copy(b) for b in world.blueprints.values()}
    found = world.devices_from("")
    return tuple(replace(d, user=people.get(d.user), blueprint=homes.get(d.blueprint)) for d in found)


CSV = {"content-type": "text/csv; charset=utf-8"}
_XML = {"content-type": "application/xml"}


class Download(NamedTuple):
    """An answer whose body comes in chunks, and what becomes of it on its way."""

    response: Response
    chunks: Iterator[bytes]
    transport: Transport = Transport.WHOLE
    seconds: float = 0.0


class Fetched(NamedTuple):
    """One download as it was answered; ``token`` is whether an Authorization header came along."""

    path: str
    status: int
    token: bool


class Storage:
    """Gives out the files of :class:`Exports`. ``base`` is the storage's URL, without a path."""

    def __init__(
        self,
        exports: Exports,
        faults: Sequence[Fault],
        lock: RLock,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.base = "https://acme-exports.s3.example.net"
        self.requests: list[Fetched] = []
        self._exports = exports
        self._faults = faults
        self._lock = lock
        self._clock = clock
        self._sleep = sleep

    def serve_from(self, base: str) -> None:
        """Let signed URLs lead to this base URL from now on."""
        self.base = base

    def url(self, job: Job) -> str:
        """Return the signed URL of a job's file, good from now on."""
        date = f"{self._clock():.0f}"
        query = urlencode(
            {
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                "X-Amz-Date": date,
                "X-Amz-Expires": f"{self._exports.rules.valid_seconds:.0f}",
                "X-Amz-Signature": _signature(job.path, date),
            }
        )
        return f"{self.base}/{job.path}?{query}"

    def answer(self, path: str, query: str, headers: Mapping[str, str]) -> Download:
        """Answer a GET of ``/path?query``."""
        with self._lock:
            fault = next((f for f in self._faults if f.strikes("GET", f"{path}?{query}")), None)
            token = "authorization" in {name.lower() for name in headers}
            found = self._open(path, query, token=token)
            if fault:
                found = _spoiled(fault, found, self._clock())
            self.requests.append(Fetched(path, found.response.status, token))
        if fault and fault.kind is FaultKind.DELAY:
            self._sleep(fault.seconds)
        return found

    def fetch(self, url: str, target: Target) -> None:
        """Download in process, and raise what the client's ``Fetch`` does."""
        if not url.startswith(self.base):
            raise Unreachable("There is no such host.", sent=False)
        parts = urlsplit(url)
        found = self.answer(parts.path, parts.query, {})
        if found.transport in {Transport.RESET, Transport.HANGING}:
            raise Unreachable(f"The simulated connection broke: {found.transport.value}.", sent=True)
        _refuse(found.response)
        if found.transport is Transport.SLOW:
            self._sleep(found.seconds)
        with target.open("wb") as file:
            for chunk in found.chunks:
                file.write(chunk)
        if found.transport is Transport.TORN:
            raise Unreachable("The simulated connection broke in the middle of the file.", sent=True)

    def _open(self, path: str, query: str, *, token: bool) -> Download:
        if token:
            return _error(400, "InvalidArgument", "Only one auth mechanism allowed")
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        job = next((j for j in self._exports.jobs.values() if f"/{j.path}" == path), None)
        if job is None or asked.get("X-Amz-Signature") != _signature(job.path, asked.get("X-Amz-Date", "")):
            return _error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        if self._clock() > float(asked["X-Amz-Date"]) + self._exports.rules.valid_seconds:
            return _error(403, "AccessDenied", "Request has expired")
        return Download(Response(200, CSV), self._exports.content(job))


def _refuse(response: Response) -> None:
    if response.status >= 500:
        raise ServerFault("The simulated storage has a fault.", status=response.status)
    if response.status >= 300:
        raise Rejected("The simulated storage refuses the URL.", status=response.status)


def _signature(path: str, date: str) -> str:
    return f"{stable_hash('signature', path, date):064x}"


def _error(status: int, code: str, message: str) -> Download:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Download(Response(status, _XML), iter([body.encode()]))


def _spoiled(fault: Fault, found: Download, now: float) -> Download:
    """Return another answer instead; or the same file, cut in the middle of its first chunk or travelling badly."""
    said = fault.spoil(lambda: found.response, now)
    if said != found.response:
        return Download(said, iter([said.body]), fault.transport, fault.seconds)
    chunks = _half(found.chunks) if fault.transport is Transport.TORN else found.chunks
    return Download(found.response, chunks, fault.transport, fault.seconds)


def _half(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    yield first[: len(first) // 2]
