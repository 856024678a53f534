"""All remarks on one statement."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from kandji_queries.advice import dialects
from kandji_queries.engine.query_engine import QueryEngine
from kandji_queries.lineage.tree import UNREADABLE
from kandji_queries.remarks import flagged, in_lists, near_values, past_begins, versions_as_text
from kandji_queries.remarks.asked import Asked
from kandji_queries.results.outcome import Outcome
from kandji_schema.utc import naive_utc


def remarks(asked: Asked, engine: QueryEngine, outcome: Outcome, now: datetime) -> Iterator[str]:
    """Yield what whoever wrote a statement may not have thought of, now that its ``outcome`` is known.

    ``engine`` is the one that it ran on, ``now`` is aware.
    """
    nothing = outcome.has_nothing
    for found in (
        dialects.remarks(asked.root),
        versions_as_text.remarks(asked.root, rows=outcome.rows),
        in_lists.remarks(asked, empty=nothing),
        past_begins.remarks(asked, engine.known_since, naive_utc(now)),
        near_values.remarks(asked) if nothing else (),
        () if nothing else flagged.remarks(asked, outcome.listed, engine.flagged_devices),
    ):
        with suppress(*UNREADABLE):
            yield from found
