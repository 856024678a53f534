"""What begins with a dot at the prompt: commands about the mirror and about how answers are shown."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from kandji_cli.options import FORMATS, read_pairs
from kandji_cli.output import print_rows, say, tell, warn
from kandji_cli.shell.conversation import Conversation
from kandji_queries.typed.statements import begun, first, is_empty
from kandji_schema.errors import UnknownName, UsageError


class Left(Exception):
    """Somebody wants to leave."""


class Dot(NamedTuple):
    """A command: what it takes, what it does, and how."""

    takes: str
    does: str
    work: Callable[[Conversation, list[str]], None]


def script(text: str) -> Iterator[str]:
    """Yield what is to be carried out, one after the other: lines that begin with a dot, and statements."""
    return (piece for piece, _ in pieces_of(text))


def pieces_of(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a script likewise, each with whether it ends: a line does, a statement with a semicolon."""
    while text := begun(text):
        if text.startswith("."):
            line, _, text = text.partition("\n")
            yield line.strip(), True
            continue
        statement, text, ended = first(text)
        if not is_empty(statement):
            yield statement, ended


def is_word(text: str) -> bool:
    """Tell whether this is no statement but what people type to leave or for help."""
    return text.strip().rstrip(";").lower() in WORDS


def carry_out(conversation: Conversation, piece: str) -> None:
    """Do what one line with a dot, or a statement, says; :class:`Left` where that is to leave."""
    if is_word(piece):
        piece = WORDS[piece.strip().lower()]
    if not piece.startswith("."):
        conversation.statement(piece)
        return
    try:
        name, *given = shlex.split(piece.rstrip(";"))
    except ValueError as error:
        raise UsageError(f"A quotation mark is open in {piece!r}. Close it.") from error
    if name in ELSEWHERE:
        raise UsageError(f"There is no command {name} here. {ELSEWHERE[name]}")
    if name not in DOTS:
        raise UnknownName("command", name, DOTS)
    if given and not DOTS[name].takes:
        raise UsageError(f"{name} takes nothing. Write {name} alone; .help shows all commands.")
    DOTS[name].work(conversation, given)


def _one(command: str, given: list[str]) -> str:
    if len(given) != 1:
        raise UsageError(f"{command} takes one name. Write {command} {DOTS[command].takes}.")
    return given[0]


def _tables(conversation: Conversation, _given: list[str]) -> None:
    from kandji_cli.reads import print_tables

    conversation.shown(lambda: print_tables(conversation.reader, "table"))


def _describe(conversation: Conversation, given: list[str]) -> None:
    from kandji_cli.describe import show
    from kandji_queries.describe import describe

    detail = describe(conversation.reader, _one(".describe", given))
    warn(conversation.reader.warnings)
    conversation.shown(lambda: show(detail, "table"))


def _queries(conversation: Conversation, _given: list[str]) -> None:
    from kandji_cli.reads import list_queries

    conversation.shown(lambda: list_queries("table"))


def _query(conversation: Conversation, given: list[str]) -> None:
    if not given:
        raise UsageError(
            ".query takes the name of a query. .queries lists them; .query stale_devices days=30 runs one."
        )
    conversation.query(given[0], read_pairs(given[1:]))


def _chart(conversation: Conversation, _given: list[str]) -> None:
    from kandji_cli.charts import show_chart

    chart = conversation.chart()
    conversation.shown(lambda: show_chart(chart))


def _mode(conversation: Conversation, given: list[str]) -> None:
    if not given:
        say(f"{conversation.form}; there are: {', '.join(FORMATS)}")
        return
    form = _one(".mode", given)
    if form not in FORMATS:
        raise UnknownName("format", form, FORMATS)
    conversation.form = form


def _help(_conversation: Conversation, _given: list[str]) -> None:
    rows = [(f"{name} {dot.takes}".rstrip(), dot.does) for name, dot in DOTS.items()]
    print_rows(("command", "does"), rows, "table")
    tell(
        "All else is SQL: a statement ends with ; and may go over several lines. Tab completes, Ctrl-C stops a "
        "statement or clears the line, a line that begins with a blank is not remembered."
    )


def _quit(_conversation: Conversation, _given: list[str]) -> None:
    raise Left


DOTS: Mapping[str, Dot] = {
    ".tables": Dot("", "lists the tables and views, with their rows and age", _tables),
    ".describe": Dot("NAME", "explains a table, view, query, function or TABLE.COLUMN", _describe),
    ".queries": Dot("", "lists the named queries and what they take", _queries),
    ".query": Dot("NAME param=value ...", "runs a named query", _query),
    ".chart": Dot("", "draws the last answer", _chart),
    ".mode": Dot("FORM", f"has answers printed as {', '.join(FORMATS)}", _mode),
    ".help": Dot("", "shows this", _help),
    ".quit": Dot("", "leaves, as Ctrl-D does", _quit),
}
"""The commands, in the order in which help shows them."""

WORDS: Mapping[str, str] = {"exit": ".quit", "quit": ".quit", "help": ".help", ".exit": ".quit", "\\q": ".quit"}
"""What people type by habit."""

_FILES = (
    'Files are written outside: `kandji-mirror sql "SELECT ..." --format csv > FILE` has all rows of a statement, '
    "`kandji-mirror export` whole tables."
)
_TENANTS = "`kandji-mirror --tenant NAME shell` is of another tenant, `kandji-mirror sql --tenants all` asks several."
ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys((".export", ".output", ".once", ".save", ".dump"), _FILES),
    **dict.fromkeys((".open", ".tenant", ".tenants", ".databases"), _TENANTS),
    **dict.fromkeys((".schema", ".columns"), ".describe NAME explains a table and its columns."),
    ".read": "`kandji-mirror shell < FILE` carries out the statements of a file.",
}
"""What other prompts have, and where it is done instead."""
