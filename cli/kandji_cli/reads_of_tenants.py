"""``sql --tenants`` and ``query --tenants``: one question to several mirrors."""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from kandji_cli.output import tell, tell_number, warn
from kandji_cli.reads import ADVICE, How, open_reader, read_values, statement_text
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.reader import Reader
from kandji_queries.results.dates import date_line
from kandji_queries.results.formats import renamed, write
from kandji_queries.results.stream import Stream
from kandji_queries.tenants import Ask, TenantsAnswer, TenantsMirror
from kandji_schema.errors import MirrorError, TooManyRows
from kandji_schema.profiles import chosen
from kandji_schema.settings import load


def run_sql(tenants: str, statement: str, params: Mapping[str, str], how: How) -> None:
    """Print the rows of one guarded statement on each mirror, with their ages on stderr."""
    text, values = statement_text(statement), read_values(params)

    def ask(reader: Reader) -> AbstractContextManager[Stream]:
        return reader.stream(text, values)

    _show(tenants, ask, how)


def run_query(tenants: str, name: str, params: Mapping[str, str], how: How) -> None:
    """Print the rows of a named query on each mirror, with their ages on stderr."""

    def ask(reader: Reader) -> AbstractContextManager[Stream]:
        return reader.stream_query(name, params)

    _show(tenants, ask, how)


def _show(tenants: str, ask: Ask, how: How) -> None:
    top = load(tenant="")
    if top.subdomain or top.api_url:
        warn(["the tenant that has no name is not among them: give it a table [tenants.NAME] in config.toml."])
    names = chosen(tenants, top.provenance.profiles)
    limits = QueryLimits(rows=top.mirror_query_rows, advice=ADVICE)
    if how.limit is not None and how.limit <= limits.rows:
        limits = replace(limits, rows=how.limit, advice="")
    mirrors = [TenantsMirror(name, partial(_reader, name, how, bounded=not place)) for place, name in enumerate(names)]
    asked = TenantsAnswer(mirrors, ask, limits, how.columns)
    try:
        with asked as answer:
            write(answer, how.form, sys.stdout)
            _date(answer, how.form)
    except MirrorError:
        if not asked.failures:
            raise
    _tell_failures(asked)
    if asked.truncated and (how.limit is None or how.limit > asked.row_count):
        raise TooManyRows(f"The answer is cut: it has more than {asked.row_count:,} rows. {ADVICE}")


def _reader(name: str, how: How, *, bounded: bool) -> Reader:
    return open_reader(how.requirements, bounded=bounded, settings=load(tenant=name))


def _date(answer: TenantsAnswer, form: str) -> None:
    """Print the age of each answer and what else has to be known, on stderr; ``arrays`` carry it themselves."""
    tell_number(answer.row_count, form)
    sys.stdout.flush()
    if told := renamed(answer, form):
        tell(told)
    for line in () if form == "arrays" else answer.notes:
        tell(line)
    for name, as_of in answer.dates.items():
        line = date_line(as_of, datetime.now(UTC))
        if line and form != "arrays":
            tell(f"{name}: {line}")


def _tell_failures(answer: TenantsAnswer) -> None:
    """Say which mirrors gave no answer, and end as the first of them would alone."""
    for name, error in answer.failures.items():
        tell(f"kandji-mirror: {name}: {error}")
    if answer.failures:
        sys.exit(next(iter(answer.failures.values())).exit_code)
