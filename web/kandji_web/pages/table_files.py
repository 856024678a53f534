"""``/tables/NAME.csv``, ``.parquet`` and ``.json``: the rows of a view as a file, made whole before it is sent."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
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


async def download(request: Request) -> Response:
    """Send all rows of a view as a file; nothing is sent of an address that cannot be read whole."""
    now, ending = datetime.now(UTC), f".{request.path_params['form']}"
    view = await ask(request, lambda reader: _view(reader, request, now))
    folder = Path(mkdtemp(prefix="kandji-mirror-"))
    try:
        written = await until_gone(
            request, lambda: mirror_of(request).write(partial(_written, view, ending, folder, now))
        )
        sent, size = written.path.open("rb"), written.path.stat().st_size
    finally:
        rmtree(folder, ignore_errors=True)  # what is open is sent to its end, and nothing is left behind
    headers = {
        "Content-Disposition": f'attachment; filename="{written.name}"',
        "Content-Length": str(size),
        "X-Rows": str(written.rows),
    }
    return StreamingResponse(_pieces(sent), media_type=TYPES[ending], headers=headers)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await to_thread.run_sync(file.read, PIECE):
            yield piece


def _written(view: View, ending: str, folder: Path, now: datetime, source: MirrorSource, stop: Stop) -> Written:
    return write_file(source, view, ending, folder, now, stop)


def _view(reader: Reader, request: Request, now: datetime) -> View:
    view, problems = read_view(
        find_relation(reader, request.path_params["name"]), request.query_params.multi_items(), now
    )
    if problems:
        raise UsageError(" ".join(f"{problem.parameter}: {problem.words}" for problem in problems))
    return view


ROUTES = [Route("/tables/{name}.{form:str}", download)]
