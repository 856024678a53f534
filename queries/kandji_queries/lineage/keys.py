"""The keys of the tables: columns that no two rows of one have in common.

They are declared with the tables, with which comes SQLModel; a statement on the command line has no time for that. So
``keys.json`` has them too, written by ``python docs/generate.py``.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("keys.json")


@cache
def keys() -> Mapping[str, Sequence[str]]:
    """Return by table the columns of its key; a table that is not there may have several rows of one."""
    found: Mapping[str, Sequence[str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
