"""The reading side: guarded SQL, named queries, exports and the data dictionary over the mirror's files.

For notebooks and scripts of one's own, :func:`connect` gives a DuckDB connection that can only read, :func:`picture`
the picture of a named query. For programs that
run other people's statements start with :class:`kandji_queries.reader.Reader`, which checks and bounds each. Nothing
here imports SQLModel, pydantic or an HTTP client: a query on the command line must start in little more than the time
DuckDB itself needs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kandji_queries.notebook import connect, mirrored_at
    from kandji_queries.notebook_pictures import picture

__all__ = ["connect", "mirrored_at", "picture"]


def __dir__() -> list[str]:
    """List what a notebook completes, which looks here for names that are not imported yet."""
    return sorted({name for name in globals() if name.startswith("__")} | {*__all__})


def __getattr__(name: str) -> Any:
    """Import what is asked for first: this import itself costs nothing, not even kandji_schema."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kandji_queries import notebook, notebook_pictures

    return getattr(notebook if name != "picture" else notebook_pictures, name)
