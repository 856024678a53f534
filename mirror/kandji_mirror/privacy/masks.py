"""What a personal value becomes, as DuckDB expressions.

A pseudonym is ``p_`` and the first half of HMAC-SHA256 (the mirror's key, the text in lower case without spaces around
it), so the same person is the same pseudonym in every table and every letter case, and nobody without the key can try
addresses out. NULL stays NULL: that nothing is known identifies nobody.
"""

import duckdb

from kandji_schema.columns import Column, Kind, Personal

MACRO = "memory.main.pseudonym"
"""Made in the in-memory catalog of the writer: the key is never in a file of the store."""

_BLOCK = 64  # bytes of a block of SHA-256
_COMMON_PATHS = (
    r"^(/Applications|/System|/Library|/usr|/bin|/sbin|/opt|/private/var/db|/var/db|/var/containers|C:\\Program Files"
    r"|C:\\Windows)([/\\]|$)"
)
"""Folders every machine has; what lies elsewhere may be below somebody's home, and whole names are masked there."""


def install(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Make the macro that all expressions here use."""
    padded = key.ljust(_BLOCK, b"\0")
    inner, outer = (_blob(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))
    text = "encode(lower(trim(value)))"
    con.execute(
        f"CREATE OR REPLACE MACRO {MACRO}(value) AS "
        f"CASE WHEN value IS NOT NULL THEN 'p_' || left(sha256({outer} || unhex(sha256({inner} || {text}))), 32) END"
    )


def masked(column: Column, value: str) -> str:
    """The expression of a column's masked value from that of its plain one; the same where it is not personal."""
    if column.personal is None:
        return value
    if column.name == "extra":
        return "NULL::JSON"  # nobody knows what is in there
    return (
        _MASKS.get(column.kind, "NULL").format(value=value, macro=MACRO)
        if column.personal is not Personal.PATH
        else (f"CASE WHEN regexp_matches({value}, '{_COMMON_PATHS}') THEN {value} ELSE {MACRO}({value}) END")
    )


_MASKS = {
    Kind.TEXT: "{macro}({value})",
    Kind.TEXTS: "list_transform({value}, lambda word: {macro}(word))",
    Kind.DOCUMENT: "CASE WHEN {value} IS NOT NULL THEN to_json({macro}(({value})::VARCHAR)) END",
    Kind.INTEGER: "NULL::BIGINT",
    Kind.NUMBER: "NULL::DOUBLE",
    Kind.BOOLEAN: "NULL::BOOLEAN",
    Kind.TIMESTAMP: "NULL::TIMESTAMP",
}


def _blob(data: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in data) + "'::BLOB"
