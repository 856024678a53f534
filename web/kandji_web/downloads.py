"""Rows to take along: the whole answer as a file that the browser saves."""

import io
import tempfile
from datetime import datetime
from pathlib import Path

from anyio import to_thread
from starlette.responses import Response

from kandji_queries.results.formats import write
from kandji_queries.results.result import Answer
from kandji_queries.results.spreadsheet import write_csv
from kandji_schema.errors import UnknownName, UsageError

MOST_ROWS = 100_000
"""Rows of a download; of a longer answer nothing is sent, as its beginning would pass for all of it."""

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
"""Forms of downloads, which are the endings of their names too, and what they are called over HTTP."""


def refuse_unknown(form: str) -> None:
    """:class:`UnknownName` for a form there is not."""
    if form not in TYPES:
        raise UnknownName("form of a download", form, TYPES)


async def text_file(answer: Answer, form: str, name: str, now: datetime) -> Response:
    """Return an answer as ``csv``, which spreadsheets open and run nothing of, or ``json``, an object a row.

    It is written in a thread of its own: other pages do not wait for it.

    :class:`UsageError` where the answer has more rows than a download.
    """
    if answer.truncated:
        raise UsageError(
            f"The answer has more than {MOST_ROWS:,} rows, so it was not sent. Narrow it, take the Parquet file, or "
            "write it with `kandji-mirror query` or `kandji-mirror sql` and `--format csv`."
        )
    return saved(await to_thread.run_sync(_written, answer, form), form, name, now)


def _written(answer: Answer, form: str) -> bytes:
    out = io.StringIO()
    if form == "csv":
        write_csv(answer, out)
    else:
        write(answer, form, out)
    return out.getvalue().encode()


def saved(content: bytes, form: str, name: str, now: datetime) -> Response:
    """Return bytes that the browser saves, named by ``name`` (letters, digits, ``_``) and the mirror's time."""
    file = f"{name}-{now:%Y-%m-%d-%H%M}.{form}"
    return Response(
        content, headers={"Content-Type": TYPES[form], "Content-Disposition": f'attachment; filename="{file}"'}
    )


def lone_file(folder: Path, form: str) -> bytes:
    """Return the one file of an export that is not its manifest."""
    return next(folder.glob(f"*.{form}")).read_bytes()


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder for an export that is gone with its block."""
    return tempfile.TemporaryDirectory(prefix="kandji-mirror-")
