"""A small mirror with a thing of every kind, for the tests of searches and of answers without rows."""

# ruff: noqa: RUF001  # characters that look like others are what this is about

from typing import Any

from reads_home import device

CHROME = {"name": "Google Chrome", "bundle_id": "com.google.Chrome"}
ROWS: dict[str, list[dict[str, Any]]] = {
    "devices": [
        device(1, device_name="Quentin’s MacBook Air", user_id="u1", user_name="Quentin Müller", asset_tag="AT-0007"),
        device(2, device_name="Kiosk", user_name=None, serial_number="C02-XK1"),
        device(
            3, device_name="Field phone", platform="iPhone", user_id="u2", user_name="Zoë Lopez", tags=["Sales East"]
        ),
    ],
    "users": [
        {"id": "u1", "name": "Quentin Müller", "email": "q@example.org", "department": "Engineering", "archived": True},
        {"id": "u2", "name": "Zoë Lopez", "email": "zoe@example.org", "department": "Sales", "archived": False},
    ],
    "apps": [
        {"device_id": "d1", **CHROME, "version": "131.0.6778.86", "path": "/Applications/Google Chrome.app"},
        {"device_id": "d2", **CHROME, "version": "99.1", "path": "/Applications/Google Chrome.app"},
        {"device_id": "d2", **CHROME, "version": "99.1", "path": "/Users/a/Google Chrome.app"},
        {"device_id": "d1", "name": "Firefox", "bundle_id": "org.mozilla.firefox", "version": "133.0", "path": "/f"},
        {"device_id": "d1", "name": None, "bundle_id": "com.example.nameless", "version": None, "path": "/n"},
    ],
    "device_details": [
        {
            "device_id": "d1",
            "udid": "0000AAAA-1111-2222",
            "mac_address": "a4:83:e7:00:11:22",
            "ip_address": "10.1.2.3",
            "time_since_boot": "37 days ago",
        },
        {"device_id": "d2", "time_since_boot": "37 days ago", "local_hostname": "kiosk-7"},
    ],
    "prism_cellular": [
        {"device_id": "d3", "imei_slot_1": "35 912345 678901 2", "phone_number_slot_1": "+49 171 555 01 23"}
    ],
    "blueprints": [{"id": "b1", "name": "Engineering"}, {"id": "b2", "name": "Empty"}],
    "blueprint_library_items": [{"blueprint_id": "b1", "id": "i1", "name": "Wi-Fi Corporate"}],
    "device_library_items": [
        {"device_id": "d1", "item_id": "i1", "id": 1, "name": "Wi-Fi Corporate", "type": "profile", "status": "failed"}
    ],
    "tags": [{"id": "t1", "name": "Sales East"}],
    "prism_installed_profiles": [
        {"device_id": "d1", "profile_display_name": "Wi-Fi Corporate", "payload_identifier": "com.example.wifi"}
    ],
    "custom_profiles": [{"id": "p1", "name": "Dock layout", "mdm_identifier": "com.example.dock"}],
    "prism_certificates": [{"device_id": "d1", "common_name": "Acme Root CA", "ordinal": 1}],
    "vulnerabilities": [
        {"cve_id": "CVE-2024-44308", "severity": "High", "software": ["Safari"], "device_count": 4, "status": "Active"}
    ],
    "vulnerability_detections": [],
    "prism_device_information": [{"device_id": "d1", "battery_health": "Normal", "device_capacity": 494.0}],
}
