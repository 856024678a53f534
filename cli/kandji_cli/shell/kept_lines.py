"""Which lines are remembered from one day to the next, and where: in a file that this user alone may read."""

import re
from collections.abc import Collection
from pathlib import Path

from kandji_schema.files import make_file, make_folder, tighten
from kandji_schema.folders import state_dir

NAME = "shell_history"

MOST_BYTES = 500_000
"""The file is cut to the newest half where it is longer."""

_SECRET = re.compile(
    r"\b\w*(token|secret|passw(or)?d|passcode|passphrase|api_?key|authorization|bearer|pin)\w*\s*(=|:|\blike\b|\bilike\b|'|\")",
    re.I,
)


def may_be_kept(line: str, secrets: Collection[str]) -> bool:
    """Tell whether a line is remembered: one that begins with a blank is not, nor is one that has a secret in it."""
    if not line.strip() or line[0].isspace():
        return False
    return not _SECRET.search(line) and not any(secret and secret in line for secret in secrets)


def history_file() -> Path:
    """Return the file, made where there is none, readable by this user alone, and of a bounded length.

    :class:`OSError` where there can be none.
    """
    path = state_dir() / NAME
    make_folder(path.parent)
    if not path.exists():
        make_file(path)
    if not path.is_file():  # a pipe or a device would be read for ever
        raise OSError(f"{path} is no file.")
    tighten(path)
    text = path.read_bytes()
    if len(text) > MOST_BYTES:
        begin = text.find(b"\n# ", len(text) - MOST_BYTES // 2)
        path.write_bytes(text[begin + 1 :] if begin >= 0 else b"")
    return path
