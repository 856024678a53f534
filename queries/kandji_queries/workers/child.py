"""What runs in a child: ``python -m kandji_queries.workers.child``, with a socket to the parent as standard input.

It opens the mirror, tries its engine for known ways out, gives up every right it does not need, and answers one
statement after the other. It ends when the parent does, also in the middle of a statement.
"""

import os
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from kandji_queries.engine.errors import OUT_OF_MEMORY
from kandji_queries.engine.process_limits import allow_cpu, restrict
from kandji_queries.reader import Reader
from kandji_queries.workers import messages
from kandji_queries.workers.messages import StatementRequest, WorkerStart
from kandji_schema.errors import MirrorError, TookTooLong


def main() -> NoReturn:
    """Serve until the parent is gone."""
    with suppress(OSError):
        Path.cwd().rmdir()  # the folder made for this process: nothing can be put into one that is no more
    parent: Connection[Any, Any] = Connection(0)
    try:
        Child(parent).serve()
    except (EOFError, OSError):
        os._exit(0)


class Child:
    """One mirror, opened for one parent."""

    def __init__(self, parent: "Connection[Any, Any]") -> None:
        self._parent = parent
        self._start = WorkerStart.decoded(parent.recv_bytes())
        self._now: datetime | None = None
        self._sealed = False
        self._reader = Reader(
            self._start.home, self._start.limits, second_opinion=True, clock=self._time, **self._start.options
        )

    def serve(self) -> NoReturn:
        """Answer statements; :class:`EOFError` when the parent is gone."""
        with suppress(MirrorError):  # the statement that meets the trouble tells it
            self._checked_reader().run("SELECT 1")
        restrict(self._start.limits.memory_mb)
        self._parent.send_bytes(messages.READY)
        while True:
            message = self._parent.recv_bytes()
            if message != messages.STOP:
                self._parent.send_bytes(self._answer(StatementRequest.decoded(message)))

    def _answer(self, request: StatementRequest) -> bytes:
        self._now = request.now
        allow_cpu(request.limits.seconds, self._start.limits.threads)
        try:
            return self._run(request)
        except MirrorError as error:
            return messages.error_message(error)
        except MemoryError:
            return messages.error_message(TookTooLong(OUT_OF_MEMORY))
        except Exception as error:
            place = "".join(traceback.format_tb(error.__traceback__))
            return messages.fault_message(f"{type(error).__name__}\n{place}")

    def _run(self, request: StatementRequest) -> bytes:
        reader = self._checked_reader().stopped_by(ParentStop(self._parent))
        if request.remedy:
            reader = reader.with_remedy(request.remedy)
        message = messages.result_message(reader.run_json(request.sql, request.params, limits=request.limits))
        if len(message) > messages.LARGEST:
            raise TookTooLong(f"The answer has more than {messages.LARGEST:,} bytes. Select fewer rows or columns.")
        return message

    def _checked_reader(self) -> Reader:
        """Return the reader, once its engine has been tried for known ways out; none of them may work."""
        if not self._sealed:
            self._reader.self_test()
            self._sealed = True
        return self._reader

    def _time(self) -> datetime:
        return self._now or datetime.now(UTC)


class ParentStop:
    """Set once the parent said stop; a parent that is gone ends the process instead."""

    def __init__(self, parent: "Connection[Any, Any]") -> None:
        self._parent = parent
        self._said = False

    def is_set(self) -> bool:
        """Tell whether it was said; looked at while the engine works, when the parent says nothing else."""
        try:
            if self._parent.poll():
                self._said |= self._parent.recv_bytes() == messages.STOP
        except (EOFError, OSError):
            os._exit(0)
        return self._said


if __name__ == "__main__":
    main()
