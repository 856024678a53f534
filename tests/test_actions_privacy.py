"""What live actions and their record tell of people: names test nothing, and files of the log are for their owner."""

import csv
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run
from live_tenant import Live, live
from mcp import Client
from mcp_calls import said
from test_mcp_actions import Human, connected

from kandji_mirror.audit.log import Actor, AuditLog
from kandji_schema.audit import Event


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Live]:
    with live(tmp_path) as served:
        yield served


@pytest.mark.slow
@pytest.mark.parametrize("privacy", ["agents", "on"])
def test_a_live_tool_answers_the_same_for_a_name_that_exists_one_that_does_not_and_several(
    tenant: Live, privacy: str
) -> None:
    macs = [d for d in tenant.tenant.world.devices.values() if d.platform == "Mac" and not d.removed][:3]
    phone = tenant.device("iPhone")
    macs[0].name, macs[1].name, macs[2].name = "Jane's Mac", "Twin", "Twin"
    names = ["Jane's Mac", "Nobody's Mac", "Twin", phone.name, "jane's mac", macs[0].serial[:-1]]
    human = Human()

    async def talk(client: Client) -> list[str]:
        asked = [{"device": name, "confirm": True} for name in names]
        found = [await client.call_tool(tool, call) for tool in ("lock_device", "restart_device") for call in asked]
        assert all(answer.is_error for answer in found)
        return [said(answer).replace("lock_device", "TOOL").replace("restart_device", "TOOL") for answer in found]

    assert len(set(connected(tenant, talk, human, mirror_privacy=privacy))) == 1
    assert (human.asked, tenant.writes()) == ([], [])

    async def by_number(client: Client) -> bool:
        return bool((await client.call_tool("restart_device", {"device": macs[0].serial, "confirm": True})).is_error)

    assert connected(tenant, by_number, human, mirror_privacy=privacy) is False
    assert "Jane" not in human.asked[0]


def test_files_of_the_audit_log_are_private_and_hold_no_formula(tmp_path: Path) -> None:
    texts = [
        "=HYPERLINK('x')",
        "+1",
        "-1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        " =1",
        "\u200b=1",
        "\uff1d1",
        "|calc",
        "plain",
        "a=b",
    ]
    log = AuditLog(tmp_path, Actor("ann", "host", "tests"))
    for text in texts:
        log.append(Event.INTENT, action="lock", reason=text, device_name=text)
    before = os.umask(0)
    try:
        for form in ("csv", "jsonl"):
            assert run(tmp_path, "audit", "export", "--format", form, "--to", form).returncode == 0
    finally:
        os.umask(before)
    for form in ("csv", "jsonl"):
        assert stat.S_IMODE((tmp_path / form).stat().st_mode) == 0o600
    with (tmp_path / "csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for text, row in zip(texts, rows, strict=True):
        expected = text if text in {"plain", "a=b"} else f"'{text}"
        assert (row["reason"], row["device_name"]) == (expected, expected)
    again = run(tmp_path, "audit", "export", "--format", "csv", "--to", "csv")
    assert again.returncode == 2  # never over a file that is there
