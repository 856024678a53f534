"""One parametrised look at every table: what a new one has to bring."""

import inspect
import json
import re

import duckdb
import pytest

from kandji_schema import ddl, errors
from kandji_schema.columns import Kind
from kandji_schema.errors import MirrorError, UnknownName
from kandji_schema.registry import resource, resources, tenant_tables
from kandji_schema.resource import Resource

EVERY = [pytest.param(r, id=name) for name, r in resources().items()]


@pytest.mark.parametrize("table", EVERY)
def test_a_table_and_all_its_columns_are_described(table: Resource) -> None:
    assert table.description.startswith("One row per")
    assert [c.name for c in table.columns if not c.description.endswith(".")] == []


@pytest.mark.parametrize("table", EVERY)
def test_a_table_has_a_key_and_keeps_what_it_does_not_know(table: Resource) -> None:
    assert table.key
    assert (table.columns[-1].name, table.columns[-1].kind) == ("extra", Kind.DOCUMENT)


@pytest.mark.parametrize("table", EVERY)
def test_the_ddl_makes_the_declared_columns_without_any_index(table: Resource) -> None:
    with duckdb.connect() as con:
        for statement in ddl.statements(table):
            con.execute(statement)
        made = con.execute(f'DESCRIBE "{table.name}"').fetchall()
        assert [(name, kind) for name, kind, *_ in made] == [(c.name, str(c.kind)) for c in table.columns]
        assert con.execute("SELECT count(*) FROM duckdb_constraints()").fetchone() == (0,)
        assert con.execute("SELECT count(*) FROM duckdb_indexes()").fetchone() == (0,)


@pytest.mark.parametrize("table", tenant_tables().values(), ids=tenant_tables())
def test_braces_in_a_path_are_columns_of_the_parent(table: Resource) -> None:
    assert table.path.format(**dict.fromkeys(table.parent_key, "x")).startswith("/api/v1/")
    parent = resource(table.parent) if table.parent else None
    columns = {c.name for c in parent.columns} if parent else set()
    assert set(table.parent_key.values()) <= columns


def test_a_misspelt_table_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean devices"):
        resource("devicez")


def _made(kind: type[MirrorError]) -> MirrorError:
    """An error of a kind, with a value for each thing it is made of."""
    wanted = list(inspect.signature(kind.__init__).parameters.values())[1:]
    if wanted[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return kind("The disk of “Zoë” is full.")
    values = {"known": ("devices",), "sent": False, "status": 503, "retry_after": 1.5}
    named = [p for p in wanted if p.kind is inspect.Parameter.KEYWORD_ONLY]
    made: MirrorError = kind(
        *(values.get(p.name, f"{p.name} “Zoë”") for p in wanted if p not in named),
        **{p.name: values.get(p.name, p.name) for p in named},
    )
    return made


def test_every_error_crosses_processes_as_what_it_is() -> None:
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, MirrorError)]
    assert len(kinds) > 30
    for kind in kinds:
        error = _made(kind)
        found = MirrorError.from_dict(json.loads(json.dumps(error.to_dict())))
        assert (type(found), str(found), vars(found)) == (kind, str(error), vars(error)), kind


def test_an_error_of_a_kind_that_is_not_known_here_keeps_its_exit_code_and_takes_no_attribute() -> None:
    class Narrower(errors.StoreFull):
        """One that a module has for itself."""

    sent = {**Narrower("Full.").to_dict(), "data": {"exit_code": 0, "with_traceback": None}}
    found = MirrorError.from_dict(sent)
    assert (type(found), str(found), found.exit_code, vars(found)) == (errors.StoreFull, "Full.", 8, {})
    later = MirrorError.from_dict({**sent, "kind": "OfALaterVersion"})
    assert (str(later), later.exit_code) == ("Full.", 8)


def test_every_error_is_drawn_in_the_tree_with_its_exit_code() -> None:
    drawn = dict(re.findall(r"(\w+)\s+exit (\d+)", str(errors.__doc__)))
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, MirrorError)]
    assert [k.__name__ for k in kinds if k.__name__ not in str(errors.__doc__)] == []
    assert drawn == {k.__name__: str(k.exit_code) for k in kinds if k.__name__ in drawn}
