"""What people call the rows of tracked tables, and what a change of their columns means: changes are told by it.

A row is a *thing*: an app, a profile, a device. Columns that tell one fact are told as one (``owner``, not three
columns of the user), columns that only repeat what another table's row says are told there and nowhere else. A table
without an entry here is called by its name, and each of its columns is a fact of its own; so a new table needs none.
Nothing here needs the tables' classes, which take long to import: a test holds that the two agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PRISM = "prism_"


@dataclass(frozen=True)
class Fact:
    """Columns that change together and mean one thing, those that say most first.

    With ``needs`` only a change of one of these columns is one of the fact; else each column is told by its own name.
    Columns that change with a new ``version`` are not told beside it.
    """

    label: str
    columns: tuple[str, ...]
    needs: tuple[str, ...] = ()
    unless: str = ""


@dataclass(frozen=True)
class Thing:
    """What a row of a table is called.

    ``plural`` counts the rows that a device came or went with; a table with one row a device has none. ``name`` are
    columns of the key that name the row. Where these are for machines, ``named`` is the column that people read and
    ``named_by`` the column of the key it is looked up by. ``copies`` repeat what the device's row in ``devices`` says,
    or count devices; ``blueprint_copies`` repeat what the row of the device's blueprint says.
    """

    noun: str
    plural: str = ""
    name: tuple[str, ...] = ()
    named: str = ""
    named_by: str = ""
    facts: tuple[Fact, ...] = ()
    copies: frozenset[str] = frozenset()
    blueprint_copies: frozenset[str] = frozenset()


DEVICE, BLUEPRINT = "devices", "blueprints"

PRISM_COPIES = frozenset({"device_family", "serial_number", "model_id", "asset_tag", "tags"})
"""Columns of every Prism row that are the device's."""

_OF_A_VERSION = (
    *("short_version", "bundle_name", "bundle_display_name", "bundle_size", "dynamic_size", "executable", "signature"),
    *("copyright", "info", "compiler", "minimum_system_version", "external_version_identifier", "created_at"),
    *("has_update_available", "installing", "download_waiting", "download_paused", "download_failed", "validated"),
)

THINGS: Mapping[str, Thing] = MappingProxyType(
    {
        DEVICE: Thing(
            "device",
            facts=(
                Fact("name", ("device_name",)),
                Fact("owner", ("user_email", "user_name", "user_id"), needs=("user_id", "user_email")),
                Fact("blueprint", ("blueprint_name", "blueprint_id"), needs=("blueprint_id",)),
                Fact("os", ("os_version", "full_software_version", "supplemental_build_version")),
                Fact("os", ("supplemental_os_version_extra", "security_patch_level", "api_level")),
                Fact("missing", ("is_missing",)),
                Fact("removed", ("is_removed",)),
                Fact("tag", ("tags",)),
                Fact("asset tag", ("asset_tag",)),
                Fact("lost mode", ("lost_mode_status",)),
                Fact("agent", ("agent_version", "agent_installed")),
                Fact("MDM", ("mdm_enabled",)),
                Fact("enrolment", ("last_enrollment", "first_enrollment")),
                Fact("owner archived", ("user_is_archived",)),
            ),
            blueprint_copies=frozenset({"blueprint_name"}),
        ),
        BLUEPRINT: Thing(
            "blueprint",
            named="name",
            named_by="id",
            facts=(Fact("edited", ("updated_at",)),),
            copies=frozenset({"computers_count", "missing_computers_count"}),
        ),
        "prism_filevault": Thing("FileVault"),
        "prism_activation_lock": Thing("Activation Lock"),
        "prism_application_firewall": Thing("firewall"),
        "prism_gatekeeper_and_xprotect": Thing("Gatekeeper and XProtect"),
        "prism_startup_settings": Thing("startup settings"),
        "prism_installed_profiles": Thing(
            "profile", "profiles", ("payload_uuid",), named="profile_display_name", named_by="payload_uuid"
        ),
        "prism_certificates": Thing("certificate", "certificates", ("common_name",)),
        "prism_local_users": Thing(
            "local account",
            "local accounts",
            ("generated_uid", "uid"),
            named="username",
            named_by="generated_uid",
        ),
        "prism_system_extensions": Thing("system extension", "system extensions", ("identifier", "bundle_version")),
        "prism_kernel_extensions": Thing(
            "kernel extension",
            "kernel extensions",
            ("bundle_id",),
            facts=(Fact("version", ("version",)),),
        ),
        "prism_device_information": Thing(
            "device information",
            copies=frozenset(
                {
                    *("device_name", "device_user_id", "device_user_name", "device_user_email"),
                    *("blueprint_id", "blueprint_name", "first_enrollment_date", "last_enrollment_date"),
                    *("agent_version", "agent_installed", "mdm_enabled", "lost_mode_status", "marketing_name"),
                    *("os_version", "os_build", "os_name", "display_os_version", "supplemental_build_version"),
                    *("supplemental_os_version_extra", "model", "model_name", "model_identifier"),
                }
            ),
        ),
        "prism_cellular": Thing("cellular"),
        "prism_desktop_and_screensaver": Thing("screen saver"),
        "apps": Thing(
            "app",
            "apps",
            ("bundle_id", "name"),
            named="name",
            named_by="bundle_id",
            facts=(Fact("version", ("version",)), Fact("", _OF_A_VERSION, unless="version")),
        ),
        "prism_launch_agents_and_daemons": Thing("launch item", "launch items", ("path",)),
        "prism_transparency_database": Thing(
            "privacy permission", "privacy permissions", ("service", "application", "local_user")
        ),
    }
)
"""By table, in the order in which people want to hear of them: what concerns many devices alike comes last."""


def thing_of(table: str) -> Thing:
    """Return what the rows of a table are called; of one without an entry by its name."""
    return THINGS.get(table) or Thing(table.removeprefix(PRISM).replace("_", " "))


def copies_in(table: str) -> frozenset[str]:
    """Return the columns of a table whose changes are told at the device, or are none of their own."""
    is_prism = table.startswith(PRISM) or table == "apps"
    return thing_of(table).copies | (PRISM_COPIES if is_prism else frozenset())


def place_of(table: str) -> int:
    """Return where a table stands in the order in which people want to hear of them."""
    order = list(THINGS)
    return order.index(table) if table in order else len(order)
