"""Public names of a package that are imported when they are first asked for, where all would cost too much."""

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, places: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package; ``places`` are the modules of its public names."""

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(places[name]), name)

    return get, lambda: public_names(vars(sys.modules[package]), places)


def public_names(there: Iterable[str], places: Iterable[str]) -> list[str]:
    """List the public names, and what Python itself has in a module: what a notebook completes."""
    return sorted({name for name in there if name.startswith("__")} | {*places})
