"""What the sync engine has to know of a table: where its rows are, how they are paged, how often they are due."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Column, Kind, columns_of
from kandji_schema.derived import DerivedColumn, derived_columns
from kandji_schema.feeds import Feed, feed_of
from kandji_schema.provider import PAGE_ROWS

_COMPOSED = frozenset({dict, list})


class Paging(StrEnum):
    """The provider's pagination idioms."""

    ARRAY = "bare array"
    COUNT = "count envelope"
    CURSOR = "cursor link"
    PRISM = "prism"
    PAGE = "page and size"
    AFTER = "after and size"
    OFFSET = "limit and offset"
    WHOLE = "whole set at once"


@dataclass(frozen=True, kw_only=True)
class Fallback:
    """Another way to a Prism table, one request a device, for tokens that may not read Prism.

    ``path`` names the device in braces, ``rows_at`` the member that holds its rows. ``names`` are, by column, the
    fields of those rows it is read from, first one present wins; they differ from platform to platform.
    """

    path: str
    rows_at: str
    permission: str
    names: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Successor:
    """Where the provider moved a list: asked where the old path answers 404 or 410."""

    path: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """A question that people have of a table, and the statement that answers it."""

    question: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One mirrored table, of the tenant or of a public feed; of the latter see :func:`feed_table`.

    ``path`` is below the API host. A ``page_size`` of 0 leaves the size of pages to the provider. With a ``parent``
    it names columns of this table in braces, which ``parent_key`` maps to columns of the parent; the rows are then
    asked for once a parent row. ``rows_at`` is the member of the answer that holds the rows, where it is not the answer
    itself. ``confirm`` is the path that answers 404 for a row that is really gone. ``key_fallback`` joins the key where
    all of it but the first column is NULL. ``ignored`` are fields of the provider that are known and stored elsewhere,
    or nowhere as they never hold anything.

    ``swept`` tables cost a request a device, or one a page of it, and are read slowly, out of the budget that is left;
    ``reported`` is whether their rows may be others once something was heard of the device. Words of a 400 that only
    says that there are no rows are its ``empty_answer``. ``newest_first`` lists only ever grow: reading begins with
    their newest rows and stops at what is known, and no row is deleted as long as its device, if it has one, is there.
    Of ``tracked`` tables every change is kept as
    history. ``full_every`` is how often a table that is kept up to date by increments is read as a whole again, which
    sees what increments and counts cannot. ``licensed`` features are sold separately: without them the provider refuses
    the table. ``fallback`` is the way round a missing Prism permission, ``successor`` the path that takes its
    place. In a table with ``repeats`` several rows of one
    key are no mistake: its key column ``ordinal`` numbers them, and it is always read as a whole. ``why`` says in the
    dictionary why it is read this way, where another one lies near. ``asks`` are examples of statements.
    """

    model: type[SQLModel]
    path: str
    paging: Paging
    page_size: int = PAGE_ROWS
    ttl: timedelta
    permission: str
    params: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    parent_key: Mapping[str, str] = field(default_factory=dict)
    key_fallback: tuple[str, ...] = ()
    confirm: str | None = None
    category: str | None = None
    platforms: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    rows_at: str = ""
    swept: bool = False
    reported: bool = True
    empty_answer: str = ""
    newest_first: bool = False
    tracked: bool = False
    full_every: timedelta | None = None
    licensed: bool = False
    fallback: Fallback | None = None
    successor: Successor | None = None
    repeats: bool = False
    why: str = ""
    asks: tuple[Ask, ...] = ()

    @property
    def name(self) -> str:
        """Name of the table."""
        return str(self.model.__tablename__)

    @cached_property
    def feed(self) -> Feed | None:
        """The public feed it is made of; None for a table of the tenant."""
        return feed_of(self.name)

    @property
    def description(self) -> str:
        """What one row is: the docstring of the table class."""
        return " ".join((self.model.__doc__ or "").split())

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All columns, ``extra`` last."""
        return columns_of(self.model)

    @property
    def derived(self) -> tuple[DerivedColumn, ...]:
        """Columns that readers have besides: made of the others, and never stored."""
        return derived_columns(self.name)

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Names of the columns that tell one row from another."""
        return tuple(c.name for c in self.columns if c.key)

    @cached_property
    def own_key(self) -> str:
        """The first key column that is not of the parent: it tells the rows below one parent row apart."""
        return next((name for name in self.key if name not in self.parent_key), self.key[0])

    @cached_property
    def newest_by(self) -> Column:
        """The column that tells the newest row: the one the provider was asked to sort by, else the first moment."""
        asked = self.params.get("sort_by", "").lstrip("-")
        return next(c for c in self.columns if (c.name == asked if asked else c.kind is Kind.TIMESTAMP))

    @cached_property
    def known_fields(self) -> frozenset[str]:
        """Top-level field names of the provider's row that are no surprise."""
        heads = {source.split(".")[0] for c in self.columns for source in c.sources}
        return frozenset(heads - {"extra"}) | self.ignored

    @cached_property
    def plain_fields(self) -> frozenset[str]:
        """Top-level fields that are one value each: no column takes a list or an object of them, or a member."""
        reads = [(source, c.kind) for c in self.columns for source in c.sources if c.name != "extra"]
        composed = {s.partition(".")[0] for s, kind in reads if "." in s or kind in (Kind.TEXTS, Kind.DOCUMENT)}
        return frozenset(source for source, _ in reads if source not in composed and "." not in source)

    @cached_property
    def _names(self) -> frozenset[str]:
        """Plain fields that are texts of the key."""
        texts = (source for c in self.columns if c.key and c.kind is Kind.TEXT for source in c.sources)
        return self.plain_fields.intersection(texts)

    def misshapen(self, row: Mapping[str, Any]) -> list[str]:
        """Name fields of a row that hold no value of any kind: lists and objects, and flags where a text is a key.

        As texts they would pass for values.
        """
        found = [name for name in self._names if type(row.get(name)) is bool]
        if not _COMPOSED.isdisjoint(map(type, row.values())):  # three times as fast as to look at each by name
            found += [name for name, value in row.items() if type(value) in _COMPOSED and name in self.plain_fields]
        return found


def feed_table(model: type[SQLModel], *, ttl: timedelta, **facts: Any) -> Resource:
    """Return the resource of a table that a document of a public feed brings as a whole: no path, no permission.

    The feed is the one whose ``tables`` name it. ``facts`` are those of :class:`Resource`.
    """
    return Resource(model=model, path="", paging=Paging.WHOLE, page_size=0, ttl=ttl, permission="", **facts)
