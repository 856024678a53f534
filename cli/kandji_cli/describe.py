"""``describe`` and ``query NAME --help``: what a name stands for, in words that fit the terminal."""

import shutil
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from kandji_cli.output import print_rows, say
from kandji_queries.catalog.dictionary import ColumnInfo
from kandji_queries.describe import ColumnDetail, Detail, MacroDetail, PastDetail, QueryDetail

if TYPE_CHECKING:
    from kandji_queries.catalog.params import Param
    from kandji_queries.catalog.queries import NamedQuery

WIDEST = 120
"""Most columns of a line of words."""

EXAMPLES = {
    "app": "chrome",
    "certificate": "Corp Root CA",
    "cve": "CVE-2026-1234",
    "device": "C02XK1JHJG5J",
    "extension": "falcon",
    "other_app": "zoom",
    "profile": "Wi-Fi",
    "tag": "vip",
    "user": "ann@example.com",
    "version": "130.0",
}
"""Values that examples have, by the name of a parameter that must be given."""


def show(detail: Detail, form: str) -> None:
    """Print a table, view, query, macro or table as it was; in forms for programs its columns alone."""
    if form != "table":
        print_rows(("column", "type", "description"), [(c.name, c.type, c.description) for c in _columns(detail)], form)
    elif isinstance(detail, ColumnDetail):
        _say(f"{detail.table}.{detail.column.name}: {detail.column.type}. {detail.column.description}")
    elif isinstance(detail, QueryDetail):
        _show_query(detail)
    elif isinstance(detail, MacroDetail):
        _say(detail.macro.title + ".", detail.macro.description)
        _block("Call", [detail.call])
        _block("SQL", detail.macro.sql.splitlines())
    elif isinstance(detail, PastDetail):
        _say(
            f"{detail.title}: a text or a timestamp, UTC where it has no offset; a date alone is the start of its day."
        )
        _block("Example", [f'kandji-mirror sql "FROM {detail.call} LIMIT 5"'])
        say()
        _print_columns(detail.table.columns)
    else:
        _say(detail.info.description)
        say()
        _print_columns(detail.columns)


def _columns(detail: Detail) -> tuple[ColumnInfo, ...]:
    if isinstance(detail, MacroDetail):
        return ()
    if isinstance(detail, ColumnDetail):
        return (detail.column,)
    return detail.table.columns if isinstance(detail, PastDetail) else detail.columns


def _show_query(detail: QueryDetail) -> None:
    query = detail.query
    _say(f"{query.name}: {query.title}.", query.description)
    if query.params:
        say()
        rows = [(p.name, "required" if p.required else p.default_text or "none", _meaning(p)) for p in query.params]
        print_rows(("parameter", "default", "meaning"), rows, "table")
    say()
    _print_columns(detail.columns)
    _block("SQL", query.sql.strip().splitlines())
    _block("Example", [example(query), *([f"{example(query)} --chart -"] if query.chart else [])])
    say("\nOptions such as --format, --columns and --limit: kandji-mirror query --help")


def _meaning(param: "Param") -> str:
    rule = param.rule()
    return f"{param.description} {rule[:1].upper()}{rule[1:]}."


def example(query: "NamedQuery") -> str:
    """Return a command that runs the query, with what must be given, or with one parameter that may be."""
    shown = [param for param in query.params if param.required] or list(query.params[:1])
    pairs = (f"-p {param.name}={_value(param)}" for param in shown)
    return " ".join(["kandji-mirror query", query.name, *pairs])


def _value(param: "Param") -> str:
    if param.default_text:
        return param.choices[-1] if param.choices else param.default_text
    return EXAMPLES.get(param.name, param.choices[0] if param.choices else "24h" if param.kind == "time" else "...")


def _print_columns(columns: tuple[ColumnInfo, ...]) -> None:
    print_rows(("column", "type", "description"), [(c.name, c.type, c.description) for c in columns], "table")


def _say(*paragraphs: str) -> None:
    width = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
    for paragraph in paragraphs:
        say("\n".join(wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)))


def _block(head: str, lines: list[str]) -> None:
    say(f"\n{head}:")
    for line in _indented(lines):
        say(line)


def _indented(lines: list[str]) -> Iterator[str]:
    yield from (f"  {line}".rstrip() for line in lines)
