"""Pseudonyms, made inside of DuckDB: ``person_3f9a5c1be0d7a264`` is the HMAC-SHA256 of a value, shortened to 64 bits.

The same value has the same pseudonym wherever its column is marked alike, so that people can be counted and tables
joined by them. The key is part of macros in the memory of the writer's DuckDB, and so in none of its files.
"""

from collections.abc import Iterable, Iterator

import duckdb

from kandji_mirror.privacy.key import Key
from kandji_schema.columns import Column, Kind, Personal
from kandji_schema.resource import Resource

_BLOCK = 64
"""Bytes of a block of SHA-256, to which HMAC fills up its key."""

_ROOTS = (
    r"^(?:/(?:Applications|Library|System(?:/Applications|/Library)?|Users(?:/Shared)?|Volumes|bin|etc|opt|private|sbin|"
    r"tmp|usr(?:/local)?|var)|[A-Za-z]:\\(?:Program Files(?: \(x86\))?|ProgramData|Users|Windows))[/\\]"
)
"""What is left of a path: that a program lies in a home folder, or in that of all, is often the question."""

_BUNDLE_ID = r"(?:com|org|net|io|us|de|uk|fr|ch|at|nl|eu|jp|co|app|dev|me|ai|ca|au)(?:\.[A-Za-z0-9_-]+){2,}"

_MEMBER = "[A-Za-z_][A-Za-z0-9_]{0,63}"
"""What providers call members; a name of another form may be somebody's."""

_STYLES = {
    Personal.IDENTITY: "memory.main.mask_person",
    Personal.DEVICE: "memory.main.mask_device",
    Personal.FREE_TEXT: "memory.main.mask_text",
    Personal.PATH: "memory.main.mask_path",
    Personal.APPLICATION: "memory.main.mask_application",
}
_MACROS = (
    # Whoever writes an e-mail address may write it in any case.
    ("mask_person(v)", "'person_' || memory.main.keyed(CASE WHEN contains(v, '@') THEN lower(v) ELSE v END)"),
    ("mask_device(v)", "'device_' || memory.main.keyed(v)"),
    ("mask_text(v)", "'text_' || memory.main.keyed(v)"),
    ("mask_path(v)", f"regexp_extract(v, '{_ROOTS}') || 'path_' || memory.main.keyed(v)"),
    (
        "mask_application(v)",
        f"CASE WHEN regexp_full_match(v, '{_BUNDLE_ID}') THEN v ELSE memory.main.mask_path(v) END",
    ),
    # As German and Danish are written without their letters, Müller as Mueller, on both sides: Muller.
    ("people_loose(v)", "regexp_replace(replace(v, 'aa', 'a'), '([aou])e', '\\1', 'g')"),
    ("people_mark(v, n)", "memory.main.keyed(chr(1) || n::VARCHAR || chr(1) || v)"),
    ("mask_document(v)", "to_json(memory.main.mask_text(v::VARCHAR))"),
    # Of an object the names of its members stay: the provider chose them, and drift is counted by them.
    (
        "mask_members(v)",
        "CASE WHEN v IS NULL THEN NULL ELSE coalesce(to_json(TRY(map_from_entries(list_transform(map_entries("
        "from_json(v, '\"MAP(VARCHAR,JSON)\"')), lambda e: "
        "{'k': e.key, 'v': memory.main.mask_text(e.value::VARCHAR)})))), "
        "memory.main.mask_document(v)) END",
    ),
    (
        "mask_member(v, known)",
        "to_json(map_from_entries(list_transform(map_entries(from_json(v, '\"MAP(VARCHAR,JSON)\"')), lambda e: "
        f"{{'k': CASE WHEN regexp_full_match(e.key, '{_MEMBER}') THEN e.key ELSE memory.main.mask_text(e.key) END, "
        "'v': CASE WHEN list_contains(known, e.key) AND json_type(e.value) NOT IN ('OBJECT', 'ARRAY') "
        "THEN e.value ELSE memory.main.mask_document(e.value) END})))",
    ),
    # What stands under a key that is known to be harmless stays, in an object or in a list of objects.
    (
        "mask_unknown(v, known)",
        "CASE json_type(v) WHEN 'OBJECT' THEN memory.main.mask_member(v, known) WHEN 'ARRAY' THEN "
        "to_json(list_transform(from_json(v, '[\"JSON\"]'), lambda one: CASE WHEN json_type(one) = 'OBJECT' "
        "THEN memory.main.mask_member(one, known) ELSE memory.main.mask_document(one) END)) "
        "ELSE memory.main.mask_document(v) END",
    ),
)


def install(con: duckdb.DuckDBPyConnection, key: Key) -> None:
    """Make the macros that :func:`masked` and :func:`masked_cell` use, in memory."""
    inner, outer = (_blob(bytes(byte ^ pad for byte in key.secret.ljust(_BLOCK, b"\0"))) for pad in (0x36, 0x5C))
    keyed = f"sha256({outer} || unhex(sha256({inner} || encode(v))))[:16]"
    cell = ("mask_cell(place, v)", _cell())
    for name, body in (("keyed(v)", keyed), *_MACROS, cell):
        con.execute(f"CREATE MACRO memory.main.{name} AS {body}")


def masked(column: Column, value: str) -> str:
    """Expression of a column's value as those may see it from whom personal data is kept.

    People in texts that are not personal as such are another matter, see :mod:`kandji_mirror.privacy.scrubbing`.
    """
    if column.kind is Kind.DOCUMENT:
        return _masked_document(column, value)
    if column.personal is None:
        return value
    style = _STYLES[column.personal]
    if column.kind is Kind.TEXT:
        return f"{style}({value})"
    if column.kind is Kind.TEXTS:
        return f"list_transform({value}, lambda one: {style}(one))"
    return f"NULL::{column.kind}"


def _masked_document(column: Column, value: str) -> str:
    """Documents are masked whether they are marked or not: nobody knows what the provider puts there tomorrow.

    Where members are known to be harmless, the others are masked one by one, personal or not.
    """
    if column.name == "extra":
        return f"memory.main.mask_members({value})"
    if column.personal is None or column.safe_keys:
        known = ", ".join(f"'{key}'" for key in column.safe_keys)
        return f"memory.main.mask_unknown({value}, [{known}]::VARCHAR[])"
    return f"memory.main.mask_document({value})"


def masked_cell(table: str, column: str, value: str) -> str:
    """Expression of a text that history keeps of ``column`` of ``table``; all arguments are expressions.

    It is the text history would keep of the masked column. A column that is not declared, as of an earlier version of
    the mirror, counts as personal.
    """
    return f"memory.main.mask_cell({table} || '.' || {column}, {value})"


def personal(resource: Resource) -> tuple[Column, ...]:
    """Return the columns of a table that are masked."""
    return tuple(column for column in resource.columns if column.personal)


def _cell() -> str:
    """Return the body of the macro behind :func:`masked_cell`; its parameters are ``place`` and ``v``."""
    cases = " ".join(f"WHEN place IN ({places}) THEN {value}" for places, value in _cases())
    return f"CASE WHEN v IS NULL THEN NULL {cases} ELSE memory.main.mask_text(v) END"


def _cases() -> Iterator[tuple[str, str]]:
    from kandji_schema.registry import resources  # all tables are loaded for it

    columns = [(f"{r.name}.{c.name}", c) for r in resources().values() for c in r.columns]
    yield _listed(place for place, c in columns if c.personal is None and c.kind is not Kind.DOCUMENT), "v"
    for personal_as, style in _STYLES.items():
        texts = [place for place, c in columns if c.personal is personal_as and c.kind is Kind.TEXT]
        if texts:
            yield _listed(texts), f"{style}(v)"
    documents: dict[str, list[str]] = {}
    for place, column in columns:
        if column.kind is Kind.DOCUMENT:
            documents.setdefault(f"{masked(column, 'TRY_CAST(v AS JSON)')}::VARCHAR", []).append(place)
    yield from ((_listed(places), value) for value, places in documents.items())


def _listed(places: Iterable[str]) -> str:
    return ", ".join(f"'{place}'" for place in places)


def _blob(data: bytes) -> str:
    escaped = "".join(f"\\x{byte:02X}" for byte in data)
    return f"'{escaped}'::BLOB"
