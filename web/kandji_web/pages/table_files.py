"""``/tables/NAME.csv``, ``.parquet`` and ``.json``: the rows of a view as a file, made whole before it is sent."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from kandji_queries.browse.download import TYPES, Written, write_file
from kandji_queries.browse.relation import find_relation
from kandji_queries.browse.view import View, read_view
from kandji_queries.export.source import MirrorSource
from kandji_queries.reader import Reader
from kandji_schema.errors import UsageError
from kandji_web.asking import ask, mirror_of, until_gone

PIECE = 256 * 1024
"""Bytes that are sent at a time."""

Stop = Callable[[], None]


@dataclass(frozen=True)
class Sent:
    """A file that is open, and nowhere else any more."""

    file: BinaryIO
    size: int
    written: Written


async def download(request: Request) -> Response:
    """Send all rows of a view as a file; nothing is sent of an address that cannot be read whole."""
    now, ending = datetime.now(UTC), f".{request.path_params['form']}"
    view = await ask(request, lambda reader: _view(reader, request, now))
    sent = await until_gone(request, lambda: mirror_of(request).write(partial(_sent, view, ending, now)))
    headers = {
        "Content-Disposition": f'attachment; filename="{sent.written.name}"',
        "Content-Length": str(sent.size),
        "X-Rows": str(sent.written.rows),
    }
    return StreamingResponse(_pieces(sent.file), media_type=TYPES[ending], headers=headers)


def _sent(view: View, ending: str, now: datetime, source: MirrorSource, stop: Stop) -> Sent:
    """Write the file and open it; its folder is gone again whatever happens, and the file once it is closed."""
    with TemporaryDirectory(prefix="kandji-mirror-", ignore_cleanup_errors=True) as folder:
        written = write_file(source, view, ending, Path(folder), now, stop)
        return Sent(written.path.open("rb"), written.path.stat().st_size, written)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await to_thread.run_sync(file.read, PIECE):
            yield piece


def _view(reader: Reader, request: Request, now: datetime) -> View:
    view, problems = read_view(
        find_relation(reader, request.path_params["name"]), request.query_params.multi_items(), now
    )
    if problems:
        raise UsageError(" ".join(f"{problem.parameter}: {problem.words}" for problem in problems))
    return view


ROUTES = [Route("/tables/{name}.{form:str}", download)]
