"""The socket of the server: where it listens, and what is told when the system has no more to give."""

import asyncio
import errno
import logging
import os
import socket
from typing import Any

from kandji_schema.errors import ConfigurationError

BACKLOG = 64
"""Connections that wait to be taken; as many are taken at once, before the first of them can be closed."""

NO_MORE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What `accept` says when the system has no more to give."""

log = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """Open a socket clients can connect to; :class:`ConfigurationError` where the address is taken or none of ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"{host} port {port} cannot be listened on: {system_words(error)}. Choose others with "
            "KANDJI_MIRROR_HTTP_HOST and KANDJI_MIRROR_HTTP_PORT, or --host and --port."
        ) from None


def system_words(error: OSError) -> str:
    """Return the system's words alone; asyncio and socket add the address to them."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)


def on_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell in one line, without a traceback each, that the system gives no more files; asyncio tries again itself."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in NO_MORE:
        log.warning("No connection can be taken now: %s.", system_words(error))  # few in a minute are told
    else:
        loop.default_exception_handler(context)
