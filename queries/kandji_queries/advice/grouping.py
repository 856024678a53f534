"""What was meant by a statement whose groups are not named, or that asks for a number of them in the wrong clause."""

import re

from kandji_queries.advice.finding import Finding
from kandji_queries.advice.pieces import clauses, conjuncts, pieces
from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node
from kandji_schema.sql import fold_name

AGGREGATES = frozenset(
    ("count", "count_star", "sum", "avg", "mean", "min", "max", "median", "mode", "any_value", "list", "string_agg")
)

_NOT_GROUPED = re.compile(r'column "([^"\n]+)" must appear in the GROUP BY clause')
_IN_WHERE = "WHERE clause cannot contain aggregates"


def grouping(sql: str, root: Node, error: str) -> Finding | None:
    """Return what was meant where the engine's error is about groups; None where it is about something else."""
    if _IN_WHERE in error:
        return Finding("A condition on a number of each group stands in HAVING, after GROUP BY.", _having(sql, root))
    if found := _NOT_GROUPED.search(error):
        name = found[1]
        if fold_name(name) == "count" and (counted := counted_rows(sql)) != sql:
            return Finding("The number of rows is count(*).", counted)
        return Finding(
            f"{name} is neither grouped by nor aggregated: GROUP BY ALL groups by whatever is not aggregated, "
            f"any_value({name}) takes one of its values.",
            _grouped(sql),
        )
    return None


def counted_rows(sql: str) -> str:
    """Return a statement with ``count(*)`` in place of a bare ``count``."""
    found = pieces(sql)
    for number, piece in enumerate(found):
        after = "".join(found[number + 1 : number + 3]).strip()
        before = "".join(found[max(0, number - 2) : number]).strip().lower()
        if piece.lower() == "count" and not after.startswith("(") and not before.endswith((".", "as")):
            found[number] = "count(*)"
    return "".join(found)


def _grouped(sql: str) -> str:
    """Return a query grouped by whatever is not aggregated."""
    parts = [(word, text) for word, text in clauses(sql) if word != "group"]
    place = next((n for n, (word, _) in enumerate(parts) if word not in {"", "where"}), len(parts))
    return _joined([*parts[:place], ("group", "GROUP BY ALL"), *parts[place:]])


def _having(sql: str, root: Node) -> str:
    """Return a query with those conditions of WHERE that are about groups in HAVING; empty where that is not clear."""
    parts = dict(clauses(sql))
    if tree.kind(root) != "SELECT_NODE" or len(parts) != len(clauses(sql)) or "where" not in parts:
        return ""
    aliases = {tree.output_name(entry) for entry in root["select_list"] if _aggregates(entry)}
    conditions = conjuncts(parts["where"].strip()[len("where") :])
    moved = [condition for condition in conditions if _about_groups(condition, aliases)]
    stays = [condition for condition in conditions if condition not in moved]
    parts["where"] = f"WHERE {' AND '.join(stays)}" if stays else ""
    before = [parts["having"].strip()[len("having") :].strip()] if "having" in parts else []
    parts["having"] = f"HAVING {' AND '.join([*moved, *before])}"
    parts.setdefault("group", "GROUP BY ALL")
    order = ("", "where", "group", "having")
    first = [(word, parts[word]) for word in order if word in parts]
    return _joined([*first, *((word, text) for word, text in parts.items() if word not in order)])


def _about_groups(condition: str, aliases: set[str]) -> bool:
    words = [piece.lower().strip('"') for piece in pieces(condition)]
    called = any(word in AGGREGATES and words[n + 1 : n + 2] == ["("] for n, word in enumerate(words))
    return called or not aliases.isdisjoint(words)


def _aggregates(entry: Node) -> bool:
    functions = (node for node in tree.below(entry) if node.get("class") == "FUNCTION")
    return any(fold_name(str(node["qualified_name"]["path"][-1])) in AGGREGATES for node in functions)


def _joined(parts: list[tuple[str, str]]) -> str:
    return " ".join(text.strip() for word, text in parts if text.strip() and word != ";")
