"""What the provider's API does not give at all, so that nobody looks for it in the mirror.

Each entry was checked against the provider's contract and the declared tables. What is given only in part is here too,
with the part that is there.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class NotMirrored:
    """A thing that is in no table: the phrases people ask for it with, a sentence, and the nearest columns."""

    words: tuple[str, ...]
    says: str
    nearest: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Say so in words, with what comes nearest."""
        near = f" Nearest: {', '.join(self.nearest)}." if self.nearest else ""
        return f"Not in the mirror: {self.says}.{near}"


NOT_MIRRORED = (
    NotMirrored(
        ("warranty", "applecare", "apple care", "guarantee", "repair", "service contract"),
        "the provider's API gives no warranty, AppleCare or repairs",
        ("ade_devices.device_assigned_date", "devices.first_enrollment"),
    ),
    NotMirrored(
        (
            *("price", "cost", "purchase", "purchased", "purchase date", "bought", "invoice", "order number"),
            *("supplier", "reseller", "lease", "depreciation", "cost center", "cost centre", "buying date"),
        ),
        "the provider's API gives no price, purchase, order, supplier or lease",
        ("ade_devices.device_assigned_date", "devices.first_enrollment"),
    ),
    NotMirrored(
        (
            *("location", "location history", "gps", "where is it", "tracking", "movement", "geofence", "whereabouts"),
            *("latitude", "longitude", "find my"),
        ),
        "the provider's API gives no history of places; one last place, only of an iPhone or iPad in lost mode",
        ("lost_mode.latitude", "lost_mode.longitude", "lost_mode.last_location_at"),
    ),
    NotMirrored(
        (
            *("battery cycle", "cycle count", "charge cycle", "battery cycle count", "battery level"),
            *("battery percent", "battery percentage", "battery charge", "charging", "battery capacity"),
        ),
        "the provider's API gives no charge cycles and no level of a battery, only its health",
        ("prism_device_information.battery_health",),
    ),
    NotMirrored(
        (
            *("ssid", "wifi", "wifi network", "wireless network", "wlan", "access point", "connected network"),
            *("wifi name", "signal strength", "bluetooth", "bluetooth device"),
        ),
        "the provider's API does not tell which wireless network or Bluetooth device one is connected to",
        ("device_details.ip_address", "device_details.public_ip"),
    ),
    NotMirrored(
        (
            *("last opened", "app usage", "software usage", "screen time", "time spent", "launch count"),
            *("unused app", "last used app", "usage time"),
        ),
        "the provider's API tells which apps are installed, not whether or how long they are used; the query "
        "unused_apps takes a date of last use where it is sent undocumented",
        ("apps.name", "apps.version"),
    ),
    NotMirrored(
        (
            *("license expiry", "license expiration", "licence expiry", "license renewal", "renewal date"),
            *("subscription end", "contract end"),
        ),
        "the provider's API gives no date on which licences expire, only how many there are and are used",
        ("licensing.max_devices", "licensing.computers_count"),
    ),
    NotMirrored(
        (
            *("browser history", "browsing", "website visited", "visited website", "web history", "bookmark"),
            *("browser extension", "chrome extension", "safari extension", "download history"),
        ),
        "the provider's API gives nothing of what is done or kept in a browser",
    ),
    NotMirrored(
        (
            *("sms", "text message", "imessage", "phone call", "call log", "mail content", "photo", "personal file"),
            *("file content", "keystroke", "screenshot"),
        ),
        "the provider's API gives no personal content: messages, calls, photos, files",
    ),
    NotMirrored(
        (
            *("filevault recovery key", "recovery key", "unlock pin", "bypass code", "recovery password", "secret"),
            *("recovery lock password", "firmware password", "password"),
        ),
        "secrets themselves are never read, only whether they are set or escrowed; an administrator asks for one live",
        ("device_details.filevault_prk_escrowed", "device_details.recovery_lock_enabled"),
    ),
    NotMirrored(
        (
            *("cpu usage", "cpu load", "performance", "memory usage", "ram usage", "running process", "process list"),
            *("temperature", "fan", "crash", "crash log", "log file", "system log"),
        ),
        "the provider's API gives no load, running processes, temperatures, crashes or logs of a device",
        ("device_details.processor_name", "device_details.memory"),
    ),
    NotMirrored(
        ("printer", "monitor", "external display", "screen resolution", "peripheral", "usb", "usb device", "webcam"),
        "the provider's API gives no printers, displays or other things that are attached",
    ),
    NotMirrored(
        ("apple id", "appleid", "icloud account", "itunes account", "app store account", "managed apple id"),
        "the provider's API does not tell which Apple ID or iCloud account is signed in",
        ("prism_activation_lock.user_activation_lock_enabled",),
    ),
    NotMirrored(
        (
            *("line manager", "manager of a person", "reports to", "office location", "employee id"),
            *("employee number", "hire date", "directory group", "group membership", "salary", "home address"),
        ),
        "of people the provider's API gives name, address, department and job title: no manager, office or groups",
        ("users.department", "users.job_title"),
    ),
    NotMirrored(
        ("mfa", "two factor", "2fa", "password expiry", "sign in log", "login history", "sso"),
        "the provider's API gives no sign-ins, second factors or expiry of passwords",
        ("prism_local_users.logged_in_time", "prism_local_users.password_last_set"),
    ),
    NotMirrored(
        ("console admin", "kandji admin", "iru admin", "kandji user", "admin role", "api token"),
        "the provider's API lists no administrators and no API tokens of the tenant; the audit names who acted",
        ("audit_events.actor_id",),
    ),
    NotMirrored(("backup", "time machine", "icloud backup"), "the provider's API gives no backups"),
    NotMirrored(
        ("data usage", "mobile data usage", "traffic", "bandwidth", "vpn connection", "dns server", "gateway", "vlan"),
        "the provider's API gives no traffic, VPN connections or settings of the network",
        ("device_details.ip_address", "prism_cellular.is_roaming_slot_1"),
    ),
    NotMirrored(
        ("certificate expiry", "certificate expiration", "expiring certificate", "certificate serial number"),
        "the provider documents names of certificates, no dates or numbers; the query expiring_certificates takes what "
        "it sends undocumented",
        ("prism_certificates.common_name", "ade_integrations.access_token_expiry"),
    ),
    NotMirrored(
        ("homebrew", "brew package", "npm package", "pip package", "python version", "package manager"),
        "the provider's API lists apps, not packages or tools of the command line",
        ("apps.name",),
    ),
)
"""All of it."""
