"""A fault of the program behind a page: told to nobody but the log, and there without a value."""

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from kandji_web.failures import FAULT, FaultsLogged

PERSON = "jane@example.org"


async def _faulty(scope: Scope, receive: Receive, send: Send) -> None:
    raise KeyError(PERSON)


def test_a_fault_is_answered_and_logged_without_the_value_it_was_about(caplog: pytest.LogCaptureFixture) -> None:
    said: list[Message] = []

    async def sent(message: Message) -> None:
        said.append(message)

    async def received() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    anyio.run(FaultsLogged(_faulty), {"type": "http", "method": "GET", "path": "/", "headers": []}, received, sent)
    assert said[0]["status"] == 500
    assert said[1]["body"].decode() == FAULT
    assert "KeyError" in caplog.text
    assert "_faulty" in caplog.text
    assert "jane" not in caplog.text
