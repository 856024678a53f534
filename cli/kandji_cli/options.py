"""Arguments and options that several commands share, each written once."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce, wraps
from typing import Any, TypeVar, cast

import click

from kandji_cli import completing
from kandji_schema.errors import UsageError

FORMATS = ("table", "records", "json", "jsonl", "csv", "markdown", "arrays")
"""As in ``kandji_queries.results.formats``, which a mere ``--help`` need not import; a test compares them."""

EXPORT_FORMS = ("parquet", "csv", "jsonl", "duckdb", "xlsx")
"""As in ``kandji_queries.export.copy_files``, which a mere ``--help`` need not import; a test compares them."""

Command = TypeVar("Command", bound=Callable[..., Any])


def _parameters(_context: click.Context, _option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    return read_pairs(pairs)


def read_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Return ``name=value`` texts by name; :class:`UsageError` for one that is none, or a name that is given twice."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--param {pair!r} is not name=value. Example: --param days=7")
        if name in found:
            raise UsageError(f"--param {name} is given twice: {found[name]!r} and {value!r}. Leave one of them out.")
        found[name] = value
    return found


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Make one decorator of several, in the order in which help shows them."""
    return lambda command: reduce(lambda decorated, option: option(decorated), reversed(options), command)


class _Form(click.Choice[str]):
    """A form of output; ``ndjson`` is another name of ``jsonl``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the form by the name that we use."""
        return super().convert("jsonl" if value == "ndjson" and "jsonl" in self.choices else value, param, ctx)


_SHORT = {"json": "JSON: the same as --format json.", "arrays": "JSON with columns, rows as arrays, as_of and notes."}
"""Forms that have an option of their own, with its help."""


def printed(
    *forms: str,
    help: str = "How to print the rows.",  # noqa: A002  # click's word
    paged: bool = False,
) -> Callable[[Command], Command]:
    """Give a command the options that say how to print, as one argument ``form``; the first form is the default.

    What is ``paged`` goes to a pager where it is longer than the terminal.
    """
    short = [name for name in _SHORT if name in forms]
    options = [click.option("--format", "-f", "form", type=_Form(forms), help=f"{help}  [default: {forms[0]}]")]
    options += [click.option(f"--{name}", f"as_{name}", is_flag=True, help=_SHORT[name]) for name in short]
    options += [click.option("--no-pager", is_flag=True, help="Not a screen at a time.")] if paged else []

    def decorate(command: Command) -> Command:
        @wraps(command)
        def chosen(*args: Any, form: str | None, **given: Any) -> Any:
            asked = [name for name in short if given.pop(f"as_{name}")]
            with _a_screen_at_a_time(paged and not given.pop("no_pager")):
                return command(*args, form=_one_form(form, asked) or forms[0], **given)

        return _together(*options)(cast(Command, chosen))

    return decorate


@contextmanager
def _a_screen_at_a_time(wanted: bool) -> Iterator[None]:
    """Have a pager for the time of the block, where that is wanted and there is a terminal."""
    if not wanted or not sys.stdout.isatty():
        yield
        return
    from kandji_cli.pager import paged  # most commands are read by programs, which have no use for it

    with paged():
        yield


def _one_form(form: str | None, asked: Sequence[str]) -> str | None:
    """Return what --format and the short options say together; :class:`UsageError` where they contradict."""
    for name in reversed(asked):  # --json --arrays: the arrays are JSON, too
        if form not in {None, "json", name}:
            raise UsageError(f"--{name} and --format {form} are two forms. Leave one of them out.")
        return name
    return form


format_option = printed(*FORMATS, paged=True)
"""``--format``, ``--json`` and ``--arrays``, as ``form``, of a command that prints rows."""

document_option = printed("text", "json", help="How to print it.")
"""``--format`` and ``--json``, as ``form``, of a command that prints other things than rows."""

page_option = printed("text", "json", help="How to print it.", paged=True)
"""The same of a command whose text is a page to read."""

param_option = click.option(
    "--param",
    "-p",
    "params",
    multiple=True,
    callback=_parameters,
    shell_complete=completing.parameters,
    help="A parameter, name=value. Repeatable.",
)
"""``--param name=value``, repeatable, as ``params``: a dict of texts."""

limit_option = click.option("--limit", type=click.IntRange(1), help="Only the first so many rows.")
"""``--limit``: as many rows are wanted; without it an answer that has to be cut is an error."""


def _names(_context: click.Context, _option: click.Parameter, lists: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for names in lists for name in names.split(",") if name.strip())


columns_option = click.option(
    "--columns", metavar="NAME,...", multiple=True, callback=_names, help="Only these columns, in this order."
)
"""``--columns a,b``, repeatable, as ``columns``: a tuple of names, empty for all."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
"""``--json``, as ``as_json``, where ``--format`` is that of files."""

requirement_options = _together(
    click.option("--max-age", metavar="TIME", help="End with code 9 where a table used is older: 30m, 24h, 2d, 1w."),
    click.option("--strict", is_flag=True, help="End with code 9 where a table used failed, is not whole or overdue."),
)
"""``--max-age`` and ``--strict``, which the tables used must meet."""

tenants_option = click.option(
    "--tenants", metavar="NAME,...", help="Ask the mirrors of these tenants, or of `all`; each row names its own."
)
"""``--tenants``: profiles to ask one after the other, as ``tenants``."""

fleet_options = _together(
    click.option(
        "--devices", type=click.IntRange(0, 50_000), default=300, show_default=True, help="Devices of the fleet."
    ),
    click.option("--apps", type=click.IntRange(0, 500), default=40, show_default=True, help="Apps on a device, about."),
    click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same fleet."),
)
"""``--devices``, ``--apps`` and ``--seed`` of a simulated tenant."""


def history_option(default: str) -> Callable[[Command], Command]:
    """Give a command ``--history``, the length of a simulated past, as ``history``."""
    text = "Length of the fleet's past: 90d, 12w; 0d for none."
    return click.option("--history", metavar="TIME", default=default, show_default=True, help=text)


FAULTS = ("429", "500", "503", "slow", "late", "cut", "reset", "hanging", "broken-json", "html", "empty")
"""As in ``kandji_simulator.api.fault_words``, which a mere ``--help`` need not import; a test compares them."""

trouble_options = _together(
    click.option(
        "--live",
        metavar="[PACE]",
        is_flag=False,
        flag_value=60.0,
        default=0.0,
        type=click.FloatRange(0, 100_000),
        help="Let life go on, so many times as fast as the clock; --live alone is 60: a day in 24 minutes.",
    ),
    click.option(
        "--forbid",
        metavar="TABLE|PERMISSION",
        multiple=True,
        help="Answer 403 as to a token without that box. Repeatable.",
    ),
    click.option(
        "--fault",
        metavar="KIND[:RATE]",
        multiple=True,
        help=f"Let 5% of the requests, or RATE, go wrong. Repeatable. KIND: {', '.join(FAULTS)}; "
        "or a name that GET /_faults of the tenant lists.",
    ),
)
"""What happens in a served tenant: its pace, what it forbids, what goes wrong."""

export_options = _together(
    click.argument("names", nargs=-1, metavar="[TABLE or QUERY]...", shell_complete=completing.names),
    click.option("--all", "everything", is_flag=True, help="Every table and view."),
    click.option(
        "--format",
        "-f",
        "form",
        type=click.Choice(EXPORT_FORMS),
        default="parquet",
        show_default=True,
        help="Kind of files.",
    ),
    # a folder as it was typed: a path would make one slash of two
    click.option("--to", metavar="DIR", required=True, type=click.Path(), help="Folder for the files."),
    param_option,
    click.option("--partition-by", metavar="COLUMN", help="A folder for each value of the column: COLUMN=value."),
    click.option("--spreadsheet-safe", is_flag=True, help="CSV for Excel: ' before what it would run."),
    click.option("--dated", is_flag=True, help="Write into a new folder in DIR, named by the time."),
    click.option("--keep", type=click.IntRange(1), help="With --dated: remove all but the newest so many."),
    click.option("--force", is_flag=True, help="Replace files that no export wrote."),
    click.option(
        "--map",
        "asset_map",
        metavar="MAP",
        shell_complete=completing.maps,
        help="Of asset_list: columns for snipe-it, jira-assets, generic, or a file.",
    ),
    click.option(
        "--changed-since",
        metavar="TIME",
        help="With --map: only what changed since the 'last' export to DIR, or since a time.",
    ),
    requirement_options,
    json_option,
)
"""What to export, ``names`` or ``everything``, to where and how."""
