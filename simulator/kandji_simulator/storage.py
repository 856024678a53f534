"""The object storage behind signed URLs: another host, no token, no rate limits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import RLock
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from kandji_schema.errors import Rejected, ServerFault, Unreachable
from kandji_schema.http import Response, Target
from kandji_simulator.answers import Transport
from kandji_simulator.chance import lot
from kandji_simulator.exports import Exports, Job
from kandji_simulator.faults import Fault, Kind

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

    def url(self, job: Job) -> str:
        """The signed URL of a job's file, good from now on."""
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
        """What the storage says to a GET of ``/path?query``."""
        with self._lock:
            fault = next((f for f in self._faults if f.strikes("GET", f"{path}?{query}")), None)
            token = "authorization" in {name.lower() for name in headers}
            found = self._open(path, query, token=token)
            if fault:
                found = _spoiled(fault, found, self._clock())
            self.requests.append(Fetched(path, found.response.status, token))
        if fault and fault.kind is Kind.DELAY:
            self._sleep(fault.seconds)
        return found

    def fetch(self, url: str, target: Target) -> None:
        """Download in process, as the client's ``Fetch`` does: see ``api/wire.py`` for what it raises."""
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
    return f"{lot('signature', path, date):064x}"


def _error(status: int, code: str, message: str) -> Download:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Download(Response(status, _XML), iter([body.encode()]))


def _spoiled(fault: Fault, found: Download, now: float) -> Download:
    """Another answer instead; or the same file, cut in the middle of its first chunk or travelling badly."""
    said = fault.spoil(lambda: found.response, now)
    if said != found.response:
        return Download(said, iter([said.body]), fault.transport, fault.seconds)
    chunks = _half(found.chunks) if fault.transport is Transport.TORN else found.chunks
    return Download(found.response, chunks, fault.transport, fault.seconds)


def _half(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    yield first[: len(first) // 2]
