"""Rules of compliance as two relations beside the tables, from which the view ``compliance`` draws its results.

``internal.rules`` is one row a rule. ``internal.rule_inputs`` is one row a rule and row of the rule's table: whether
the row meets the rule, the values that say so as text, and when its device reported them.
"""

from collections.abc import Callable, Mapping

from kandji_queries.compliance.operators import sql_value
from kandji_queries.compliance.rule_set import Place, Rule, RuleSet
from kandji_queries.relations import INPUTS, RULES, STATES
from kandji_schema.durations import exactly_in_words
from kandji_schema.sql import identifier, literal

REPORTED_AT = ("last_collected_at", "last_check_in")
"""Columns that say when a device reported a row, the first one there is counts."""

Shape = Mapping[str, str]
"""Types of a table's columns by name."""


def statements(rules: RuleSet, shape_of: Callable[[str], Shape | None]) -> list[str]:
    """Return the statements that make the two relations.

    ``shape_of`` is what a table looks like in this mirror, None where it is not there. A table or column the mirror
    does not have yet, because an older version wrote it, makes the results unknown; one that does not exist at all, or
    is of the wrong type, is a :class:`ConfigurationError`.
    """
    lacking = {rule.name: _missing(rules.place(rule), rule, shape_of(rule.table)) for rule in rules.rules}
    listed = ",\n".join(_rule_values(number, rule, lacking[rule.name]) for number, rule in enumerate(rules.rules, 1))
    arms = [
        _arm(number, rule, shape_of(rule.table) or {})
        for number, rule in enumerate(rules.rules, 1)
        if not lacking[rule.name]
    ]
    return [
        f"CREATE VIEW {RULES} AS FROM (VALUES\n{listed}\n) AS rules({_RULE_COLUMNS})",
        f"CREATE VIEW {INPUTS} AS {' UNION ALL '.join([_NO_INPUT, *arms])}",
    ]


_RULE_COLUMNS = (
    "position, rule, title, fails, severity, platforms, input_table, input_columns, max_seconds, max_age, lacking"
)

_NO_INPUT = (
    "SELECT 0 AS position, NULL::VARCHAR AS device_id, NULL::BOOLEAN AS holds, NULL::VARCHAR AS input, "
    "NULL::TIMESTAMP AS reported_at WHERE false"
)


def _rule_values(position: int, rule: Rule, lacking: str | None) -> str:
    max_seconds = int(rule.max_age.total_seconds()) if rule.max_age else None
    cells = (
        *(position, rule.name, rule.title, rule.fails, rule.severity, rule.platforms or None, rule.table),
        *(", ".join(rule.columns), max_seconds, rule.max_age and exactly_in_words(rule.max_age), lacking),
    )
    return f"({', '.join(map(sql_value, cells))})"


def _arm(position: int, rule: Rule, shape: Shape) -> str:
    holds = " AND ".join(f"({c.operator.sql(identifier(c.column), c.value)})" for c in rule.conditions)
    columns = f"{position}, device_id, {holds}, {_input(rule)}, {_reported_at(rule, shape)}"
    return f"SELECT {columns} FROM {identifier(rule.table)}"


def _input(rule: Rule) -> str:
    if len(rule.columns) == 1:
        return f"{identifier(rule.columns[0])}::VARCHAR"
    pairs = (f"{literal(f'{name} = ')} || coalesce({identifier(name)}::VARCHAR, 'NULL')" for name in rule.columns)
    return f"concat_ws(', ', {', '.join(pairs)})"


def _reported_at(rule: Rule, shape: Shape) -> str:
    own = next((name for name in REPORTED_AT if name in shape), None)
    return own or f"(SELECT synced_at FROM {STATES} WHERE table_name = {literal(rule.table)})"


def _missing(place: Place, rule: Rule, shape: Shape | None) -> str | None:
    """Say what the mirror does not have yet of what the rule needs, in words."""
    if shape is None:
        _refuse_unknown_table(place, rule)
        return f"{rule.table} is not mirrored yet"
    if "device_id" not in shape:
        raise place.wrong("table", rule.table, "a table that has a device_id")
    for name in rule.columns:
        if name not in shape:
            _refuse_unknown_column(place, rule, name, shape)
            return f"{rule.table}.{name} is not mirrored yet, `kandji-mirror sync --full` reads it"
    _refuse_unfit(place, rule, shape)
    return None


def _refuse_unknown_table(place: Place, rule: Rule) -> None:
    from kandji_schema.registry import resources  # heavy, and only needed where something is missing

    if rule.table not in resources():
        raise place.unknown("table", rule.table, resources())


def _refuse_unknown_column(place: Place, rule: Rule, column: str, shape: Shape) -> None:
    from kandji_schema.registry import resources  # heavy, and only needed where something is missing

    resource = resources().get(rule.table)
    declared = (*(c.name for c in resource.columns), *(c.name for c in resource.derived)) if resource else ()
    known = {*shape, *declared}
    if column not in known:
        raise place.unknown(f"column of {rule.table}", column, known)


def _refuse_unfit(place: Place, rule: Rule, shape: Shape) -> None:
    for condition in rule.conditions:
        kind = shape[condition.column]
        if not condition.operator.fits(kind, condition.value):
            raise place.wrong("condition", str(condition), f"one that fits {condition.column}, which is {kind}")
