"""Values that parameters of named queries may take, from the mirror as it is, for whoever fills in a form."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kandji_queries.results.result import StatementRunner

MOST = 50
"""Values that are offered at a time."""

LONGEST = 200
"""Most characters of what was typed that are looked at."""

_DEVICES = "SELECT serial_number FROM devices UNION ALL SELECT device_name FROM devices"
_APPS = "SELECT name FROM apps UNION ALL SELECT bundle_id FROM apps"
_EXTENSIONS = "SELECT identifier FROM prism_system_extensions UNION ALL SELECT bundle_id FROM prism_kernel_extensions"

VALUES: Mapping[str, str] = {
    "blueprint": "SELECT name FROM blueprints",
    "tag": "SELECT name FROM tags",
    "and_tag": "SELECT name FROM tags",
    "not_tag": "SELECT name FROM tags",
    "device": _DEVICES,
    "user": "SELECT user_email FROM devices UNION ALL SELECT user_name FROM devices",
    "app": _APPS,
    "other_app": _APPS,
    "item": "SELECT name FROM blueprint_library_items",
    "profile": "SELECT name FROM prism_installed_profiles",
    "certificate": "SELECT common_name FROM prism_certificates",
    "extension": _EXTENSIONS,
    "cve": "SELECT cve_id FROM vulnerabilities",
    "carrier": "SELECT subscriber_carrier_network_slot_1 FROM prism_cellular",
}
"""Where the values of a parameter come from, by its name."""


def param_values(reader: "StatementRunner", name: str, typed: str) -> list[str]:
    """Return the commonest values of a parameter that contain what is typed; none for one without such a list."""
    if name not in VALUES:
        return []
    statement = (
        f"SELECT v FROM ({VALUES[name]}) AS t(v) WHERE v <> '' AND contains(folded(v), folded($typed)) "
        f"GROUP BY v ORDER BY starts_with(folded(v), folded($typed)) DESC, count(*) DESC, v LIMIT {MOST}"
    )
    return [str(value) for (value,) in reader.run(statement, {"typed": typed[:LONGEST]}).rows]
