"""A command at a terminal: what it shows, and what a person types there."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from commands import COMMAND, environment

PATIENCE = 60.0
Typed = str | Callable[[], str]


def typed(home: Path, arguments: list[str], answers: Mapping[str, Typed], **settings: str) -> tuple[int, str]:
    """Run the command on a terminal, answer prompts by a part of their text; exit code and all that was shown.

    An answer that is only known when it is asked for is a function.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *arguments],
        env=environment(home, **settings),
        cwd=home,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        shown = _converse(ours, dict(answers))
    finally:
        os.close(ours)
    return process.wait(PATIENCE), shown


def _converse(terminal: int, waiting: dict[str, Typed]) -> str:
    shown, deadline = "", time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            piece = os.read(terminal, 65_536)
        except OSError:  # Linux says so when the other end closes
            return shown
        if not piece:
            return shown
        shown += piece.decode(errors="replace")
        for prompt in [prompt for prompt in waiting if prompt in shown]:
            answer = waiting.pop(prompt)
            os.write(terminal, ((answer if isinstance(answer, str) else answer()) + "\n").encode())
    raise TimeoutError(f"The command did not end. It showed: {shown}")
