"""The child: opens the mirror, locks itself in, answers one statement after the other until its input ends.

Started as ``python -I -m kandji_queries.fenced.child``. The first message says where the mirror is and what the limits
are; the answer to it says that the engine is open and sealed.
"""

import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kandji_queries.fenced import frames
from kandji_queries.limits import Limits
from kandji_queries.reader import Reader
from kandji_schema.errors import MirrorError, NothingMirrored, Refused

if sys.platform != "win32":
    import resource

MB = 1024 * 1024

OVERHEAD_MB = 1_536
"""Address space beyond the engine's own memory limit: an idle child has mapped about 800 MB."""

OPEN_FILES = 512
"""Enough for every table and piece of history of two states at once."""


def main() -> None:
    """Serve on stdin and stdout."""
    source, out = sys.stdin.buffer, sys.stdout.buffer
    try:
        with _opened(frames.receive(source)) as reader:
            _lock_in(reader.limits.memory_mb)
            frames.send(out, {"ready": True})
            while True:
                frames.send(out, _answer(reader, frames.receive(source)))
    except frames.Closed:
        return
    except MirrorError as error:
        frames.send(out, {"error": as_message(error)})


def _opened(start: dict[str, Any]) -> Reader:
    """The reader, tried for known ways out. An empty mirror is no error yet: there may be one by the first question."""
    reader = Reader(Path(start["home"]), Limits(**start["limits"]), second_opinion=True)
    with suppress(NothingMirrored):
        reader.self_test()
    return reader


def _lock_in(memory_mb: int) -> None:
    """Limits that hold whatever a statement does. Windows has none of them; there the deadline alone is left."""
    if sys.platform == "win32":
        return
    space = (memory_mb + OVERHEAD_MB) * MB
    bounds = {
        resource.RLIMIT_AS: space,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    for kind, bound in bounds.items():
        _, most = resource.getrlimit(kind)
        bound = bound if most == resource.RLIM_INFINITY else min(bound, most)
        try:
            resource.setrlimit(kind, (bound, bound))
        except (ValueError, OSError):
            continue  # macOS does not know RLIMIT_AS: the server watches the memory instead


def _bound_cpu(seconds: float, threads: int) -> None:
    """Processor time of the next statement: the last line, should neither the interrupt nor the server end it."""
    if sys.platform != "win32":
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds * threads) + 10, most))


def _answer(reader: Reader, asked: dict[str, Any]) -> dict[str, Any]:
    limits = replace(reader.limits, **asked.get("limits", {}))
    _bound_cpu(limits.seconds, limits.threads)
    try:
        ask = reader.query if "query" in asked else reader.run
        result = ask(asked.get("query") or asked["sql"], asked.get("params"), limits=limits)
        return {"answer": {**result.to_json(), "notes": result.notes, "elapsed_ms": result.elapsed_ms}}
    except MirrorError as error:
        return {"error": as_message(error)}
    except (MemoryError, RecursionError) as error:
        return {"error": {"kind": "TookTooLong", "text": _too_much(error)}, "spent": True}


def _too_much(error: Exception) -> str:
    return f"The statement needs more memory than it may use ({type(error).__name__}). Aggregate or filter earlier."


def as_message(error: MirrorError) -> dict[str, Any]:
    """An error of ours as it crosses the pipe."""
    rule = {"rule": error.rule} if isinstance(error, Refused) else {}
    return {"kind": type(error).__name__, "text": str(error), **rule}


def as_start(home: Path, limits: Limits) -> dict[str, Any]:
    """The first message to a child."""
    return {"home": str(home), "limits": asdict(limits)}


if __name__ == "__main__":
    main()
