"""NOT IN with a NULL in the list, which lets no row pass."""

from collections.abc import Iterator

from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node
from kandji_queries.remarks.asked import Asked

LOOKED_AT = 2


def remarks(asked: Asked, *, empty: bool) -> Iterator[str]:
    """Say that NOT IN has a NULL in its list, or may have one where that is not known and the answer is ``empty``."""
    negated = [node["children"][0] for node in tree.below(asked.root) if tree.kind(node) == "OPERATOR_NOT"]
    lists = [node for node in negated if tree.kind(node) == "COMPARE_IN"]
    if any((child.get("literal") or {}).get("kind") == "NULL_LITERAL" for node in lists for child in node["children"]):
        yield "The list of NOT IN has a NULL, so that condition lets no row pass: leave it out."
    wanted = [node["subquery"]["node"] for node in negated if _is_any(node)]
    for query in wanted[:LOOKED_AT]:
        whole = query if any(tree.ctes(query)) else {**query, "cte_map": asked.root["cte_map"]}
        found = asked.rows_of(whole, "SELECT 1 FROM ({}) AS listed(value) WHERE value IS NULL LIMIT 1")
        name = tree.output_name(query["select_list"][0]) or "its column" if query.get("select_list") else "its column"
        instead = f"add WHERE {name} IS NOT NULL to that SELECT, or write NOT EXISTS."
        if found:
            yield f"The SELECT of NOT IN yields a NULL, so that condition lets no row pass: {instead}"
        elif found is None and empty:
            yield f"Where the SELECT of NOT IN yields a NULL, that condition lets no row pass: {instead}"


def _is_any(node: Node) -> bool:
    is_any = tree.kind(node) == "SUBQUERY" and node.get("subquery_type") == "ANY"
    return is_any and node.get("comparison_type") == "COMPARE_EQUAL"
