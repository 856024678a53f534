"""A host of public feeds on loopback: what each path answers can be changed, and what was asked is remembered."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

FIXTURES = Path(__file__).parent / "feeds"
MACOS, IOS, KEV = (FIXTURES / f"{name}.json" for name in ("sofa_macos", "sofa_ios", "kev"))
PATHS = {
    "/macos_data_feed.json": MACOS,
    "/ios_data_feed.json": IOS,
    "/known_exploited_vulnerabilities.json": KEV,
}


@dataclass
class Told:
    """What a path answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None


class FeedHost(ThreadingHTTPServer):
    """Answers with the fixtures, and 304 to who has their version, until ``answers`` has something else for a path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = {path: Told(body=file.read_bytes(), headers={"ETag": '"1"'}) for path, file in PATHS.items()}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    @property
    def settings(self) -> dict[str, str]:
        """The settings that lead here."""
        return {"KANDJI_MIRROR_FEED_SOFA_URL": self.url, "KANDJI_MIRROR_FEED_KEV_URL": self.url}


class _Handler(BaseHTTPRequestHandler):
    server: FeedHost

    def do_GET(self) -> None:  # the library's name
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        told = self.server.answers.get(self.path, Told(404))
        if told.status == 200 and self.headers.get("If-None-Match") == told.headers.get("ETag", "none"):
            told = Told(304, headers=told.headers)
        self.send_response(told.status)
        for name, value in told.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(told.body) if told.length is None else told.length))
        self.end_headers()
        self.wfile.write(told.body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def feed_host() -> Iterator[FeedHost]:
    """A host that answers for the time of the block."""
    with FeedHost() as host:
        thread = Thread(target=host.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield host
        finally:
            host.shutdown()
            thread.join(5)
