"""Who acts, from the operating system."""

import getpass
import socket
from importlib.metadata import version

from kandji_mirror.audit.log import Actor
from kandji_schema.text import one_line

_LONGEST = 200
"""Characters of what a client says of itself."""


def actor(client: str = "") -> Actor:
    """This user on this machine. ``client`` names an AI client; without one it is this program."""
    return Actor(
        os_user=_user(),
        host=socket.gethostname(),
        client=one_line(client)[:_LONGEST] or f"kandji-mirror {version('kandji-mirror')}",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without an entry for its user
        return "unknown"
