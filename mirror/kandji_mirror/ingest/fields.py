"""The provider's fields, and how their spellings of a value become ours, as DuckDB expressions.

``from_json`` reads every field as text or JSON (``raw_type``), because its own casts turn what does not fit into NULL
without a word. A :class:`Field` then gives the values, and what to keep in ``extra`` when there was something in it but
no value came of it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from kandji_schema.columns import Column, Kind
from kandji_schema.sql import identifier, literal

# "2022-08-15 13:51:01 +0000" is the one spelling of the provider that DuckDB's own cast refuses.
_ZONE = r"regexp_replace({raw}, ' ([+-]\d\d):?(\d\d)$', '\1:\2')"
# As TIMESTAMPTZ in a UTC session: a plain TIMESTAMP cast would drop the offset. Words ("infinity") are no moments.
_MOMENT = (
    "CASE WHEN {raw} BETWEEN '0' AND ':' "
    f"THEN coalesce(TRY_CAST({{raw}} AS TIMESTAMPTZ), TRY_CAST({_ZONE} AS TIMESTAMPTZ))::TIMESTAMP END"
)
# Before year 1 and after 9999 readers would get a text: no calendar of theirs has such a moment.
_DATED = "CASE WHEN {raw} BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999' THEN {raw} END"
_CASTS = {
    Kind.BOOLEAN: "TRY_CAST({raw} AS BOOLEAN)",
    # The cast alone would round 12.7 and read 0x10.
    Kind.INTEGER: "CASE WHEN TRY_CAST({raw} AS DOUBLE) = TRY_CAST({raw} AS BIGINT) THEN TRY_CAST({raw} AS BIGINT) END",
    Kind.NUMBER: "CASE WHEN isfinite(TRY_CAST({raw} AS DOUBLE)) THEN TRY_CAST({raw} AS DOUBLE) END",
}
_JSON_CASTS = {
    Kind.TEXTS: (
        "CASE WHEN json_type({raw}) = 'ARRAY' AND list_has_all(['VARCHAR'], json_type({raw}, '$[*]')) "
        "THEN from_json({raw}, '[\"VARCHAR\"]') END"
    ),
    Kind.DOCUMENT: "CASE WHEN json_type({raw}) <> 'NULL' AND {raw} <> '\"\"' THEN {raw} END",
}

Known = Callable[[Column, str], str]
"""Gives an expression of a column's value as it is read from one source: worked out already, where it can be."""


@dataclass(frozen=True)
class Field:
    """One top-level field of the provider's row, and the columns read from it.

    ``plain`` are the columns read from the field itself, ``members`` those from inside the object, by the path below
    the field: ``user.email`` is ``email`` of the field ``user``, and a path may have more steps.

    What takes long to work out is named more than once, so that it comes in levels, each beside the one before: the
    raw fields, :meth:`extracted` members, :meth:`moments`, then values and what is left over.
    """

    name: str
    plain: tuple[Column, ...]
    members: Mapping[str, tuple[Column, ...]]

    @cached_property
    def raw_type(self) -> str:
        """Type ``from_json`` reads the field as."""
        return "JSON" if self.members or any(c.kind in _JSON_CASTS for c in self.plain) else "VARCHAR"

    @property
    def raw(self) -> str:
        """The field as an SQL identifier."""
        return identifier(self.name)

    def extracted(self) -> Iterator[str]:
        """All members as lists: texts, kinds, documents. At once: each extraction parses the whole field again."""
        for extract, alias, paths in (
            ("json_extract_string", self._texts, list(self.members)),
            ("json_type", self._kinds, self._text_paths),
            ("json_extract", self._documents, self._document_paths),
        ):
            if paths:
                yield f"{extract}({self.raw}, [{', '.join(map(_json_path, paths))}]) AS {alias}"

    def moments(self) -> Iterator[str]:
        """All moments in the field, none of them checked yet."""
        if any(c.kind is Kind.TIMESTAMP for c in self.plain):
            yield f"{_MOMENT.format(raw=f'({self._plain_text})')} AS {_moment(self.name)}"
        for path, columns in self.members.items():
            if any(c.kind is Kind.TIMESTAMP for c in columns):
                yield f"{_MOMENT.format(raw=self._text(path))} AS {_moment(f'{self.name}.{path}')}"

    def value(self, column: Column, source: str) -> str:
        """Expression of the column's value when it is read from ``source`` in this field."""
        _, _, path = source.partition(".")
        if column.kind is Kind.TIMESTAMP:
            return _DATED.format(raw=_moment(source))
        if column.kind in _JSON_CASTS:
            return _JSON_CASTS[column.kind].format(raw=self._document(path) if path else self.raw)
        found = _from_text(self._member_text(path, column.kind) if path else self._plain_text, column.kind)
        return _in_words(found, column.words) if column.words else found

    def leftover(self, known: Known) -> str | None:
        """Expression of what ``extra`` has to keep of this field, as JSON or NULL; None where nothing is ever left."""
        if self._held_whole:
            return self._misfits(known) if self.members else None
        unread = [f"{known(c, self.name)} IS NULL" for c in self.plain]
        unread.append(f"{self.raw} <> ''" if self.raw_type == "VARCHAR" else _is_present(self.raw))
        if self.raw_type == "VARCHAR":
            return f"CASE WHEN {' AND '.join(unread)} THEN to_json({self.raw}) END"
        if not self.members:
            return f"CASE WHEN {' AND '.join(unread)} THEN {self.raw} END"
        is_object, rest = f"json_type({self.raw}) = 'OBJECT'", self._rest(self.raw, "", known)
        return (
            f"CASE WHEN {is_object} THEN {rest} WHEN {' AND '.join(unread)} AND {self.raw} <> '[]' THEN {self.raw} END"
        )

    @property
    def _held_whole(self) -> bool:
        """Whether some column takes whatever the field holds."""
        return any(c.kind is Kind.DOCUMENT or (c.kind is Kind.TEXT and self.raw_type == "VARCHAR") for c in self.plain)

    def _misfits(self, known: Known) -> str:
        """Expression of what did not fit of a field that is held whole."""
        odd = f"{_is_present(self.raw)} AND {self.raw} <> '[]'"
        rest = self._rest(None, "", known)
        return f"CASE WHEN json_type({self.raw}) = 'OBJECT' THEN {rest} WHEN {odd} THEN {self.raw} END"

    def _rest(self, holder: str | None, above: str, known: Known) -> str:
        """Expression of an object without the members that became values; NULL where nothing is left of it.

        Without a ``holder`` those that nobody knows are left out too, as they are kept elsewhere.
        """
        below = (path.removeprefix(above) for path in self.members if path.startswith(above))
        names = dict.fromkeys(path.partition(".")[0] for path in below)
        kept = {name: self._kept(above + name, known, whole=holder is None) for name in names}
        if holder is None and not any(kept.values()):
            return "NULL::JSON"
        taken = literal(json.dumps(dict.fromkeys(names)))
        others = f"json_merge_patch({holder}, {taken})" if holder else "'{}'"
        back = ", ".join(f"{literal(name)}, {left}" for name, left in kept.items() if left)
        return f"nullif(json_merge_patch('{{}}', {others}, json_object({back})), '{{}}')"

    def _kept(self, path: str, known: Known, *, whole: bool) -> str | None:
        """Expression of what is left of one member; None where nothing ever is. ``whole``: all of it is kept anyway."""
        columns, member = self.members.get(path, ()), f"({self.raw} -> {_json_path(path)})"
        if any(c.kind is Kind.DOCUMENT for c in columns):
            return None
        if any(c.kind is Kind.TEXT for c in columns):
            return f"CASE WHEN {self._is_composed(path)} THEN {member} END"
        unread = " AND ".join(f"{known(c, f'{self.name}.{path}')} IS NULL" for c in columns)
        if columns:
            return f"CASE WHEN {unread} AND {self._text(path)} NOT IN ('', '[]') THEN {member} END"
        rest = self._rest(None if whole else member, f"{path}.", known)
        odd = f"{_is_present(member)} AND {member} <> '[]'"
        return f"CASE WHEN json_type({member}) = 'OBJECT' THEN {rest} WHEN {odd} THEN {member} END"

    @property
    def _plain_text(self) -> str:
        """The field itself as text, NULL where it is no scalar."""
        return (
            self.raw if self.raw_type == "VARCHAR" else f"CASE WHEN {_is_scalar(self.raw)} THEN {self.raw} ->> '$' END"
        )

    @property
    def _texts(self) -> str:
        return f'"~ {self.name}.*"'

    @property
    def _kinds(self) -> str:
        return f'"~ {self.name}.?"'

    @property
    def _documents(self) -> str:
        return f'"~ {self.name}.{{}}"'

    def _text(self, path: str) -> str:
        return f"{self._texts}[{list(self.members).index(path) + 1}]"

    def _member_text(self, path: str, kind: Kind) -> str:
        """Return a member as text; NULL where it is none, and the column would take it for one."""
        text = self._text(path)
        if kind is not Kind.TEXT:
            return text
        return f"CASE WHEN NOT {self._is_composed(path)} THEN {text} END"

    def _is_composed(self, path: str) -> str:
        """Whether a member that is a text for some column is an object or a list; false where there is none."""
        return f"coalesce({self._kinds}[{self._text_paths.index(path) + 1}] IN ('OBJECT', 'ARRAY'), false)"

    @property
    def _text_paths(self) -> list[str]:
        return [path for path, columns in self.members.items() if any(c.kind is Kind.TEXT for c in columns)]

    def _document(self, path: str) -> str:
        return f"{self._documents}[{self._document_paths.index(path) + 1}]"

    @property
    def _document_paths(self) -> list[str]:
        return [path for path, columns in self.members.items() if any(c.kind in _JSON_CASTS for c in columns)]


def _moment(source: str) -> str:
    return f'"~ {source}"'


def _json_path(path: str) -> str:
    return literal("$" + "".join(f'."{step}"' for step in path.split(".")))


def _is_present(raw: str) -> str:
    return f"({raw} IS NOT NULL AND json_type({raw}) <> 'NULL' AND {raw} <> '\"\"')"


def may_be_composed(text: str) -> str:
    """Expression: whether a text begins like an object or a list. By comparison, which is the fastest way."""
    return f"({text} >= '[' AND {text} < '\\' OR {text} >= '{{' AND {text} < '|')"


def _is_scalar(raw: str) -> str:
    return f"(json_type({raw}) NOT IN ('OBJECT', 'ARRAY', 'NULL'))"


def _from_text(raw: str, kind: Kind) -> str:
    if kind is Kind.TEXT:
        return f"nullif({raw}, '')"
    return _CASTS[kind].format(raw=f"({raw})")


def _in_words(raw: str, words: Mapping[str, str]) -> str:
    """Return a code in words; one that nobody knows stays, as the column takes whatever there is."""
    known = " ".join(f"WHEN {literal(code)} THEN {literal(word)}" for code, word in words.items())
    return f"CASE {raw} {known} ELSE {raw} END"


def fields_of(columns: tuple[Column, ...]) -> tuple[Field, ...]:
    """Return the provider's fields that these columns are read from, in order of first use."""
    found: dict[str, dict[str, list[Column]]] = {}
    for column in columns:
        for source in column.sources:
            head, _, path = source.partition(".")
            found.setdefault(head, {}).setdefault(path, []).append(column)
    return tuple(_field(name, reads) for name, reads in found.items())


def _field(name: str, reads: Mapping[str, list[Column]]) -> Field:
    members = {path: tuple(columns) for path, columns in reads.items() if path}
    return Field(name, tuple(reads.get("", ())), members)


# -- lists and objects in the cells of an export: JSON, or literals of Python --------------------------------------

_STRING = r"""'(?:[^'\\]|\\[nrt\\])*'|"(?:[^"\\]|\\[nrt\\])*\""""
_TOKENS = literal(rf"{_STRING}|[^'\"]+")
"""Strings whose escapes JSON has too, and everything between them. Other escapes are left alone: nothing is guessed."""

_WORDS = (("True", "true"), ("False", "false"), ("None", "null"))


def as_json(text: str) -> str:
    """Expression of a text as JSON: what it spells as JSON or as Python does, else itself as a JSON string."""
    printed = _from_python(text)
    return (
        f"CASE WHEN {text} IS NULL THEN NULL WHEN json_valid({text}) THEN json({text}) "
        f"WHEN json_valid({printed}) THEN json({printed}) ELSE to_json({text}) END"
    )


def _from_python(text: str) -> str:
    """Expression of the JSON text for what Python printed; NULL where a part of it is no token of ours."""
    tokens = f"regexp_extract_all({text}, {_TOKENS})"
    joined = f"array_to_string(list_transform({tokens}, lambda token: {_token()}), '')"
    return f"CASE WHEN array_to_string({tokens}, '') = {text} THEN {joined} END"


def _token() -> str:
    words = "token"
    for python, plain in _WORDS:
        words = f"replace({words}, '{python}', '{plain}')"
    single = """'"' || replace(token[2:-2], '"', '\\"') || '"'"""
    return f"""CASE token[1] WHEN '''' THEN {single} WHEN '"' THEN token ELSE {words} END"""
