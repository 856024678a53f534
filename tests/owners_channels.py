"""What an owner has off this machine: a webhook that keeps what was posted, and the settings that name it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from commands import skip_where_own_file_counts


class Hook:
    """A webhook on loopback. ``got`` are the documents that came, ``status`` is what it answers."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(hook.status)
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the library names it
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    @property
    def code(self) -> str:
        """The newest code."""
        return str(self.got[-1]["code"])


@contextmanager
def hook() -> Iterator[Hook]:
    """Served until the block ends."""
    served = Hook()
    thread = Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        served.server.shutdown()
        thread.join()
        served.server.server_close()


def owners_file(home: Path, **settings: str) -> None:
    """The owner's ``config.toml``, where commands with the environment of ``commands`` read it."""
    skip_where_own_file_counts(settings)
    folder = home / "config" / "kandji-mirror"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))


def code_in(text: str) -> str:
    """The code of a message."""
    found = re.match(r"(\d{8}) is the code", text)
    assert found is not None, text
    return found[1]
