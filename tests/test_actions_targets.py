"""An action is done to exactly one device, there at this moment, of a kind it is for; else nothing is sent."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from action_tenant import (
    MAC,
    PHONE,
    TWIN,
    ActionTenant,
    confirmed,
    events,
    log_at,
    preview_of,
    row,
    said,
    service_at,
)
from reads_home import device, publish
from support import client_of

from kandji_mirror.sync.devices import find_device
from kandji_schema.errors import TargetRefused, Unreachable
from kandji_schema.http import Request, Response

OTHER = str(UUID(int=4))


def mirror(home: Path, *rows: dict[str, Any]) -> None:
    publish(home, {"devices": list(rows)})


@pytest.mark.parametrize("reference", [MAC, MAC.upper(), "C02JANE", " c02jane ", "Jane's Mac"])
@pytest.mark.parametrize("mirrored", [True, False])
def test_a_device_is_found_by_identifier_serial_number_and_exact_name(
    tmp_path: Path, reference: str, mirrored: bool
) -> None:
    if mirrored:
        mirror(tmp_path, device(1, device_id=MAC, device_name="Jane's Mac", serial_number="C02JANE"))
    tenant = ActionTenant()
    preview = preview_of(service_at(tmp_path, tenant), "restart", reference)
    assert preview.target.id == MAC
    assert preview.target.proof == "C02JANE"
    assert tenant.sent == []


@pytest.mark.parametrize(
    "reference", ["C02", "jane's mac", "Jane", "nobody", "", "   ", "x" * 300, str(UUID(int=44)), "\udcff"]
)
def test_what_is_no_device_exactly_is_refused(tmp_path: Path, reference: str) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    with pytest.raises(TargetRefused):
        preview_of(service, "restart", reference)
    assert tenant.sent == []
    assert [event for event, *_ in events(tmp_path)] == ["refused"]


@pytest.mark.parametrize(
    "reference",
    [
        f"../devices/{MAC}/secrets/filevaultkey",
        f"{MAC}/action/erase",
        f"{MAC}%2Faction%2Ferase",
        f"{MAC}%252Faction",
        "..",
        "a\\b",
        "a\x00b",
        "a\nb",
        f"https://acme.api.kandji.io/api/v1/devices/{MAC}",
    ],
)
def test_what_looks_like_a_path_is_never_asked_for(tmp_path: Path, reference: str) -> None:
    tenant, asked = ActionTenant(), []

    def send(request: Request) -> Response:
        asked.append(request)
        return tenant.send(request)

    service = service_at(tmp_path, tenant, send=send)
    with pytest.raises(TargetRefused):
        preview_of(service, "erase", reference)
    assert asked == []
    assert [event for event, *_ in events(tmp_path)] == ["refused"]


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_name_of_two_devices_means_none(tmp_path: Path, mirrored: bool) -> None:
    tenant = ActionTenant()
    tenant.devices[TWIN]["device_name"] = "Jane's Mac"
    if mirrored:  # the mirror knows one of them only
        mirror(tmp_path, device(1, device_id=MAC, device_name="Jane's Mac", serial_number="C02JANE"))
    with pytest.raises(TargetRefused, match="means 2 devices"):
        preview_of(service_at(tmp_path, tenant), "erase", "Jane's Mac")


@pytest.mark.parametrize("number", ["35 912345 678901 2", "a4:83:e7:00:11:22", "+49 171 555 01 23"])
def test_of_a_number_that_is_not_taken_is_said_where_its_device_is_found(tmp_path: Path, number: str) -> None:
    with pytest.raises(TargetRefused, match=r"not taken here: `search` tells whose it is, .* Nothing was sent\.$"):
        preview_of(service_at(tmp_path, ActionTenant()), "erase", number)


@pytest.mark.parametrize(
    "facts", [{"device_name": "C02JANE"}, {"serial_number": "C02JANE"}], ids=["named like it", "enrolled twice"]
)
@pytest.mark.parametrize("mirrored", [True, False])
def test_a_serial_number_that_could_mean_two_devices_means_none(
    tmp_path: Path, mirrored: bool, facts: dict[str, str]
) -> None:
    tenant = ActionTenant()
    tenant.devices[TWIN] |= facts
    if mirrored:
        mirror(tmp_path, device(1, device_id=MAC, device_name="Jane's Mac", serial_number="C02JANE"))
    with pytest.raises(TargetRefused, match="means 2 devices"):
        preview_of(service_at(tmp_path, tenant), "erase", "C02JANE")


def test_an_exact_name_is_found_behind_a_page_of_longer_ones(tmp_path: Path) -> None:
    tenant = ActionTenant()
    longer = {str(UUID(int=n)): row(str(UUID(int=n)), f"Lab {n}", f"S{n}") for n in range(1000, 1400)}
    tenant.devices = {**longer, **tenant.devices}
    assert preview_of(service_at(tmp_path, tenant), "restart", "Lab").target.id == TWIN


def test_a_sync_of_one_device_looks_behind_that_page_too(tmp_path: Path) -> None:
    tenant = ActionTenant()
    longer = {str(UUID(int=n)): row(str(UUID(int=n)), f"Lab {n}", f"S{n}") for n in range(1000, 1400)}
    tenant.devices = {**longer, **tenant.devices}
    assert find_device(tmp_path, client_of(tenant.send), "Lab") == TWIN


def test_of_a_serial_number_enrolled_twice_the_record_that_was_removed_does_not_count(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.devices[OTHER] = row(OTHER, "Jane's Mac", "C02JANE", is_removed=True)
    assert preview_of(service_at(tmp_path, tenant), "restart", "C02JANE").target.id == MAC


def test_a_mirror_that_is_behind_is_not_believed(tmp_path: Path) -> None:
    mirror(tmp_path, device(1, device_id=TWIN, device_name="Old", serial_number="C02OLD"))
    tenant = ActionTenant()
    with pytest.raises(TargetRefused, match="out of date"):
        preview_of(service_at(tmp_path, tenant), "erase", "C02OLD")
    mirror_of_gone = device(1, device_id=OTHER, device_name="Gone", serial_number="C02GONE")
    publish(tmp_path, {"devices": [mirror_of_gone]}, generation=2)
    with pytest.raises(TargetRefused, match="removed"):
        preview_of(service_at(tmp_path, tenant), "erase", "C02GONE")
    assert tenant.sent == []


def test_a_removed_device_gets_nothing(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.devices[MAC]["is_removed"] = True
    with pytest.raises(TargetRefused, match="removed"):
        preview_of(service_at(tmp_path, tenant), "lock", MAC)


@pytest.mark.parametrize(
    ("name", "target"),
    [("enablelostmode", MAC), ("clearpasscode", MAC), ("remotedesktop", PHONE), ("filevaultkey", PHONE)],
)
def test_the_wrong_platform_is_refused(tmp_path: Path, name: str, target: str) -> None:
    service = service_at(tmp_path, ActionTenant())
    given = {"enable_remote_desktop": True} if name == "remotedesktop" else {}
    with pytest.raises(TargetRefused, match="is for"):
        preview_of(service, name, target, **given)
    assert events(tmp_path)[-1][:2] == ("refused", name)


def test_an_argument_of_another_platform_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TargetRefused, match="pin is for Mac"):
        preview_of(service_at(tmp_path, ActionTenant()), "erase", PHONE, pin="123456")


def test_a_preview_names_everything_and_sends_nothing(tmp_path: Path) -> None:
    tenant = ActionTenant()
    preview = preview_of(service_at(tmp_path, tenant), "erase", MAC, "stolen", pin="123456")
    text = "\n".join(preview.lines())
    for part in (f"POST /api/v1/devices/{MAC}/action/erase", "Jane's Mac", "C02JANE", "EVERYTHING", "stolen", '"***"'):
        assert part in text
    assert "123456" not in text
    assert tenant.sent == []


def test_a_preview_without_names_has_none(tmp_path: Path) -> None:
    text = "\n".join(
        preview_of(service_at(tmp_path, ActionTenant()), "lock", MAC, message="Hi Jane").lines(named=False)
    )
    assert "Jane" not in text + "jane@"
    assert "C02JANE" in text


@pytest.mark.parametrize(("version", "warned"), [("11.4.1", True), ("", True), ("11.5", False), ("15.1", False)])
def test_locking_an_older_mac_says_what_that_may_do(tmp_path: Path, version: str, warned: bool) -> None:
    tenant = ActionTenant()
    tenant.devices[MAC]["os_version"] = version
    preview = preview_of(service_at(tmp_path, tenant), "lock")
    assert ("DEACTIVATES" in "\n".join(preview.lines())) is warned
    assert preview.destroys is warned


def test_a_name_full_of_tricks_is_shown_harmlessly(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.devices[MAC]["device_name"] = "Robert'); DROP TABLE devices;--\x1b[2J\u202e\n"
    assert preview_of(service_at(tmp_path, tenant), "restart", MAC).target.words().isprintable()
    with pytest.raises(TargetRefused):
        preview_of(service_at(tmp_path, tenant), "restart", "Robert'); DROP TABLE devices;--")


def test_a_tag_is_found_by_exact_name_or_identifier(tmp_path: Path) -> None:
    service = service_at(tmp_path, ActionTenant())
    assert preview_of(service, "deletetag", "lab").path == f"/api/v1/tags/{UUID(int=5)}"
    assert preview_of(service, "deletetag", str(UUID(int=5))).target.proof == "lab"
    with pytest.raises(TargetRefused):
        preview_of(service, "deletetag", "la")


def test_a_row_that_is_not_the_one_asked_for_is_refused(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.devices[MAC]["device_id"] = TWIN
    with pytest.raises(Exception, match="was asked for"):
        preview_of(service_at(tmp_path, tenant), "erase", MAC)


def test_offline_is_told_and_recorded(tmp_path: Path) -> None:
    def offline(_: Request) -> Response:
        raise Unreachable("no connection", sent=False)

    tenant = ActionTenant()
    service = service_at(tmp_path, tenant, send=offline)
    with pytest.raises(Unreachable):
        preview_of(service, "restart", MAC)
    assert [event for event, *_ in events(tmp_path)] == ["refused"]


def test_nothing_personal_gets_into_the_log_where_that_is_not_wanted(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant, hides_personal=True)
    tenant.instead.append(said({"detail": "Jane's Mac says: Hi Jane"}, 400))
    preview = preview_of(service, "lock", "Jane's Mac", message="Hi Jane")
    service.perform(preview, confirmed(service, preview, "C02JANE"))
    with pytest.raises(TargetRefused):
        preview_of(service, "lock", "Jane's other Mac")
    assert b"Jane" not in (tmp_path / "audit.sqlite").read_bytes()
    assert {r["serial_number"] for r in log_at(tmp_path).records()} == {"C02JANE", None}
