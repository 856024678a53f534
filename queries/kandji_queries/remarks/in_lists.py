"""What follows IN: a list with a NULL, which lets no row pass after NOT, and a text that is no list."""

import json
from collections.abc import Iterator

from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node
from kandji_queries.remarks.asked import Asked
from kandji_schema.text import one_line

LOOKED_AT = 2

LONGEST = 80
"""Most characters of a text that are repeated."""


def remarks(asked: Asked, *, empty: bool) -> Iterator[str]:
    """Say what is in a list and should not be, and what stands in the place of one."""
    yield from _nulls(asked, empty)
    yield from dict.fromkeys(_texts(asked))


def _texts(asked: Asked) -> Iterator[str]:
    """Say that ``column IN $names`` with one text looks for what is in the column inside that text."""
    for node in tree.below(asked.root):
        called = [argument["expression"] for argument in node.get("arguments") or ()]
        if node.get("function_name") != "contains" or tree.kind(called[0]) != "VALUE_PARAMETER":
            continue
        text, name = asked.text_of(called[0]), called[0]["identifier"]
        is_in = node.get("query_location") == called[0].get("query_location")  # contains($names, column) begins before
        if is_in and text is not None:
            column = (tree.parts(called[1]) or ["column"])[-1]
            listed = text if text.startswith("[") else json.dumps([text], ensure_ascii=False)
            yield (
                f"${name} is one text, and {column} IN ${name} is true for every part of it: write {column} = ${name}, "
                f'or give a list, {{"{name}": {one_line(listed)[:LONGEST]}}}.'
            )


def _nulls(asked: Asked, empty: bool) -> Iterator[str]:
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
