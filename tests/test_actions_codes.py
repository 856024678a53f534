"""With one-time codes a yes needs what an agent on this machine lacks; what was offered and done carry one name."""

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from action_tenant import MAC, NOW, TWIN, ActionTenant, confirmed, events, log_at, preview_of, service_at
from commands import run
from live_tenant import Live, live
from mcp import Client
from mcp.types import CallToolResult, ElicitResult, InputRequiredResult
from mcp_calls import Era, said
from owners_channels import Hook, code_in, hook, owners_file
from terminal import Typed, typed
from test_mcp_actions import ERAS, connected

from kandji_mirror.actions.codes import Codes, WrongCode, codes_of
from kandji_mirror.actions.factory import open_service
from kandji_mirror.channels import webhook
from kandji_schema.errors import ConfigurationError, NotConfirmed
from kandji_schema.settings import Settings

SERIAL, CODE = "Type the target's serial number", "The one-time code"


@pytest.fixture
def owner() -> Iterator[Hook]:
    with hook() as served:
        yield served


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Live]:
    with live(tmp_path) as served:
        yield served


def test_a_code_is_good_once_for_one_plan_three_tries_and_some_minutes(tmp_path: Path, owner: Hook) -> None:
    now = [NOW]

    def clock() -> datetime:
        return now[0]

    service = service_at(tmp_path, ActionTenant(), clock=clock, codes=Codes(webhook("HOOK", owner.url), clock=clock))
    preview, other = preview_of(service, "erase", MAC, "stolen", pin="914632"), preview_of(service, "erase", TWIN)
    service.send_code(preview)
    code = code_in(owner.got[0]["text"])
    assert (owner.got[0]["action_id"], owner.got[0]["code"]) == (preview.id, code)
    assert "C02JANE" in owner.got[0]["text"]
    assert "914632" not in json.dumps(owner.got)
    with pytest.raises(NotConfirmed):
        confirmed(service, other, "C02TWIN", lambda: code)
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for left in (2, 1):
        with pytest.raises(WrongCode) as refused:
            confirmed(service, preview, "C02JANE", lambda: wrong)
        assert refused.value.left == left
    confirmation = confirmed(service, preview, "C02JANE", lambda: f" {code[:4]} {code[4:]} ")
    assert len(owner.got) == 2  # one for each preview
    with pytest.raises(NotConfirmed, match="used up"):
        confirmed(service, preview, "C02JANE", lambda: code)
    service.perform(preview, confirmation)
    assert log_at(tmp_path).records()[-2]["confirmed_by"] == "terminal with a code"
    guessed, late = preview_of(service, "restart"), preview_of(service, "lock")
    for _ in range(3):
        with pytest.raises(WrongCode):
            confirmed(service, guessed, "C02JANE", lambda: "")
    with pytest.raises(NotConfirmed, match="used up"):
        confirmed(service, guessed, "C02JANE", lambda: owner.code)
    service.send_code(late)
    now[0] = NOW + timedelta(minutes=5)
    with pytest.raises(NotConfirmed, match="older than 5 minutes"):
        confirmed(service, late, "C02JANE", lambda: owner.code)
    assert events(tmp_path)[-1][0] == "expired"
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not [sent for sent in owner.got if str(sent["code"]).encode() in files]


@pytest.mark.parametrize("status", [302, 403, 500])
def test_a_code_that_is_not_delivered_stops_the_action(tmp_path: Path, owner: Hook, status: int) -> None:
    tenant, owner.status = ActionTenant(), status
    service = service_at(tmp_path, tenant, codes=Codes(webhook("HOOK", owner.url)))
    with pytest.raises(NotConfirmed, match=f"not delivered: HOOK: the webhook answered {status}. Nothing was sent"):
        confirmed(service, preview_of(service, "restart"), "C02JANE", lambda: owner.code)
    assert len(owner.got) == 1
    assert tenant.sent == []
    assert [event for event, *_ in events(tmp_path)] == ["refused"]


def test_a_way_for_codes_that_others_could_read_or_replace_is_no_way() -> None:
    wrong = [
        {"mirror_confirm_code_url": "http://hooks.example.com/x"},
        {"mirror_confirm_code_url": "hooks.example.com"},
        {"mirror_confirm_code_command": "mail it@example.com"},
        {"mirror_confirm_code_command": "/usr/bin/mail 'it"},
        {"mirror_confirm_code_url": "https://h.example.com", "mirror_confirm_code_command": "/usr/bin/true"},
    ]
    for facts in wrong:
        with pytest.raises(ConfigurationError, match="KANDJI_MIRROR_CONFIRM_CODE_"):
            codes_of(Settings(**facts))  # type: ignore[arg-type]  # all of them are texts


GUESSES = {
    CODE: "1",
    f"2 more tries. Nothing was sent to the tenant.\r\n{CODE}": "2",
    f"1 more try. Nothing was sent to the tenant.\r\n{CODE}": "3",
}


@pytest.mark.heavy
def test_an_agent_at_a_pseudo_terminal_lacks_the_code(tenant: Live, owner: Hook) -> None:
    owners_file(tenant.home, mirror_confirm_code_url=owner.url)
    serial = tenant.device().serial
    lock = ["action", "lock", serial, "--reason", "r"]
    settings = tenant.environment(KANDJI_MIRROR_CONFIRM_CODE_URL="http://127.0.0.1:9/of-the-agent")
    code, shown = typed(tenant.home, lock, {SERIAL: serial, **GUESSES}, **settings)
    assert (code, tenant.writes()) == (6, []), shown
    assert owner.got[0]["action_id"] in shown
    assert owner.code not in shown
    scripted = run(tenant.home, *lock, "--serial", serial, **settings)
    assert (scripted.returncode, tenant.writes()) == (6, [])
    assert len(owner.got) == 2


@pytest.mark.heavy
def test_a_command_brings_the_code_on_its_standard_input(tenant: Live) -> None:
    letter, program = tenant.home / "letter", tenant.home / "send.py"
    program.write_text("import os, sys\nopen(sys.argv[1], 'w').write(sys.stdin.read() + ' '.join(os.environ))\n")
    line = f"{sys.executable} {program} {letter}"
    owners_file(tenant.home, mirror_confirm_code_command=line)
    with open_service(tenant.settings(mirror_confirm_code_command=line), "assistant 1") as service:
        preview = preview_of(service, "lock", tenant.device().serial, "Q40")
        token = service.offer(preview)
        assert not letter.exists()  # it is sent when somebody sits at the terminal
        confirmation = confirmed(service, preview, preview.target.proof, lambda: code_in(letter.read_text()))
        assert "through assistant 1" in letter.read_text()
        assert "KANDJI" not in letter.read_text()
    assert confirmation.by == "terminal with a code"
    answers: dict[str, Typed] = {SERIAL: preview.target.proof, **GUESSES}
    ended, shown = typed(tenant.home, ["action", "confirm", token], answers, **tenant.environment())
    assert preview.id in shown
    assert (ended, tenant.writes()) == (6, []), shown
    answers = {SERIAL: preview.target.proof, CODE: lambda: code_in(letter.read_text())}
    ended, shown = typed(tenant.home, ["action", "confirm", token], answers, **tenant.environment())
    assert (ended, len(tenant.writes())) == (0, 1), shown
    assert tenant.records()[-1]["action_id"] == preview.id
    assert {r["confirmed_by"] for r in tenant.records()} == {None, "terminal with a code"}
    last = code_in(letter.read_text())
    letter.unlink()
    assert last not in shown
    assert last.encode() not in tenant.files()


class Owner:
    """A person who has the webhook before them, and types what ``reads`` makes of it."""

    def __init__(self, owner: Hook, *, knows: bool) -> None:
        self._owner, self._knows = owner, knows
        self.asked: list[str] = []

    async def answer(self, _: object, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(
            action="accept", content={"confirm": True, "code": self._owner.code if self._knows else "1"}
        )


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
def test_the_question_in_a_client_asks_for_the_code_and_names_the_action(tenant: Live, owner: Hook, era: Era) -> None:
    asked = {"device": tenant.device().serial, "confirm": True}

    def answered(person: Owner) -> CallToolResult:
        async def talk(client: Client) -> CallToolResult:
            return await client.call_tool("restart_device", asked)

        found = connected(tenant, talk, person, era, mirror_confirm_code_url=owner.url)  # type: ignore[arg-type]  # it answers as a Human
        assert isinstance(found, CallToolResult)
        return found

    guesser, person = Owner(owner, knows=False), Owner(owner, knows=True)
    assert answered(guesser).is_error
    assert tenant.writes() == []
    found = answered(person)
    assert not found.is_error, said(found)
    assert len(tenant.writes()) == 1
    assert len(owner.got) == 2
    assert [event for event, _ in tenant.events()] == ["offered", "refused", "offered", "intent", "outcome"]
    name = json.loads(said(found))["action_id"]
    assert f"action  {name}" in person.asked[0]
    assert [r["action_id"] == name for r in tenant.records()] == [False, False, True, True, True]


@pytest.mark.parametrize("era", ERAS)
def test_what_was_asked_and_what_was_done_carry_one_name(tenant: Live, era: Era) -> None:
    asked = {"device": tenant.device().serial, "confirm": True}
    questions: list[str] = []

    class Person:
        async def answer(self, _: object, params: Any) -> ElicitResult:
            questions.append(params.message)
            return ElicitResult(action="accept" if len(questions) > 1 else "decline", content={"confirm": True})

    async def talk(client: Client) -> list[CallToolResult]:
        return [await client.call_tool("restart_device", asked) for _ in range(2)]

    connected(tenant, talk, Person(), era)  # type: ignore[arg-type]  # it answers as a Human
    records = tenant.records()
    assert [r["event"] for r in records] == ["declined", "intent", "outcome"]
    assert records[1]["action_id"] == records[2]["action_id"] != records[0]["action_id"]
    for question, record in zip(questions, records, strict=False):
        assert f"action  {record['action_id']}" in question


def test_an_agent_that_may_confirm_carries_on_the_name_of_the_preview_and_needs_the_code(
    tenant: Live, owner: Hook
) -> None:
    asked = {"device": tenant.device().serial, "confirm": True, "serial_number": tenant.device().serial}

    async def talk(client: Client) -> list[dict[str, Any]]:
        first = json.loads(said(await client.call_tool("restart_device", asked)))
        token = first["detail"].split("token='")[1].split("'")[0]
        guessed = await client.call_tool("restart_device", {**asked, "token": token, "code": "1"})
        assert guessed.is_error
        assert "not the code" in said(guessed)
        return [
            first,
            json.loads(said(await client.call_tool("restart_device", {**asked, "token": token, "code": owner.code}))),
        ]

    first, second = connected(tenant, talk, mirror_confirm="agent", mirror_confirm_code_url=owner.url)
    assert first["action_id"] == second["action_id"]
    assert {r["action_id"] for r in tenant.records()} == {first["action_id"]}
    assert tenant.records()[-1]["event"] == "outcome"
    assert (len(tenant.writes()), len(owner.got)) == (1, 1)


def test_of_two_open_questions_to_the_same_the_older_answer_is_asked_for_again(tenant: Live, owner: Hook) -> None:
    asked = {"device": tenant.device().serial, "confirm": True}

    async def talk(client: Client) -> list[str]:
        session, names = client.session, []

        async def call(question: InputRequiredResult | None = None, code: str = "") -> Any:
            answer = ElicitResult(action="accept", content={"confirm": True, "code": code})
            answers: Any = dict.fromkeys(question.input_requests or {}, answer) if question else None
            state = question.request_state if question else None
            return await session.call_tool(
                "restart_device", asked, input_responses=answers, request_state=state, allow_input_required=True
            )

        older, newer = await call(), await call()
        first, second = (str(sent["action_id"]) for sent in owner.got)
        again = await call(older, owner.got[0]["code"])
        assert isinstance(again, InputRequiredResult)
        assert tenant.writes() == []
        for question, name in ((older, first), (newer, second), (again, second)):
            (request,) = (question.input_requests or {}).values()
            assert f"action  {name}" in str(request.params)
        done = await call(newer, owner.got[1]["code"])
        names.append(json.loads(said(done))["action_id"])
        return [*names, second]

    done, second = connected(tenant, talk, Owner(owner, knows=True), mirror_confirm_code_url=owner.url)  # type: ignore[arg-type]  # it answers as a Human
    assert done == second
    assert (len(tenant.writes()), len(owner.got)) == (1, 2)
