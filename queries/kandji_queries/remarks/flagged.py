"""Devices of an answer that are removed or missing, where nothing in the statement tells them apart."""

from collections.abc import Collection, Iterator

from kandji_queries.lineage import tree
from kandji_queries.lineage.demand import read_demand
from kandji_queries.lineage.devices_counted import DEVICES, leaves_flags_unsaid
from kandji_queries.lineage.tree import Node
from kandji_queries.remarks.asked import Asked
from kandji_queries.results.data_notes import flagged_devices

_OF_THESE = (
    "SELECT count(*) FILTER (is_removed), count(*) FILTER (is_missing) FROM devices "
    "WHERE device_id IN (SELECT unnest($ids::VARCHAR[]))"
)

LIMITS = frozenset({"LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER"})


def remarks(asked: Asked, ids: Collection[str] | None, everywhere: tuple[int, int]) -> Iterator[str]:
    """Say how many devices of the answer are removed and missing; nothing where that cannot be told.

    ``ids`` are those of the devices it lists, None where it lists none; ``everywhere`` is how many there are in all.
    """
    if not any(everywhere) or not leaves_flags_unsaid(asked.root, read_demand(asked.root)):
        return
    found = _read_by(asked, everywhere) if ids is None else asked.look(_OF_THESE, {"ids": list(ids)})
    if found:
        yield from flagged_devices(*found[0])


def _read_by(asked: Asked, everywhere: tuple[int, int]) -> list[tuple[int, ...]] | None:
    """Count those that a plain SELECT reads: its FROM and WHERE alone say which. None for a statement of another form.

    What cuts groups or rows away afterwards leaves unknown whose devices remain.
    """
    root = asked.root
    relations = [r for r in tree.relations(root.get("from_table")) if r.name in DEVICES and r in asked.relations]
    if tree.kind(root) != "SELECT_NODE" or len(relations) != 1 or _cuts(root):
        return None
    if relations[0].node is root["from_table"] and not root.get("where_clause"):
        return [everywhere]
    device = relations[0].alias
    counts = [_count(device, flag) for flag in ("is_removed", "is_missing")]
    plain = {"modifiers": [], "group_expressions": [], "group_sets": [], "aggregate_handling": "STANDARD_HANDLING"}
    return asked.rows_of({**root, **plain, "select_list": counts})


def _cuts(root: Node) -> bool:
    limited = any(tree.kind(modifier) in LIMITS for modifier in root.get("modifiers") or ())
    filtered = any(node.get("filter") for node in tree.below(root["select_list"]))
    sampled = any(node.get("sample") for node in tree.below(root.get("from_table")))
    return bool(limited or filtered or sampled or root.get("having") or root.get("qualify") or root.get("sample"))


def _count(device: str, flag: str) -> Node:
    """Return the tree of ``count(DISTINCT device.device_id) FILTER (device.flag)``."""
    name, other = (
        {"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": "", "column_names": [device, part]}
        for part in ("device_id", flag)
    )
    return {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "alias": "",
        "function_name": "count",
        "schema": "",
        "arguments": [{"name": "", "expression": name}],
        "filter": other,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": True,
        "is_operator": False,
        "export_state": False,
        "catalog": "",
        "qualified_name": {"path": ["count"]},
    }
