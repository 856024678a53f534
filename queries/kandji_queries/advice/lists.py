"""A list that is bound to a parameter: how a condition takes it."""

import re
from collections.abc import Mapping

from kandji_queries.advice.finding import Finding
from kandji_queries.advice.pieces import without_texts

_MISFIT = re.compile(
    r"contains\(T\[\], T\).*?- '(?P<given>[^']+)', from first occurrence\s+- '(?P<column>[^']+)', which is", re.DOTALL
)
_STRUCT = re.compile(r"unnamed structs|STRUCT\(")


def bound_list(sql: str, values: Mapping[str, object], error: str) -> Finding | None:
    """Return how a list bound to a parameter is written where the engine cannot take it; None where that is not it."""
    lists = [name for name, value in values.items() if isinstance(value, list | tuple)]
    objects = [name for name, value in values.items() if isinstance(value, dict)]
    if objects and _STRUCT.search(error):
        return Finding(f"${objects[0]} is an object; a condition takes a value, or a list after IN: column IN $names.")
    for name in lists:
        if (misfit := _MISFIT.search(error)) and (found := _cast(sql, name, misfit)):
            return found
        if "[]" in error and (mended := _taken_whole(sql, name)) != sql:
            return Finding(f"${name} is a list, which IN takes without brackets: column IN ${name}.", mended)
    if lists and "[]" in error:
        return Finding(f"${lists[0]} is a list: a condition takes it as column IN ${lists[0]}.")
    return None


def _taken_whole(sql: str, name: str) -> str:
    """Return a statement with ``IN ($name)``, ``= $name`` and ``<> $name`` as they are for a list."""
    parameter = rf"\${re.escape(name)}\b"

    def whole(text: str) -> str:
        text = re.sub(rf"(?i)\bIN\s*\(\s*({parameter})\s*\)", r"IN \1", text)
        text = re.sub(rf"\s*(?:<>|!=)\s*({parameter})", r" NOT IN \1", text)
        return re.sub(rf"\s*(?<![<>!:=])==?\s*({parameter})", r" IN \1", text)

    return without_texts(sql, whole)


def _cast(sql: str, name: str, misfit: re.Match[str]) -> Finding | None:
    """Return a statement that takes the values of a list as what they are compared with."""
    kind = misfit["column"]
    if kind.endswith("[]"):
        return Finding(f"Both are lists: list_has_any(column, ${name}) is true where they have a value in common.")
    wanted = re.compile(rf"(?i)\bIN\s+\${re.escape(name)}\b(?!\s*::)")
    mended = without_texts(sql, lambda text: wanted.sub(f"IN ${name}::{kind}[]", text))
    if mended == sql:
        return None
    return Finding(f"${name} is a list of {misfit['given']}, and what it is compared with is {kind}.", mended)
