"""``os_currency_as_of(moment)``: the view ``os_currency`` over devices and releases as they were.

The text of the view is the function's, with the moment in place of the present and two of its tables as they were
then. Of what Prism said its history may begin later: before that its first state stands for it. A model does not
change, and a build is only believed beside the version that it came with.
"""

from collections.abc import Mapping
from datetime import datetime

import duckdb

from kandji_queries.relations import AS_OF, CURRENCY
from kandji_schema.sql import identifier

DEVICES, REPORTED = "devices", "prism_device_information"
"""The tables that are read as they were; the first of them tells which moments there are."""

_NOW, _MOMENT = "now()", "(moment)::TIMESTAMPTZ"


def add_as_of(base: duckdb.DuckDBPyConnection, view: str, since: Mapping[str, datetime]) -> None:
    """Make the function of the view whose text is ``view``; ``since`` has the tables that are known as they were.

    None is made where that is not known of devices. Moments are UTC, naive.
    """
    if DEVICES not in since:
        return
    view = view.replace(_NOW, _MOMENT)
    for table in since.keys() & {DEVICES, REPORTED}:
        view = view.replace(f"main.{table} ", f"main.{table}{AS_OF}({_asked(table, since[table])}) ")
    base.execute(f"CREATE MACRO main.{identifier(f'{CURRENCY}{AS_OF}')}(moment) AS TABLE {view}")


def _asked(table: str, since: datetime) -> str:
    """Return the moment that a table is asked for: of devices an unknown one is refused."""
    begins = f"TIMESTAMPTZ '{since:%Y-%m-%d %H:%M:%S.%f}+00'"
    return _MOMENT if table == DEVICES else f"greatest({_MOMENT}, {begins})"
