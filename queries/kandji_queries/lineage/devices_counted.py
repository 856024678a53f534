"""Whether a statement lists or counts devices without a word on those that are removed or missing."""

from kandji_queries.lineage import tree
from kandji_queries.lineage.demand import Demand
from kandji_queries.lineage.tree import Node

DEVICES = frozenset({"devices", "fleet"})
FLAGS = ("is_removed", "is_missing")

ONE_DEVICE = frozenset({"device_id", "serial_number", "asset_tag", "device_name", "user_email", "user_id", "user_name"})
"""Columns that a value picks one device or person by."""


def leaves_flags_unsaid(root: Node, demand: Demand) -> bool:
    """Tell whether all kinds of devices are in the answer and nothing in it tells them apart."""
    named = {tree.table_name(node) for node in tree.below(root) if tree.kind(node) == "BASE_TABLE"} & DEVICES
    if not named or any(demand.asks(table, flag) for table in named for flag in FLAGS):
        return False
    return not any(tree.kind(node) == "SHOW_REF" or _picks_one(node) for node in tree.below(root))


def _picks_one(node: Node) -> bool:
    if tree.kind(node) == "COMPARE_EQUAL":
        sides = [node["left"], node["right"]]
    elif tree.kind(node) == "COMPARE_IN":
        sides = list(node["children"])
    else:
        return False
    columns = [parts[-1] for side in sides if (parts := tree.parts(side))]
    values = [side for side in sides if side.get("class") in {"CONSTANT", "PARAMETER"}]
    return bool(values) and not ONE_DEVICE.isdisjoint(columns)
