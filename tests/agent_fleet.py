"""The known fleet with everything the forty questions ask for: two states of it, a day apart, with history."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from known_fleet import APPS, BLUEPRINTS, DEVICES, FOX, ROBERT, USERS, app
from past_home import PastHome
from reads_home import NOW, Rows, device

READ = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
"""When the newest state left the tenant."""

EVE = {"user_id": "u5", "user_name": "Eve", "user_email": "eve@example.org"}
JANE = device(8, device_name="Jane’s MacBook", **EVE)  # noqa: RUF001  # the apostrophe Apple puts into names

FLEET: Rows = [*DEVICES, JANE]


def _of(device_id: str, **facts: Any) -> dict[str, Any]:
    return {"device_id": device_id, "last_collected_at": NOW, **facts}


NEWEST: dict[str, Rows] = {
    "devices": FLEET,
    "users": USERS,
    "blueprints": BLUEPRINTS,
    "apps": [
        *APPS,
        app("d1", "Google Chrome", "129.0.6668", bundle_id="com.google.Chrome"),
        app("d2", "Google Chrome", "130.0.6723", bundle_id="com.google.Chrome"),
        app("d8", "zoom.us", "6.2", bundle_id="us.zoom.xos"),
        app("d1", "Falcon", "7.1", bundle_id="com.crowdstrike.falcon.App"),
    ],
    "prism_filevault": [
        _of("d1", status=True, key_escrowed=True),
        _of("d2", status=True, key_escrowed=False),
        _of("d3", status=False, key_escrowed=False),
        _of("d8", status=True, key_escrowed=True),
    ],
    "prism_activation_lock": [
        _of("d1", device_activation_lock_enabled=True, user_activation_lock_enabled=False),
        _of("d6", device_activation_lock_enabled=False, user_activation_lock_enabled=True),
    ],
    "prism_application_firewall": [_of("d1", status=True), _of("d2", status=False)],
    "prism_gatekeeper_and_xprotect": [_of("d1", gatekeeper_status=True), _of("d2", gatekeeper_status=True)],
    "prism_startup_settings": [_of("d1", sip=True), _of("d2", sip=True), _of("d3", sip=False)],
    "prism_local_users": [
        _of("d1", username="ann", full_name="Ann Lee", type="Administrator", uid=501, hidden_user=False),
        _of("d2", username="guest", type="Standard", uid=502, hidden_user=False),
    ],
    "prism_certificates": [_of("d1", common_name="VPN", ordinal=0)],
    "prism_installed_profiles": [
        _of("d1", profile_display_name="Wi-Fi Corporate", payload_identifier="wifi", managed=True)
    ],
    "prism_system_extensions": [_of("d1", identifier="com.crowdstrike.falcon.Agent", state="activated_enabled")],
    "prism_kernel_extensions": [],
    "prism_device_information": [_of("d1", marketing_name="Sequoia")],
    "device_details": [
        {"device_id": "d6", "supervised": False},
        {"device_id": "d5", "supervised": True},
        {"device_id": "d2", "total_capacity": "100", "available_capacity": "5"},
    ],
    "device_library_items": [
        {"device_id": "d1", "item_id": "i1", "name": "Slack", "type": "app", "status": "ERROR", "log": "no space"},
        {"device_id": "d2", "item_id": "i2", "name": "Zoom", "type": "app", "status": "PENDING"},
    ],
    "device_parameters": [
        {"device_id": "d1", "item_id": "p1", "name": "Disable Guest", "category": "c", "status": "ERROR"}
    ],
    "audit_events": [
        {
            "id": "1",
            "occurred_at": NOW - timedelta(hours=3),
            "action": "update",
            "target_type": "device",
            "target_id": "d1",
            "actor_id": "u1",
        }
    ],
    "vulnerabilities": [{"cve_id": "CVE-2024-1", "severity": "Critical", "cvss_score": 9.8, "device_count": 1}],
    "vulnerability_detections": [
        {"device_id": "d3", "cve_id": "CVE-2024-1", "cvss_severity": "Critical", "cvss_score": 9.8, "name": "Edge"}
    ],
    "threats": [{"device_id": "d3", "threat_name": "A", "classification": "MALWARE", "detection_date": NOW}],
    "licensing": [{"plan_type": "single_limit", "max_devices": 10, "computers_count": 7}],
}

BEFORE = [
    device(1, **{**DEVICES[0], "user_email": "old@example.org", "user_id": "u0", "os_version": "14.0"}),
    *DEVICES[1:],
    device(9, device_name="Gone Mac"),
]
"""The devices a day before: one belonged to someone else, one is gone since, one was not there."""


def agent_fleet(home: Path) -> None:
    """Write both states."""
    past = PastHome(home)
    past.add(
        READ - timedelta(days=1),
        devices=BEFORE,
        prism_filevault=[_of("d1", status=False, key_escrowed=False), *NEWEST["prism_filevault"][1:3]],
        apps=NEWEST["apps"],
    )
    past.add(READ, **NEWEST)


__all__ = ["FLEET", "FOX", "READ", "ROBERT", "agent_fleet"]
