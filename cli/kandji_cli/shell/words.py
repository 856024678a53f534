"""Which names there are to complete, kept for as long as the state of the mirror is the same."""

from collections.abc import Hashable
from threading import Lock

from kandji_cli.options import FORMATS
from kandji_cli.shell.dots import DOTS
from kandji_queries.catalog.own_queries import own_queries
from kandji_queries.catalog.queries import NamedQuery, catalog
from kandji_queries.definitions import macros
from kandji_queries.guard.functions import allowed
from kandji_queries.reader import Reader
from kandji_queries.typed.completion import Candidate, Names, candidates
from kandji_schema.errors import MirrorError


class Words:
    """Completes statements and lines with a dot. Any thread may ask."""

    def __init__(self, reader: Reader) -> None:
        """``reader`` tells what there is."""
        self._reader = reader
        self._lock = Lock()
        self._state: Hashable = None
        self._names = Names()

    def offered(self, before: str, after: str) -> tuple[int, list[Candidate]]:
        """Return how many letters before the cursor are replaced, and by what."""
        if before.lstrip().startswith("."):
            return self._dotted(before.lstrip())
        return candidates(before, after, self.names())

    def names(self) -> Names:
        """Return what there is now; without a mirror functions alone."""
        with self._lock:
            try:
                if (state := self._reader.state) != self._state:
                    self._names, self._state = self._read(), state
            except MirrorError:
                self._names, self._state = Names(calls=_calls()), None
            return self._names

    def _read(self) -> Names:
        columns: dict[str, dict[str, str]] = {}
        for place in self._reader.columns():
            columns.setdefault(place.table, {})[place.column] = place.type
        return Names(columns=columns, functions=self._reader.functions(), calls=_calls())

    def _dotted(self, line: str) -> tuple[int, list[Candidate]]:
        command, *given = line.split(" ")
        word = given[-1] if given else command
        if not given:
            there = [Candidate(name, dot.does) for name, dot in DOTS.items()]
        elif command == ".mode":
            there = [Candidate(form, "") for form in FORMATS]
        elif command == ".describe":
            names = self.names()
            there = [Candidate(name, "table") for name in names.columns]
            there += [Candidate(name, "function") for name in (*names.functions, *macros())]
            there += [Candidate(query.name, query.title) for query in self._queries().values()]
        elif command == ".query" and len(given) == 1:
            there = [Candidate(query.name, query.title) for query in self._queries().values()]
        elif command == ".query" and (query := self._queries().get(given[0])):
            there = [Candidate(f"{param.name}=", param.signature) for param in query.params]
        else:
            there = []
        return len(word), [one for one in there if one.word.startswith(word) and one.word != word]

    def _queries(self) -> dict[str, NamedQuery]:
        return {**catalog(), **own_queries(self._reader.home).queries}


def _calls() -> list[str]:
    return [*sorted(macros()), *sorted(allowed() - macros().keys())]
