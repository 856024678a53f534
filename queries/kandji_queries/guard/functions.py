"""The functions a statement may call: ``functions.txt``, reviewed by hand for the DuckDB version it names.

Each line is a verdict and a name, ``+`` allowed or ``-`` refused. Refused are functions that read files, settings,
sessions or the catalogue, that wait, log or fail on purpose, that parse or run SQL from text, and the engine's
internals. After an upgrade of DuckDB run::

    python -m kandji_queries.guard.functions > new.txt && mv new.txt queries/kandji_queries/guard/functions.txt

which prints the file anew, keeps every verdict, and marks names it has not seen with ``?``: replace each by a verdict.
Until then they are refused, as is a function that is not in the file at all, so a new version fails closed; a test
points at what is left to review.
"""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from kandji_queries.definitions import macros

FILE = Path(__file__).with_name("functions.txt")

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree"})
"""What may stand in FROM with arguments; all other table functions read files or the engine's insides."""

GROWING = frozenset(
    {"repeat", "lpad", "rpad", "range", "generate_series", "list_resize", "array_resize", "bitstring", "bar"}
)
"""Functions whose result grows with an argument; no time or memory limit acts inside one call of them."""

LARGEST = 1_000_000
"""Largest number that may be written as an argument of one of :data:`GROWING`."""

CALLABLE_TYPES = ("scalar", "aggregate", "macro", "window")
"""Values of ``function_type`` in ``duckdb_functions()`` that can be called in an expression."""


@cache
def allowed() -> frozenset[str]:
    """Return the names of the functions that may be called in an expression, our own macros included."""
    reviewed = {name for name, verdict in verdicts().items() if verdict == "+"}
    return frozenset(reviewed | {"unnest"} | macros().keys())  # unnest is syntax and not in duckdb_functions()


@cache
def verdicts() -> dict[str, str]:
    """Return every reviewed name and its verdict, ``+``, ``-`` or ``?`` (to be reviewed, hence refused)."""
    lines = FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else []
    return {name: verdict for verdict, name in (line.split(" ", 1) for line in lines if line[:1] in {"+", "-", "?"})}


def present() -> Iterator[str]:
    """Yield the names of all functions of the installed DuckDB that can stand in an expression."""
    from kandji_schema import database  # the guard reads the file only

    with database.connect() as engine:
        names = engine.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ? ORDER BY ALL",
            [list(CALLABLE_TYPES)],
        )
        yield from (name for (name,) in names.fetchall())


def main() -> None:
    """Print the file for the installed DuckDB."""
    import duckdb

    sys.stdout.write(f"# Functions of DuckDB {duckdb.__version__}; see functions.py.\n")
    sys.stdout.writelines(f"{verdicts().get(name, '?')} {name}\n" for name in present())


if __name__ == "__main__":
    main()
