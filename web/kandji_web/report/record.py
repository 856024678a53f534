"""The record beside a report: the hash of its file, and the statement and the date behind all that it tells."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kandji_queries.export.manifest import FORMAT, MADE_BY
from kandji_schema.utc import in_seconds
from kandji_web.report.contents import Report, ReportPicture

KIND = "report"
ENDING = ".manifest.json"


def record_of(report: Report, files: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the record of a report as JSON; ``files`` tell name, bytes and sha256 of what was written."""
    document = {
        "format": FORMAT,
        "made_by": MADE_BY,
        "version": report.about.version,
        "kind": KIND,
        "files": [dict(file) for file in files],
        "tenant": report.about.tenant,
        "made_at": in_seconds(report.made_at),
        "since": in_seconds(report.since),
        "blueprint": report.blueprint or None,
        "anonymous": report.wanted.anonymous,
        "masked": report.masked,
        "as_of": dict(report.as_of),
        "notes": list(report.notes),
        "numbers": [*_numbers(report)],
        "compared": [*_compared(report)],
        "pictures": [*_pictures(report)],
    }
    return (json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n").encode()


def is_record(document: Any, file: str) -> bool:
    """Tell whether a document is the record of a report and names that file, or is called so itself."""
    try:
        named = [each["path"] for each in document["files"]]
        ours = document["made_by"] == MADE_BY and document["kind"] == KIND
        return bool(ours and (file in named or file.endswith(ENDING)))
    except (KeyError, TypeError):
        return False


def _numbers(report: Report) -> Iterator[dict[str, Any]]:
    for section in report.overview.sections:
        lines = [{"fact": line.fact, "n": line.n, "of": line.whole, "unknown": line.unknown} for line in section.lines]
        yield {"section": section.name, "lines": lines, "sql": section.sql}


def _compared(report: Report) -> Iterator[dict[str, Any]]:
    for section in report.compared:
        lines = [{"fact": line.fact, "start": line.start.n, "end": line.end.n} for line in section.lines]
        yield {
            "title": section.title,
            "start": in_seconds(section.start),
            "end": in_seconds(section.end),
            "note": section.note or None,
            "lines": lines,
            "sql": section.statement,
        }


def _pictures(report: Report) -> Iterator[dict[str, Any]]:
    for section in report.sections:
        for told in section.pictures:
            yield {"section": section.name, "title": told.title, "sentence": told.sentence, **_answer(told)}


def _answer(told: ReportPicture) -> dict[str, Any]:
    picture = told.picture
    if picture is None:
        return {"query": None}
    return {
        "query": picture.name,
        "params": dict(picture.params),
        "rows": len(picture.rows),
        "truncated": picture.truncated,
        "columns": [column._asdict() for column in picture.columns],
        "as_of": dict(picture.as_of),
        "notes": [*told.notes],
        "sql": picture.sql,
    }
