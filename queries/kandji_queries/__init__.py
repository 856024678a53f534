"""The reading side: guarded SQL, named queries, exports and the data dictionary over the mirror's files.

For notebooks and scripts of one's own, :func:`connect` gives a DuckDB connection that can only read. For programs that
run other people's statements start with :class:`kandji_queries.reader.Reader`, which checks and bounds each. Nothing
here imports SQLModel, pydantic or an HTTP client: a query on the command line must start in little more than the time
DuckDB itself needs.
"""

from typing import TYPE_CHECKING

from kandji_schema.lazy import lazy_names

if TYPE_CHECKING:
    from kandji_queries.notebook import connect, mirrored_at

__all__ = ["connect", "mirrored_at"]

__getattr__, __dir__ = lazy_names(__name__, dict.fromkeys(__all__, "kandji_queries.notebook"))
