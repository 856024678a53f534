"""``kandji-mirror mcp``, also the script ``kandji-mirror-mcp``: the server over stdio."""

import logging
import os
import signal
import sys

from kandji_schema.errors import MirrorError
from kandji_schema.settings import Settings, load


def main() -> None:
    """Serve until the client closes stdin, or SIGTERM or SIGINT comes; each is a clean end with exit code 0.

    Only the protocol goes to stdout, the log to stderr. Foreseeable trouble is one line there and a documented exit
    code.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    # Before the SDK is there: it would install a handler of its own.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        _serve(load())
    except MirrorError as error:
        print(f"kandji-mirror mcp: {error}", file=sys.stderr)  # noqa: T201  # this is where messages are printed
        sys.exit(error.exit_code)


def _serve(settings: Settings) -> None:
    from kandji_mcp_server.mirror import mirror_of  # wrong settings are told before the SDK is loaded
    from kandji_mcp_server.server import build
    from kandji_mcp_server.stdio import serve

    mirror = mirror_of(settings)
    serve(build(mirror), mirror.warm_up)


def _end(*_: object) -> None:
    """End at once: the thread that waits for input cannot be woken, and reading leaves nothing to save."""
    os._exit(0)
