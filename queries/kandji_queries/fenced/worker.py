"""The server's end of one child process."""

import os
import queue
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any, cast

from kandji_queries.fenced import frames
from kandji_queries.fenced.child import as_start
from kandji_queries.limits import Limits
from kandji_schema import errors
from kandji_schema.errors import MirrorError, Refused, StoreError, TookTooLong

START_SECONDS = 30.0
"""A child that is not ready by then never will be."""

GRACE_SECONDS = 0.5
"""After its deadline a child has this long to tell of it before it is killed."""

_COMMAND = (sys.executable, "-I", "-m", "kandji_queries.fenced.child")


class Gone(Exception):
    """The child ended, or was ended, in the middle of a statement."""


class Worker:
    """One child process. Not safe for threads: whoever leases it has it alone; only :meth:`kill` may come from others.

    ``served`` counts its statements.
    """

    def __init__(self, home: Path, limits: Limits) -> None:
        """Start the child; it opens the mirror while the caller goes on."""
        self.limits = limits
        self.served = 0
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._ready = False
        self._child = subprocess.Popen(  # noqa: S603  # our own interpreter with a fixed module
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=os.path.abspath(os.sep),  # noqa: PTH100  # the root of whatever drive there is
            close_fds=True,
            start_new_session=True,  # Ctrl-C in the terminal is for the server, which then ends its children
        )
        Thread(target=self._listen, args=(self._child.stdout,), daemon=True, name="fenced-answers").start()
        with suppress(frames.Closed):
            frames.send(cast(IO[bytes], self._child.stdin), as_start(home, limits))  # type: ignore[arg-type]  # a pipe

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The child's answer to one statement, ``{"columns", "rows", ...}``.

        Raises what the child raised, :class:`TookTooLong` where it had to be killed, :class:`Gone` where it was killed
        by somebody else or died.
        """
        self._await_ready()
        self.served += 1
        try:
            frames.send(self._child.stdin, question)  # type: ignore[arg-type]  # a pipe, as asked for
        except frames.Closed as error:
            raise Gone from error
        return self._unwrapped(self._next(seconds + GRACE_SECONDS))

    def _await_ready(self) -> None:
        if self._ready:
            return
        self._unwrapped(self._next(START_SECONDS))
        self._ready = True

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            message = self._answers.get(timeout=seconds)
        except queue.Empty:
            self.kill()
            raise TookTooLong(
                f"The statement was ended by force after {seconds:.1f} s: a single call in it does more work than any "
                "limit of the engine sees. Look for repeat, range, lpad or edit distances over huge values."
            ) from None
        if message is None:
            raise Gone
        return message

    def _unwrapped(self, message: dict[str, Any]) -> dict[str, Any]:
        if "error" in message:
            if message.get("spent"):
                self.kill()
            raise _error(message["error"])
        return cast(dict[str, Any], message.get("answer", {}))

    def _listen(self, source: Any) -> None:
        with suppress(frames.Closed):
            while True:
                self._answers.put(frames.receive(source))
        self._answers.put(None)

    @property
    def alive(self) -> bool:
        """Whether the child can take another statement."""
        return self._child.poll() is None

    def kill(self) -> None:
        """End the child at once, whatever it does."""
        with suppress(ProcessLookupError):
            self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError):
                if pipe is self._child.stdin and pipe is not None:
                    pipe.close()  # stdout is closed by the thread that listens


def _environment() -> dict[str, str]:
    """Nothing: no token, no proxy, no home. Windows does not start a program without its own folder."""
    return {"SYSTEMROOT": os.environ["SYSTEMROOT"]} if sys.platform == "win32" else {}


def _error(message: dict[str, Any]) -> MirrorError:
    kind = getattr(errors, str(message.get("kind")), StoreError)
    text = str(message.get("text"))
    if kind is Refused:
        return Refused(text, rule=str(message.get("rule")))
    error = MirrorError.__new__(kind if isinstance(kind, type) and issubclass(kind, MirrorError) else StoreError)
    error.args = (text,)
    return error
