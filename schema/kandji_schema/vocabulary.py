"""Vocabulary: words that people use, and the columns they mean by them. Searches begin here.

A term is written once, in the words somebody would type, folded (small letters, no accents); its columns stand as
``table.column``, the one that answers most questions first. Names of columns need no term: they are found as they are.
"""

from dataclasses import dataclass
from types import MappingProxyType

STOP_WORDS = frozenset(
    (
        *("a", "all", "an", "and", "any", "are", "as", "at", "by", "can", "did", "do", "does", "every"),
        *("find", "for", "from", "get", "give", "has", "have", "how", "i", "in", "is", "it", "its", "know"),
        *("list", "many", "me", "much", "my", "not", "of", "on", "or", "our", "show", "that", "the", "their"),
        *("them", "there", "these", "they", "this", "to", "was", "we", "were", "what", "when", "where", "which", "who"),
        *("whose", "will", "with", "without", "you", "long", "since", "ago"),
    )
)
"""Words that tell nothing of what is looked for."""

ALIKE = MappingProxyType(
    {
        "application": "app",
        "computer": "device",
        "cpu": "processor",
        "cert": "certificate",
        "colour": "color",
        "encrypted": "encryption",
        "enrolled": "enrollment",
        "enrolment": "enrollment",
        "group": "tag",
        "handset": "phone",
        "installed": "install",
        "licence": "license",
        "machine": "device",
        "owner": "user",
        "people": "user",
        "person": "user",
        "software": "app",
        "vuln": "vulnerability",
    }
)
"""One spelling for words that mean the same in names and descriptions; plural endings are dropped before."""

ONE_WORD = MappingProxyType({"wi fi": "wifi", "e mail": "email", "check in": "checkin", "file vault": "filevault"})
"""Words that are written apart or together."""

TABLES = MappingProxyType(
    {
        **dict.fromkeys(("device", "mac", "iphone", "ipad", "host", "endpoint", "asset"), ("fleet", "devices")),
        **dict.fromkeys(("laptop", "inventory", "hardware", "phone", "tablet"), ("fleet", "devices")),
        **dict.fromkeys(("user", "employee", "member", "account", "staff"), ("users",)),
        **dict.fromkeys(("app", "program", "package", "install", "installed app"), ("apps",)),
        **dict.fromkeys(("vulnerability", "cve"), ("vulnerabilities", "vulnerability_detections")),
        **dict.fromkeys(("detection", "device vulnerability"), ("vulnerability_detections", "vulnerabilities")),
        **dict.fromkeys(("malware", "virus", "threat"), ("threats",)),
        **dict.fromkeys(("profile", "configuration profile"), ("prism_installed_profiles", "custom_profiles")),
        **dict.fromkeys(("tag", "label"), ("tags",)),
        **dict.fromkeys(("audit", "log", "event"), ("audit_events", "changes_by_thing")),
        **dict.fromkeys(("history", "change"), ("changes_by_thing", "changes")),
        **dict.fromkeys(("script",), ("custom_scripts",)),
        **dict.fromkeys(("command",), ("device_commands",)),
        **dict.fromkeys(("note", "comment"), ("device_notes",)),
    }
)
"""What people call a table, one of it, by the tables they mean, the one that answers most questions first."""

GENERIC = frozenset(
    (
        *("app", "device", "user", "name", "mac", "iphone", "ipad", "version", "number", "id", "table", "column"),
        *("status", "count", "date", "time", "type", "value", "old", "new", "installed", "install", "last", "first"),
        *("kandji", "iru"),
    )
)
"""Words that stand in many names, so that they tell less than the others; no name of a thing is looked for by them."""


@dataclass(frozen=True)
class Term:
    """What people call something: ``words`` are phrases, ``columns`` what they mean by any of them."""

    words: tuple[str, ...]
    columns: tuple[str, ...]


TERMS = (
    Term(
        ("uptime", "up time", "last boot", "last restart", "last reboot", "reboot", "restarted"),
        ("fleet.uptime_days", "device_details.time_since_boot"),
    ),
    Term(("ram", "memory", "main memory"), ("fleet.memory_bytes", "device_details.memory", "device_details.total_ram")),
    Term(
        ("disk space", "free space", "free disk", "disk free", "storage free", "available storage", "disk full"),
        ("fleet.disk_free_bytes", "fleet.disk_free_percent", "device_volumes.available_bytes"),
    ),
    Term(
        ("disk", "disk size", "storage", "hard drive", "ssd", "capacity", "drive"),
        ("fleet.disk_total_bytes", "fleet.disk_free_bytes", "prism_device_information.device_capacity"),
    ),
    Term(("volume", "partition"), ("device_volumes.name", "device_volumes.total_bytes", "device_details.volumes")),
    Term(
        ("encryption", "encrypted", "disk encryption", "filevault", "file vault", "bitlocker"),
        (
            "fleet.filevault_on",
            "prism_filevault.status",
            "device_details.filevault_enabled",
            "device_details.is_encrypted",
        ),
    ),
    Term(
        ("recovery key", "filevault key", "escrow", "escrowed", "key escrow"),
        ("fleet.filevault_key_escrowed", "prism_filevault.key_escrowed", "device_details.filevault_prk_escrowed"),
    ),
    Term(
        ("os", "os version", "operating system", "macos version", "ios version", "macos", "system version"),
        ("devices.os_version", "fleet.os_version", "prism_device_information.display_os_version"),
    ),
    Term(
        (
            *("patch", "patched", "patch level", "up to date", "uptodate", "out of date", "outdated", "newest version"),
            *("behind", "behind on patches", "behind on updates", "os update", "macos update", "currency", "latest os"),
        ),
        ("os_currency.currency", "os_currency.days_behind", "os_currency.newest_version"),
    ),
    Term(
        ("days behind", "how long behind", "versions behind", "how far behind"),
        ("os_currency.days_behind", "os_currency.versions_behind"),
    ),
    Term(
        ("exploited", "exploited cve", "known exploited", "unfixed", "security fix", "fix lacked", "zero day"),
        ("os_currency.exploited_cves_lacked", "os_currency.exploited_lacked", "os_currency.fixes_lacked"),
    ),
    Term(
        ("due date", "kev due date", "cisa", "kev catalogue"),
        ("known_exploited_vulnerabilities.due_date", "known_exploited_vulnerabilities.cve_id"),
    ),
    Term(
        ("release", "os release", "release date", "macos release", "ios release"),
        ("os_releases.version", "os_releases.release_date"),
    ),
    Term(
        ("supported os", "end of life", "eol", "unsupported", "supported macos", "gets fixes"),
        ("os_currency.model_gets_fixes", "os_currency.major_gets_fixes"),
    ),
    Term(
        ("os build", "build number", "build"), ("devices.supplemental_build_version", "device_details.system_version")
    ),
    Term(
        ("owner", "assigned user", "assigned to", "belongs to", "user name", "user"),
        ("devices.user_name", "devices.user_email", "users.name"),
    ),
    Term(("email", "mail address", "e-mail"), ("devices.user_email", "users.email")),
    Term(
        ("last seen", "last contact", "last check in", "check in", "checkin", "last online", "online", "offline"),
        ("devices.last_check_in", "fleet.hours_since_check_in", "device_details.mdm_last_check_in"),
    ),
    Term(
        ("department", "dept", "division", "team of a person", "cost center of a person"),
        ("fleet.department", "users.department"),
    ),
    Term(("job title", "job", "position", "role", "title"), ("fleet.job_title", "users.job_title")),
    Term(
        ("left the company", "leaver", "archived", "offboarded", "former"),
        ("users.archived", "fleet.user_is_archived"),
    ),
    Term(("imei", "equipment number"), ("prism_cellular.imei_slot_1", "prism_cellular.imei_slot_2")),
    Term(("meid",), ("prism_cellular.meid",)),
    Term(
        ("phone number", "mobile number", "telephone", "telephone number", "cell number", "msisdn"),
        ("prism_cellular.phone_number_slot_1", "prism_cellular.phone_number_slot_2"),
    ),
    Term(("sim", "iccid", "sim card"), ("prism_cellular.iccid_slot_1", "prism_cellular.iccid_slot_2")),
    Term(("esim", "eid"), ("prism_cellular.eid_slot_1", "prism_cellular.eid_slot_2")),
    Term(
        ("carrier", "mobile network", "provider of a phone", "operator"),
        ("prism_cellular.current_carrier_network_slot_1", "prism_cellular.subscriber_carrier_network_slot_1"),
    ),
    Term(("roaming",), ("prism_cellular.is_roaming_slot_1", "prism_cellular.data_roaming_enabled")),
    Term(("hotspot", "tethering"), ("prism_cellular.personal_hotspot_enabled", "prism_device_information.hotspot")),
    Term(("mac address", "ethernet address", "hardware address", "wifi address"), ("device_details.mac_address",)),
    Term(("ip", "ip address", "network address"), ("device_details.ip_address", "device_details.public_ip")),
    Term(("public ip", "external ip", "wan address", "internet address"), ("device_details.public_ip",)),
    Term(
        ("hostname", "host name", "computer name", "bonjour"),
        ("prism_device_information.host_name", "device_details.local_hostname", "devices.device_name"),
    ),
    Term(("udid", "uuid of the hardware", "hardware uuid"), ("device_details.udid",)),
    Term(("serial", "serial number", "sn"), ("devices.serial_number",)),
    Term(("asset tag", "inventory number", "asset"), ("devices.asset_tag",)),
    Term(
        ("battery", "battery health", "battery condition"),
        ("fleet.battery_health", "prism_device_information.battery_health"),
    ),
    Term(
        ("processor", "cpu", "chip", "m1", "m2", "m3", "apple silicon", "intel", "architecture"),
        ("fleet.processor", "fleet.apple_silicon", "device_details.processor_architecture"),
    ),
    Term(("cores", "number of cores"), ("device_details.cores",)),
    Term(
        ("model", "hardware model", "kind of device", "desktop"),
        ("devices.model", "prism_device_information.model_name", "device_details.model_identifier"),
    ),
    Term(("laptop", "notebook", "portable", "macbook"), ("fleet.is_laptop", "devices.model")),
    Term(("number of apps", "app count"), ("fleet.app_count",)),
    Term(("open failures", "failures", "failed items"), ("fleet.failed_items", "device_library_items.status")),
    Term(("contradiction", "conflict"), ("contradictions.rule", "contradictions.why")),
    Term(("platform", "device type", "type of device"), ("devices.platform",)),
    Term(
        ("age", "age of a device", "hardware age", "how old", "enrolled", "enrolment", "enrollment", "enrollment date"),
        ("devices.first_enrollment", "devices.last_enrollment", "ade_devices.device_assigned_date"),
    ),
    Term(
        ("location", "gps", "position of a device", "latitude", "longitude", "find my"),
        ("lost_mode.latitude", "lost_mode.longitude", "lost_mode.last_location_at"),
    ),
    Term(("lost mode", "lost", "stolen"), ("devices.lost_mode_status", "lost_mode.lost_mode_status")),
    Term(("missing",), ("devices.is_missing",)),
    Term(("removed", "deleted", "retired"), ("devices.is_removed",)),
    Term(("supervised", "supervision"), ("fleet.supervised", "device_details.supervised")),
    Term(
        ("dep", "ade", "zero touch", "automated device enrollment", "apple business manager", "abm"),
        ("device_details.auto_enrolled", "ade_devices.serial_number", "ade_integrations.access_token_expiry"),
    ),
    Term(
        ("activation lock", "icloud lock"),
        ("fleet.activation_lock_on", "prism_activation_lock.user_activation_lock_enabled"),
    ),
    Term(
        ("recovery lock", "recovery password", "firmware password", "efi password"),
        ("device_details.recovery_lock_enabled", "device_details.firmware_password_exist"),
    ),
    Term(("passcode", "pin", "screen lock"), ("device_details.has_passcode", "device_parameters.name")),
    Term(("screensaver", "screen saver"), ("prism_desktop_and_screensaver.screensaver_interval",)),
    Term(("firewall",), ("fleet.firewall_on", "prism_application_firewall.status")),
    Term(("gatekeeper",), ("fleet.gatekeeper_on", "prism_gatekeeper_and_xprotect.gatekeeper_status")),
    Term(("xprotect", "antivirus", "anti virus", "virus definitions"), ("fleet.xprotect_version",)),
    Term(("sip", "system integrity protection"), ("fleet.sip_on", "prism_startup_settings.sip")),
    Term(("secure boot",), ("fleet.secure_boot_level",)),
    Term(("bootstrap token",), ("fleet.bootstrap_token_escrowed",)),
    Term(("remote desktop", "remote management", "screen sharing"), ("device_details.remote_desktop_enabled",)),
    Term(
        ("tcc", "pppc", "privacy permission", "full disk access", "screen recording", "camera access"),
        ("prism_transparency_database.service", "prism_transparency_database.status"),
    ),
    Term(("malware", "virus", "threat", "quarantine"), ("threats.threat_name", "threats.status")),
    Term(
        ("cve", "vulnerability", "security hole", "kev"), ("vulnerabilities.cve_id", "vulnerability_detections.cve_id")
    ),
    Term(("compliance", "compliant", "policy"), ("compliance.rule", "compliance.result", "device_parameters.status")),
    Term(
        ("failed install", "install status", "failing item", "library item", "item status"),
        ("device_library_items.status", "device_library_items.name"),
    ),
    Term(
        ("profile", "configuration profile", "mobileconfig", "mdm profile"),
        ("prism_installed_profiles.profile_display_name", "custom_profiles.name"),
    ),
    Term(("certificate", "cert", "certificate expiry", "ssl"), ("prism_certificates.common_name",)),
    Term(("script", "custom script"), ("custom_scripts.name", "custom_scripts.script")),
    Term(("app version", "version of an app", "software version"), ("apps.version", "apps.name")),
    Term(("bundle id", "bundle identifier", "app id"), ("apps.bundle_id",)),
    Term(("app store", "vpp", "where from"), ("apps.obtained_from", "apps.device_based_vpp")),
    Term(("app update", "update available", "outdated app"), ("apps.has_update_available", "apps.version")),
    Term(
        ("local account", "local user", "local admin", "administrator", "admin"),
        ("prism_local_users.username", "prism_local_users.type"),
    ),
    Term(
        ("logged in user", "last user", "console user", "login"),
        ("device_details.last_user", "prism_local_users.logged_in"),
    ),
    Term(("password age", "password change"), ("prism_local_users.password_last_set",)),
    Term(("tag", "group", "label"), ("devices.tags", "tags.name")),
    Term(("blueprint", "policy group"), ("devices.blueprint_name", "blueprints.name")),
    Term(("agent", "agent version"), ("devices.agent_version", "devices.agent_installed")),
    Term(
        ("command", "mdm command", "pending command"), ("device_commands.command_type", "device_commands.status_name")
    ),
    Term(("note", "comment", "remark"), ("device_notes.content",)),
    Term(("audit", "who changed", "admin activity", "actor"), ("audit_events.actor_id", "audit_events.action")),
    Term(
        ("history", "what changed", "change", "updated", "app updated", "added", "app added", "app removed"),
        ("changes_by_thing.changed_at", "changes_by_thing.what", "changes.old_value"),
    ),
    Term(
        ("license", "seat", "seats", "free seats", "plan", "subscription"),
        ("licensing.max_devices", "licensing.plan_type"),
    ),
    Term(
        ("launch agent", "launch daemon", "background item", "autostart", "startup item"),
        ("prism_launch_agents_and_daemons.label", "prism_launch_agents_and_daemons.path"),
    ),
    Term(("kext", "kernel extension"), ("prism_kernel_extensions.bundle_id",)),
    Term(
        ("system extension", "network extension"),
        ("prism_system_extensions.identifier", "prism_system_extensions.state"),
    ),
    Term(("freshness", "data age", "how fresh", "last sync", "synced"), ("freshness.synced_at",)),
)
