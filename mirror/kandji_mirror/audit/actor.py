"""Who acts, from the operating system."""

import getpass
import socket
from importlib.metadata import version

from kandji_mirror.audit.log import Actor

_LONGEST = 200


def actor(client: str = "") -> Actor:
    """This user on this machine. ``client`` names an AI client; without one it is this program."""
    return Actor(
        os_user=_user(), host=socket.gethostname(), client=_tidy(client) or f"kandji-mirror {version('kandji-mirror')}"
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without an entry for its user
        return "unknown"


def _tidy(text: str) -> str:
    """What a client says of itself, on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST]
