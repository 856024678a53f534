"""Whether the channels that the owner's settings name lead anywhere: looked at before they are needed.

Nothing is sent: a webhook is connected to, a program is looked for, a socket is opened.
"""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from kandji_mirror.channels import SECONDS, bounded, program_of, syslog_opened
from kandji_schema.errors import NotDelivered


def webhook(setting: str, url: str, *, ca_file: str = "") -> str:
    """Its host, once it took a connection; :class:`NotDelivered` where it does not."""

    def connect() -> None:
        from kandji_mirror.api.http import connected_to  # only where there is one

        connected_to(url, ca_file=ca_file, seconds=SECONDS)

    _tried(setting, connect)
    return f"{urlsplit(url).hostname} takes connections"


def command(setting: str, line: str) -> str:
    """Its program; :class:`NotDelivered` where that is not there or may not be started."""
    program = program_of(setting, line)
    if not Path(program).is_file():
        raise NotDelivered(f"{setting}: there is no program {program}. Correct it.")
    if not os.access(program, os.X_OK):
        raise NotDelivered(f"{setting}: {program} may not be started by this user. Correct its rights.")
    return f"{program} is there"


def syslog(setting: str, address: str) -> str:
    """The address, once it was opened; :class:`NotDelivered` where nobody listens there, as far as can be seen."""
    _tried(setting, lambda: syslog_opened(setting, address))
    return f"syslog at {address}"


def is_far(address: str) -> bool:
    """Whether looking for a syslog takes more than this machine."""
    return address != "local" and not address.startswith("/")


def _tried(setting: str, look: Callable[[], None]) -> None:
    bounded(setting, lambda _text, _facts: look())("", {})
