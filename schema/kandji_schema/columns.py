"""How one column of a mirrored table is declared.

A table class writes one line a column; everything else (DDL, comments, the JSON projection of ingest, the data
dictionary, the simulator's rows) is read back from it as a :class:`Column`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, Boolean, DateTime, Float, String
from sqlalchemy.sql.schema import Column as SqlColumn
from sqlmodel import Field, SQLModel


class Kind(StrEnum):
    """The meaning of a column's values; the value is its DuckDB type."""

    TEXT = "VARCHAR"
    BOOLEAN = "BOOLEAN"
    INTEGER = "BIGINT"
    NUMBER = "DOUBLE"
    TIMESTAMP = "TIMESTAMP"
    TEXTS = "VARCHAR[]"
    DOCUMENT = "JSON"


class Personal(StrEnum):
    """Why a column is personal data; unmarked columns are not. It decides what its pseudonyms look like."""

    IDENTITY = "identifies a person"
    DEVICE = "the name of a device, which often is its owner's"
    FREE_TEXT = "free text in which people put names"
    PATH = "a path that may lie in somebody's home folder"
    APPLICATION = "a bundle identifier, or such a path"


class Names(StrEnum):
    """How a column names the people who are assigned, mirrored or logged in: other texts are searched for them."""

    FULL_NAME = "full name"
    ADDRESS = "e-mail address"
    ACCOUNT = "short name of an account"


@dataclass(frozen=True)
class Column:
    """One column, as every consumer sees it.

    ``sources`` are the places in the provider's row it is read from, first one present wins; a dot steps into an
    object (``user.email``). ``volatile`` columns move at every collection without anything having changed.
    ``samples`` are realistic values for the simulated tenant, each as likely as it is often listed; ``~`` in a text
    stands for any digit. ``words`` says the provider's codes in words; a code that is not among them stays as it is.
    ``names`` says that people become known by it. Of a document that is not ``personal`` the members with
    ``safe_keys`` are not masked. ``unsent`` columns are of other answers than today's, older or newer ones: that
    nothing comes for them is no news. ``references`` is the ``table.column`` that holds the same identifiers: joins
    are written by it.
    """

    name: str
    kind: Kind
    description: str
    sources: tuple[str, ...]
    key: bool = False
    personal: Personal | None = None
    volatile: bool = False
    samples: tuple[Any, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    names: Names | None = None
    safe_keys: tuple[str, ...] = ()
    unsent: bool = False
    references: str | None = None


_KINDS = (
    (String, Kind.TEXT),
    (Boolean, Kind.BOOLEAN),
    (BigInteger, Kind.INTEGER),
    (Float, Kind.NUMBER),
    (DateTime, Kind.TIMESTAMP),
    (ARRAY, Kind.TEXTS),
    (JSON, Kind.DOCUMENT),
)


def _declare(
    sa_type: Any, description: str, *, source: str | Sequence[str] = (), key: bool = False, **facts: Any
) -> Any:
    """Make a SQLModel field whose facts, those of :class:`Column`, travel in SQLAlchemy's ``comment`` and ``info``."""
    sources = (source,) if isinstance(source, str) else tuple(source)
    # A key column is a primary key for SQLModel only: the DDL has neither constraint nor index (see ddl.py).
    return Field(
        default=None,
        primary_key=key,
        sa_type=sa_type,
        description=description,
        sa_column_kwargs={"comment": description, "info": {"sources": sources, **facts}, "nullable": True},
    )


def text(description: str, **facts: Any) -> Any:
    """Declare a text column; the provider's ``""`` is NULL. ``facts`` are :class:`Column`'s, ``source`` its sources.

    A source that ends with a dot is the member of that object with the column's own name.
    """
    return _declare(String, description, **facts)


def boolean(description: str, **facts: Any) -> Any:
    """Declare a three-state column: true, false, or NULL for unknown."""
    return _declare(Boolean, description, **facts)


def integer(description: str, **facts: Any) -> Any:
    """Declare a 64-bit whole number."""
    return _declare(BigInteger, description, **facts)


def number(description: str, **facts: Any) -> Any:
    """Declare a 64-bit floating-point number."""
    return _declare(Float, description, **facts)


def timestamp(description: str, **facts: Any) -> Any:
    """Declare a moment in UTC with microseconds, from any of the provider's spellings."""
    return _declare(DateTime, description, **facts)


def texts(description: str, **facts: Any) -> Any:
    """Declare a list of texts."""
    return _declare(ARRAY(String), description, **facts)


def document(description: str, **facts: Any) -> Any:
    """Declare a JSON document, kept as the provider sent it; masked, but for the ``safe_keys`` of its objects."""
    return _declare(JSON, description, **facts)


def extra() -> Any:
    """Declare the column that keeps what has no column of its own. Every table ends with it."""
    return _declare(
        JSON,
        "JSON object of what the provider sent and no column could take: unknown fields, and values that did not fit.",
        personal=Personal.FREE_TEXT,
    )


def columns_of(model: type[SQLModel]) -> tuple[Column, ...]:
    """Return the columns of a table class, in order of declaration, ``extra`` last."""
    table = model.__table__  # type: ignore[attr-defined]  # set by SQLModel on every class with table=True
    return tuple(sorted(map(_read, table.columns), key=lambda c: c.name == "extra"))


def _read(column: SqlColumn[Any]) -> Column:
    kind = next(kind for sa_type, kind in _KINDS if isinstance(column.type, sa_type))
    facts: dict[str, Any] = {**column.info}
    sources = facts.pop("sources", ()) or (column.name,)
    return Column(
        name=column.name,
        kind=kind,
        description=column.comment or "",
        sources=tuple(source + column.name if source.endswith(".") else source for source in sources),
        key=column.primary_key,
        **facts,
    )
