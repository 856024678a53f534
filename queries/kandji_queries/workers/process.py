"""The parent's end of one child."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from kandji_queries.engine.limits import Cancellation, Deadline
from kandji_queries.workers.messages import LARGEST, READY, STOP, WorkerStart
from kandji_schema.errors import StoreError, TookTooLong

KEPT = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH")
"""What of the environment a child gets: where Python and its packages are. No token, no path, no home."""

CPU_LIMIT_REACHED = -getattr(signal, "SIGXCPU", signal.SIGTERM)
"""How a process ends that used all processor time it may; Windows has no such limit."""

START_SECONDS = 60.0
"""Longest a child may take to be ready: on a busy machine without compiled bytecode it takes several seconds."""


class Worker:
    """One child. One thread at a time; ``served`` counts the statements it was given."""

    def __init__(self, start: WorkerStart, environment: Mapping[str, str] | None = None) -> None:
        """WorkerStart it and wait until it is ready; :class:`StoreError` if it does not come up."""
        self.served = 0
        self._stop_sent = self._killed = False
        ours, theirs = Pipe()
        self._connection: Connection[Any, Any] = ours
        with theirs:
            self._process = _started(theirs.fileno(), os.environ if environment is None else environment)
        try:
            ready = self._exchange(start.encoded(), START_SECONDS) == READY
        except (EOFError, OSError, TookTooLong):
            ready = False
        if not ready:
            self.close()
            raise StoreError(
                "The process that runs SQL did not start. `python -m kandji_queries.workers.child < /dev/null` shows "
                "why, if it is Python that complains."
            )

    @property
    def alive(self) -> bool:
        """Whether it can be given a statement."""
        return not self._killed and self._process.poll() is None

    def ask(self, message: bytes, seconds: float, stop: Cancellation | None) -> bytes:
        """Send a statement and wait for all of its answer.

        After ``seconds``, or when ``stop`` is set, the child is told to stop, and killed when it does not:
        :class:`TookTooLong` or :class:`Interrupted`. :class:`TookTooLong` also when it ended by itself.
        """
        self.served += 1
        self._stop_sent = False
        try:
            return self._exchange(message, seconds, stop)
        except (EOFError, OSError) as error:
            raise self._ended() from error

    def close(self) -> None:
        """End it; it has nothing to save."""
        self._kill()
        self._process.wait()
        self._connection.close()

    def _exchange(self, message: bytes, seconds: float, stop: Cancellation | None = None) -> bytes:
        with Deadline(seconds, self._send_stop, stop=stop, kill=self._kill):
            self._connection.send_bytes(message)
            return self._connection.recv_bytes(LARGEST)

    def _send_stop(self) -> None:
        if not self._stop_sent:
            self._stop_sent = True
            self._connection.send_bytes(STOP)

    def _kill(self, _: object = None) -> None:
        self._killed = True
        self._process.kill()

    def _ended(self) -> TookTooLong:
        self._kill()  # where only the connection broke
        code = self._process.wait()
        if code == CPU_LIMIT_REACHED:
            return TookTooLong(
                "The statement was stopped: it used more processor time than it may. Ask for less at once."
            )
        return TookTooLong(
            "The statement ended the process it ran in, most likely by using too much memory. Ask for less at once: "
            "filter earlier, select fewer columns."
        )


def _started(connection: int, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # our own module, no shell
        [sys.executable, "-P", "-m", "kandji_queries.workers.child"],
        stdin=connection,
        stdout=subprocess.DEVNULL,
        cwd=tempfile.mkdtemp(prefix="kandji-mirror-"),  # the child removes it at once
        env={name: environment[name] for name in KEPT if name in environment},
        start_new_session=True,  # Ctrl-C is for the parent
    )
