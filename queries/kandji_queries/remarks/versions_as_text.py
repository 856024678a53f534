"""Versions compared as the texts that they are stored as, where 9 comes after 10."""

from collections.abc import Iterator
from itertools import islice

from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node
from kandji_queries.remarks.asked import column, selects
from kandji_schema.sql import literal

NO_TEXTS = frozenset({"rule_version"})
"""Columns called a version that hold numbers."""

BELOW = {
    "COMPARE_LESSTHAN": "version_below({left}, {right})",
    "COMPARE_GREATERTHAN": "version_below({right}, {left})",
    "COMPARE_LESSTHANOREQUALTO": "NOT version_below({right}, {left})",
    "COMPARE_GREATERTHANOREQUALTO": "NOT version_below({left}, {right})",
}
"""What to write instead of a comparison."""

LONGEST = 40
NAMED = 2


def remarks(root: Node, *, rows: int) -> Iterator[str]:
    """Say how the versions of a statement are compared as versions; ``rows`` are those of its answer."""
    made = {
        str(e["alias"]) for query in selects(root) for e in query["select_list"] if e.get("alias") and not column(e)
    }
    found = [(name, words) for name, words in _found(root, rows) if name.rpartition(".")[2] not in made]
    if found:
        instead = " and ".join(islice(dict.fromkeys(words for _, words in found), NAMED))
        yield f"{found[0][0]} is compared as a text, where '9' comes after '10': write {instead}."


def _found(root: Node, rows: int) -> Iterator[tuple[str, str]]:
    """Yield each version that is compared, and what to write instead."""
    for node in tree.below(root):
        if tree.kind(node) in BELOW:
            if name := _version(node["left"]) or _version(node["right"]):
                left, right = _written(node["left"]), _written(node["right"])
                yield name, BELOW[tree.kind(node)].format(left=left, right=right)
        elif tree.kind(node) == "COMPARE_BETWEEN":
            if name := _version(node["input"]):
                lower, upper = _written(node["lower"]), _written(node["upper"])
                yield name, f"NOT version_below({name}, {lower}) AND NOT version_below({upper}, {name})"
        elif tree.kind(node) == "ORDER_MODIFIER":
            names = [_version(order.get("expression")) for order in node.get("orders") or ()]
            yield from ((name, f"ORDER BY version_key({name})") for name in names if name and rows > 1)
        elif node.get("function_name") in {"min", "max"} and (name := _version(node["arguments"][0]["expression"])):
            yield name, f"arg_{node['function_name']}({name}, version_key({name}))"


def _version(node: object) -> str:
    """Return the name of a column that holds versions, as it is written; empty for anything else."""
    parts = column(node)
    last = parts[-1] if parts else ""
    is_version = last == "version" or last.endswith("_version")
    return ".".join(parts[-2:]) if is_version and "build" not in last and last not in NO_TEXTS else ""


def _written(node: Node) -> str:
    text = (node.get("literal") or {}).get("text")
    if text is not None:
        return literal(str(text)[:LONGEST])
    if tree.kind(node) == "VALUE_PARAMETER":
        return f"${node['identifier']}"
    return ".".join(column(node)[-2:]) or "..."
