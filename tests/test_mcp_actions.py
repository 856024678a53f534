"""Live actions over MCP: absent unless switched on, a human's yes before anything is sent, one request after it."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from live_tenant import Live, live
from mcp import Client, MCPError
from mcp.types import CallToolResult, ElicitResult, InputRequiredResult, InputResponses
from mcp_calls import Era, said

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.server import TOOLS, build_server
from kandji_schema.actions import actions
from kandji_simulator import Fault, FaultKind

ERAS: tuple[Era, ...] = ("auto", "legacy")


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Live]:
    with live(tmp_path) as served:
        yield served


@dataclass
class Human:
    """Answers every question the same way, and remembers them."""

    action: str = "accept"
    content: Mapping[str, Any] | None = field(default_factory=lambda: {"confirm": True})
    asked: list[str] = field(default_factory=list)

    async def answer(self, _: object, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(action=self.action, content=dict(self.content) if self.content else None)  # type: ignore[arg-type]  # one of the three words


def call(tenant: Live, tool: str, human: Human | None = None, era: Era = "auto", /, **arguments: Any) -> CallToolResult:
    async def talk(client: Client) -> CallToolResult:
        return await client.call_tool(tool, arguments)

    found = connected(tenant, talk, human, era)
    assert isinstance(found, CallToolResult)
    return found


def connected(
    tenant: Live,
    talk: Callable[[Client], Awaitable[Any]],
    human: Human | None = None,
    era: Era = "auto",
    **settings: Any,
) -> Any:
    async def run() -> Any:
        server = build_server(ServerContext(tenant.settings(**settings)))
        callback: Any = human.answer if human else None
        async with Client(server, mode=era, elicitation_callback=callback) as client:
            return await talk(client)

    return anyio.run(run)


def names(tenant: Live, **settings: Any) -> list[str]:
    async def talk(client: Client) -> list[str]:
        return [tool.name for tool in (await client.list_tools()).tools]

    return list(connected(tenant, talk, **settings))


def test_without_the_setting_no_action_exists(tenant: Live) -> None:
    assert names(tenant, mirror_actions="off") == [spec.function.__name__ for spec in TOOLS]
    assert {a.tool for a in actions().values()} < set(names(tenant))


@pytest.mark.parametrize("privacy", ["agents", "on"])
def test_in_privacy_mode_no_secret_can_be_asked_for(tenant: Live, privacy: str) -> None:
    there = names(tenant, mirror_privacy=privacy)
    assert "lock_device" in there
    assert not {a.tool for a in actions().values() if a.secret} & set(there)


def test_the_list_of_tools_tells_what_is_dangerous(tenant: Live) -> None:
    async def talk(client: Client) -> Any:
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in connected(tenant, talk)}
    for record in actions().values():
        hints = tools[record.tool].annotations
        assert hints.read_only_hint == (record.method == "GET" and not record.secret)
        assert hints.destructive_hint or not record.secret
        assert hints.open_world_hint
        assert "confirm" in tools[record.tool].input_schema["properties"] or record.name == "notes"
    assert tools["erase_device"].annotations.destructive_hint
    assert not tools["send_blank_push"].annotations.destructive_hint
    sizes = [len(tools[record.tool].model_dump_json(exclude_none=True)) for record in actions().values()]
    assert sum(sizes) < 40_000
    words = tools["erase_device"].input_schema["properties"]["confirm"]["description"]
    assert "by a question in this client" in words


@pytest.mark.parametrize("era", ERAS)
def test_a_confirmed_lock_is_sent_once_and_shows_its_pin(tenant: Live, era: Era) -> None:
    device, human = tenant.device(), Human()
    found = call(
        tenant, "lock_device", human, era, device=device.serial, message="Call IT", reason="lost", confirm=True
    )
    assert not found.is_error, said(found)
    document = json.loads(said(found))
    assert document["outcome"] == "queued"
    pin = document["secrets"]["unlock_pin"]
    assert len(pin) == 6
    assert [(r.method, r.path) for r in tenant.writes()] == [("POST", f"/api/v1/devices/{device.id}/action/lock")]
    (question,) = human.asked
    for part in (device.serial, "Call IT", "Lock a device", "lost"):
        assert part in question
    assert tenant.events() == [("intent", "lock"), ("outcome", "lock")]
    assert tenant.records()[0]["confirmed_by"] == "elicitation"
    assert "(MCP)" in tenant.records()[0]["client"]
    assert pin.encode() not in tenant.files()


@pytest.mark.heavy
@pytest.mark.parametrize("era", ERAS)
def test_a_no_sends_nothing_and_is_recorded(tenant: Live, era: Era) -> None:
    asked, human = {"device": tenant.device().serial, "confirm": True}, Human()

    async def talk(client: Client) -> None:
        noes = [("decline", None), ("cancel", None), *(("accept", {"confirm": no}) for no in (False, "true", 1))]
        for human.action, human.content in [*noes, ("accept", None)]:
            found = await client.call_tool("erase_device", asked)
            assert found.is_error
            assert "Nothing was sent" in said(found)

    connected(tenant, talk, human, era)
    assert tenant.writes() == []
    assert tenant.events() == [*[("declined", "erase")] * 5, ("refused", "erase")]


def test_a_yes_that_is_sent_again_does_nothing_again(tenant: Live) -> None:
    asked = {"device": tenant.device().serial, "confirm": True}

    async def talk(client: Client) -> None:
        session = client.session
        question = await session.call_tool("erase_device", asked, allow_input_required=True)
        assert isinstance(question, InputRequiredResult)
        answers: InputResponses = {
            key: ElicitResult(action="accept", content={"confirm": True}) for key in question.input_requests or {}
        }
        state = question.request_state
        await session.call_tool("erase_device", asked, input_responses=answers, request_state=state)
        with pytest.raises(MCPError, match="requestState"):
            await session.call_tool("erase_device", asked, input_responses=answers, request_state=state)

    connected(tenant, talk, Human())
    assert len(tenant.writes()) == 1
    assert tenant.events() == [("intent", "erase"), ("outcome", "erase"), ("refused", "confirm")]


def test_a_wrong_pin_is_not_repeated(tenant: Live) -> None:
    asked = {"device": tenant.device().serial, "confirm": True}
    pins = (778899, ["778899"], "778899x")

    async def talk(client: Client) -> list[CallToolResult]:
        return [await client.call_tool("erase_device", {**asked, "pin": pin}) for pin in pins]

    for found in connected(tenant, talk, Human()):
        assert found.is_error
        assert "778899" not in said(found)
    assert tenant.events() == [("refused", "erase")] * len(pins)
    assert b"778899" not in tenant.files()


def refused(tenant: Live, *wrong: Mapping[str, Any]) -> None:
    """Every one of these erases is refused before anybody is asked, and recorded."""
    serial = tenant.device().serial

    async def talk(client: Client) -> list[CallToolResult]:
        return [await client.call_tool("erase_device", {"device": serial, **arguments}) for arguments in wrong]

    human = Human()
    for arguments, found in zip(wrong, connected(tenant, talk, human), strict=True):
        assert found.is_error, arguments
    assert (tenant.writes(), human.asked) == ([], [])
    assert tenant.events() == [("refused", "erase")] * len(wrong)


def test_only_true_is_true(tenant: Live) -> None:
    wrong: list[object] = ["false", "true", "yes", 0, 1, False, None, [], {"confirm": True}]
    refused(tenant, *({"confirm": value} for value in wrong))


def test_a_call_that_is_wrong_is_refused_and_recorded(tenant: Live) -> None:
    refused(
        tenant,
        {},
        {"confirm": True, "pin": "12"},
        {"confirm": True, "pin": 123456},
        {"confirm": True, "answer": {"confirm": True}},
        {"confirm": True, "preview": {}},
        {"confirm": True, "yes": True},
        {"confirm": True, "token": "x", "serial_number": "y"},
        {"confirm": True, "reason": "a\x00b"},
        {"confirm": True, "reason": "x" * 10_000},
        {"confirm": True, "device": "../devices/x/secrets/filevaultkey"},
        {"confirm": True, "device": "%2e%2e%2fdevices"},
        {"confirm": True, "device": "nobody"},
    )


@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_cannot_ask_gets_a_command_for_a_terminal(tenant: Live, era: Era) -> None:
    found = call(tenant, "lock_device", None, era, device=tenant.device().serial, confirm=True)
    assert not found.is_error, said(found)
    document = json.loads(said(found))
    assert document["sent"] is False
    assert "kandji-mirror action confirm " in document["detail"]
    assert any(tenant.device().serial in line for line in document["preview"])
    assert tenant.writes() == []
    assert tenant.events() == [("offered", "lock")]


def test_an_agent_confirms_by_itself_only_where_that_is_allowed(tenant: Live) -> None:
    device = tenant.device()
    asked = {"device": device.serial, "confirm": True}

    async def talk(client: Client) -> list[CallToolResult]:
        first = await client.call_tool("restart_device", asked)
        token = json.loads(said(first))["detail"].split("token='")[1].split("'")[0]
        proof = {"token": token, "serial_number": device.serial}
        return [
            await client.call_tool("restart_device", {**asked, **proof, "serial_number": "another"}),
            await client.call_tool("shutdown_device", {**asked, **proof, "token": token[::-1]}),
            await client.call_tool("restart_device", {**asked, **proof}),
            await client.call_tool("restart_device", {**asked, **proof}),
        ]

    ends = [found.is_error for found in connected(tenant, talk, mirror_confirm="agent")]
    assert ends == [True, True, False, True]
    assert [r.path for r in tenant.writes()] == [f"/api/v1/devices/{device.id}/action/restart"]
    assert tenant.records()[-2]["confirmed_by"] is None
    assert [event for event, _ in tenant.events()] == ["offered", "refused", "refused", "intent", "outcome", "refused"]


LOST = (FaultKind.RESET, FaultKind.HANGING, FaultKind.EXECUTED_SERVER_ERROR, FaultKind.EXECUTED_HTML_PAGE)


@pytest.mark.parametrize("kind", LOST)
def test_an_answer_that_is_lost_is_looked_up_and_told(tenant: Live, kind: FaultKind) -> None:
    tenant.tenant.faults.append(Fault("/action/restart", kind, times=9, seconds=0.1))
    found = call(tenant, "restart_device", Human(), "auto", device=tenant.device().serial, confirm=True)
    assert not found.is_error, said(found)
    document = json.loads(said(found))
    assert document["outcome"] == "unknown"
    assert "RestartDevice" in document["found"]
    assert len(tenant.writes()) == 1


def test_an_answer_that_is_lost_before_it_was_carried_out_is_an_error_to_the_model(tenant: Live) -> None:
    tenant.tenant.faults.append(Fault("/action/restart", FaultKind.UNHEARD_RESET, times=9))
    found = call(tenant, "restart_device", Human(), "auto", device=tenant.device().serial, confirm=True)
    assert found.is_error
    assert "no such command" in said(found)
    assert len(tenant.writes()) == 1


def test_a_redirect_is_not_followed(tenant: Live) -> None:
    tenant.tenant.faults.append(Fault("/action/restart", FaultKind.TEMPORARY_REDIRECT_NEARBY, times=9))
    found = call(tenant, "restart_device", Human(), "auto", device=tenant.device().serial, confirm=True)
    assert found.is_error
    assert len(tenant.writes()) == 1


def test_a_token_without_the_permission_is_told(tenant: Live) -> None:
    device = tenant.device()
    tenant.tenant.forbid(f"/api/v1/devices/{device.id}/action")
    found = call(tenant, "lock_device", Human(), "auto", device=device.serial, confirm=True)
    assert found.is_error
    assert "permission" in said(found)
    assert tenant.records()[-1]["outcome"] == "rejected"


def test_a_secret_needs_a_reason_and_a_human(tenant: Live) -> None:
    device = tenant.device()
    assert call(tenant, "get_filevault_key", Human(), "auto", device=device.serial, confirm=True).is_error
    assert tenant.writes() == []
    human = Human()
    found = call(tenant, "get_filevault_key", human, "auto", device=device.serial, reason="ticket", confirm=True)
    assert not found.is_error, said(found)
    secrets = json.loads(said(found)).get("secrets", {})
    assert set(secrets) <= {"filevault_key"}
    assert len(human.asked) == 1
    assert [r.path for r in tenant.writes()] == [f"/api/v1/devices/{device.id}/secrets/filevaultkey"]
    for value in filter(None, secrets.values()):
        assert value.encode() not in tenant.files()


@pytest.mark.parametrize("privacy", ["agents", "on"])
def test_in_privacy_mode_a_pin_is_not_told_to_the_client(tenant: Live, privacy: str) -> None:
    device = tenant.device()

    async def talk(client: Client) -> CallToolResult:
        return await client.call_tool("lock_device", {"device": device.serial, "confirm": True})

    human = Human()
    found = connected(tenant, talk, human, mirror_privacy=privacy)
    assert not found.is_error, said(found)
    assert "secrets" not in json.loads(said(found))
    assert "unlockpin" in said(found)
    assert device.name not in human.asked[0] + said(found)

    async def wrong(client: Client) -> CallToolResult:
        return await client.call_tool("clear_passcode", {"device": device.serial, "confirm": True})

    refusal = connected(tenant, wrong, human, mirror_privacy=privacy)
    assert refusal.is_error
    assert device.name not in said(refusal)


def test_notes_are_read_without_a_question(tenant: Live) -> None:
    found = call(tenant, "list_device_notes", None, "auto", device=tenant.device().serial)
    assert not found.is_error, said(found)
    assert tenant.events() == [("intent", "notes"), ("outcome", "notes")]


@pytest.mark.slow
def test_a_lost_mac_is_locked_its_pin_shown_and_all_of_it_proven(tenant: Live) -> None:
    device = tenant.device()

    async def talk(client: Client) -> list[CallToolResult]:
        locked = await client.call_tool(
            "lock_device", {"device": device.serial, "message": "Lost. Call IT.", "reason": "Q40", "confirm": True}
        )
        tenant.tenant.world.answer_commands(device.id)
        status = await client.call_tool("action_status", {"reference": json.loads(said(locked))["action_id"]})
        return [locked, status]

    locked, status = connected(tenant, talk, Human())
    assert json.loads(said(locked))["secrets"]["unlock_pin"]
    (attempt,) = json.loads(said(status))["attempts"]
    assert attempt["outcome"] == "queued"
    assert "DeviceLock" in attempt["found"]
    assert "completed" in attempt["found"]
    assert [event for event, _ in tenant.events()] == ["intent", "outcome", "looked"]
