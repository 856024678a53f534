"""A command that prints, as one JSON object, what every door answers about a home in the zone it is started in.

``TZ=Asia/Tokyo python tests/zone_answers.py HOME``; the time zone is the process's, so each zone needs one of its own.
"""

import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
from test_questions_catalogue import telling

from kandji_queries.catalog.queries import catalog
from kandji_queries.export.export import export
from kandji_queries.notebook import connect
from kandji_queries.reader import Reader
from kandji_queries.workers.pool import WorkerPool

SEEN = "SELECT now()::TIMESTAMP AS moment, date_trunc('hour', now())::VARCHAR AS hour"
CAST = "SELECT TIMESTAMPTZ '2026-07-01 12:00:00+00' ::TIMESTAMP AS summer, '2026-03-29 02:30:00'::TIMESTAMPTZ::VARCHAR"
RELATIONS = ("fleet", "freshness", "compliance", "history", "changes")
PAST = "SELECT count(*) FROM devices_as_of((now() AT TIME ZONE 'UTC') - INTERVAL 1 SECOND)"
"""A moment west of Greenwich was before history began when the engine counted in the zone of the machine."""


def answers(home: Path) -> Iterator[tuple[str, object]]:
    """Pairs of what was asked and its rows, from the reader, a worker, the notebook and an export."""
    statements = (SEEN, CAST, PAST, *(f"FROM {name}" for name in RELATIONS))
    with Reader(home) as reader:
        yield from ((name, reader.query(name, telling(query)).to_json()) for name, query in catalog().items())
        yield from ((f"reader: {sql}", reader.run(sql).to_json()) for sql in statements)
    with WorkerPool(home) as workers:
        yield from ((f"worker: {sql}", workers.run(sql).to_json()) for sql in statements[:4])
    with connect(home) as notebook:
        yield from ((f"notebook: {sql}", _described(notebook.execute(sql))) for sql in statements[:4])
    with tempfile.TemporaryDirectory() as folder:
        export(home, ["offline_devices", "freshness"], "jsonl", Path(folder))
        for file in sorted(Path(folder).glob("*.jsonl")):
            rows = [orjson.loads(line) for line in file.read_bytes().splitlines()]
            yield (
                f"export: {file.name}",
                {"columns": [{"name": n} for n in rows[0]], "rows": [[*r.values()] for r in rows]},
            )


def _described(result: object) -> dict[str, object]:
    rows = result.fetchall()  # type: ignore[attr-defined]  # DuckDB's own connection or relation
    return {"columns": [{"name": name} for name, *_ in result.description], "rows": rows}  # type: ignore[attr-defined]


def main() -> None:
    """Print the answers, and the local hour so that a test sees that the zone was really another one."""
    found = dict(answers(Path(sys.argv[1])))
    local = datetime.now(UTC).astimezone().utcoffset()
    sys.stdout.buffer.write(orjson.dumps({"offset": str(local), "answers": found}, default=str))


if __name__ == "__main__":
    main()
