"""What the mirror is made of: tables, settings, errors and the manifest. Imports nothing of the other packages.

The names below are imported when they are asked for: the table classes pull in SQLModel (a quarter of a second), and a
SQL query must not pay for it.
"""

from typing import TYPE_CHECKING

from kandji_schema.lazy import lazy_names

if TYPE_CHECKING:
    from kandji_schema.errors import MirrorError
    from kandji_schema.registry import resources
    from kandji_schema.resource import Resource
    from kandji_schema.settings import Settings, load

__all__ = ["MirrorError", "Resource", "Settings", "load", "resources"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "MirrorError": "kandji_schema.errors",
        "Resource": "kandji_schema.resource",
        "Settings": "kandji_schema.settings",
        "load": "kandji_schema.settings",
        "resources": "kandji_schema.registry",
    },
)
