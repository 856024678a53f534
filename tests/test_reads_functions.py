"""The list of functions fits the DuckDB that is installed."""

from kandji_queries.guard.functions import GROWING, allowed, present, verdicts


def test_every_function_of_the_installed_duckdb_has_been_reviewed() -> None:
    unknown = sorted(set(present()) - {name for name, verdict in verdicts().items() if verdict in {"+", "-"}})
    assert unknown == [], "review these: python -m kandji_queries.guard.functions"


def test_functions_that_are_gone_are_not_on_the_list() -> None:
    assert sorted(set(verdicts()) - set(present())) == []


def test_our_macros_may_be_called() -> None:
    assert "version_key" in allowed()


def test_what_reads_sessions_files_or_clocks_is_refused() -> None:
    hands_off = {"getvariable", "current_setting", "sleep_ms", "nextval", "error", "write_log", "json_serialize_sql"}
    assert hands_off.isdisjoint(allowed())
    assert hands_off <= set(verdicts())


def test_makers_of_long_values_exist_and_are_bounded() -> None:
    assert allowed() >= GROWING
