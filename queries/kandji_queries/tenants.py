"""One question to the mirrors of several tenants: the rows of all, each with its tenant's name in the first column.

Every mirror is asked by itself, through its own guarded reader: what it requires of its tables, its date and its notes
are its own, and say its name. A mirror that does not answer is a failure beside the rows of the others, never left out
in silence.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Self

from kandji_queries.engine.limits import QueryLimits
from kandji_queries.reader import Reader
from kandji_queries.results.dates import AsOf
from kandji_queries.results.result import Answer, Row
from kandji_queries.results.stream import Stream
from kandji_queries.results.values import ResultColumn
from kandji_schema.errors import Failed, MirrorError

TENANT = "tenant"
"""The first column."""

COLUMN = ResultColumn(TENANT, "VARCHAR")

Ask = Callable[[Reader], AbstractContextManager[Stream]]
"""Asks one mirror."""


@dataclass(frozen=True)
class TenantsMirror:
    """The mirror of one tenant, by its name. ``open`` may raise as a question to it may."""

    name: str
    open: Callable[[], Reader]


class TenantsAnswer(Answer):
    """The answers of all mirrors, one after the other; enter it to ask the first, iterate over it once for the rest.

    ``failures`` has why a mirror gave no answer, or not all of it, by tenant; ``dates`` the date of each answer. Both
    are whole after the last row, as are the notes.
    """

    def __init__(
        self, mirrors: Sequence[TenantsMirror], ask: Ask, limits: QueryLimits, columns: Sequence[str] = ()
    ) -> None:
        """``limits.rows`` bounds the rows of all together; ``columns`` are those to show, empty for all."""
        super().__init__(as_of={})
        self.failures: dict[str, MirrorError] = {}
        self.dates: dict[str, AsOf] = {}
        self._mirrors = iter(mirrors)
        self._ask = ask
        self._limits = limits
        self._only = [name for name in columns if name.lower() != TENANT]
        self._stack = ExitStack()
        self._next: tuple[str, Stream] | None = None

    def __enter__(self) -> Self:
        """Ask mirrors until one answers; where none does, raise what the first one ended with, named where they differ.

        Such an error is a :class:`MirrorError` of the kind that a question to one mirror raises.
        """
        self._next = self._answering()
        if self._next is None and self.failures:
            raise self._common_failure()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[Row]:
        while self._next:
            name, stream = self._next
            try:
                for row in self._rows(stream):
                    yield (name, *row)
            except MirrorError as error:
                self.failures[name] = error
            self._note(name, stream)
            self._next = self._answering()

    def _rows(self, stream: Stream) -> Iterator[Row]:
        """Yield rows while there is room; the first one beyond says that there are more."""
        for row in stream:
            if self.row_count >= self._limits.rows:
                self._cut()
                return
            self.row_count += 1
            yield row

    def _cut(self) -> None:
        if not self.truncated:
            told = f"The answer has more than {self._limits.rows:,} rows; these are the first. {self._limits.advice}"
            self.notes.append(told.rstrip())
        self.truncated = True

    def _answering(self) -> tuple[str, Stream] | None:
        """Return the next mirror that answers, asked up to its first rows."""
        for mirror in self._mirrors:
            self._stack.close()
            try:
                reader = self._stack.enter_context(mirror.open())
                stream = self._stack.enter_context(self._ask(reader))
                if self._only:
                    stream.only(self._only)
                self._take_columns(mirror.name, stream)
            except MirrorError as error:
                self.failures[mirror.name] = error
            else:
                return mirror.name, stream
        return None

    def _take_columns(self, name: str, stream: Stream) -> None:
        """Have the columns be those of the first answer; :class:`Failed` where another has other ones."""
        columns = (COLUMN, *stream.columns)
        if not self.columns:
            self.columns = columns
        elif columns != self.columns:
            mine, theirs = (", ".join(f"{c.name} {c.type}" for c in one[1:]) for one in (columns, self.columns))
            raise Failed(
                f"The answer of {name} has other columns ({mine}) than those before it ({theirs}). Name the columns, "
                "and cast them to one type."
            )

    def _note(self, name: str, stream: Stream) -> None:
        self.dates[name] = dict(stream.as_of)
        self.as_of |= {f"{name}.{table}": moment for table, moment in stream.as_of.items()}
        self.notes.extend(f"{name}: {note}" for note in stream.notes)
        self.elapsed_ms = round(self.elapsed_ms + stream.elapsed_ms, 3)
        self.truncated |= stream.truncated

    def _common_failure(self) -> MirrorError:
        """Return the one thing that is wrong, such as with a statement; of several the first, when all were told."""
        first, *others = self.failures.values()
        if all(str(other) == str(first) for other in others):
            self.failures.clear()
        return first
