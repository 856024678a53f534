"""Deliveries: at least once, never twice in silence, whatever the target does; and no secret anywhere."""

import json
import os
import stat
import sys
import time
from datetime import timedelta
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from checks_home import MACS, Watched
from checks_targets import certificate, mail_server, webhook

from kandji_schema.privacy import Privacy
from kandji_watch import overview
from kandji_watch.definition import read_checks
from kandji_watch.history import history
from kandji_watch.outbox import pause
from kandji_watch.standing import Overview, waiting_words
from kandji_watch.trial import send_trial

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def hooked(home: Path, url: str, kind: str = "webhook", more: str = "", checks: str = MACS) -> Watched:
    """A home whose checks tell a webhook and a file."""
    target = f'[target.ops]\nkind = "{kind}"\nurl = "{url}"\nseconds = 0.5\n{more}\n'
    watched = Watched(home, target + checks)
    watched.write(target + checks, tell='["ops", "log"]')
    watched.macs("d1")
    return watched


def standing(home: Watched) -> Overview:
    return overview(home.home, Privacy.OFF, home.now)


# -- webhooks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "unsure", "words"),
    [
        (500, True, "the webhook answered 500"),
        pytest.param(429, False, "the webhook answered 429", marks=pytest.mark.many),
        pytest.param(408, False, "the webhook answered 408", marks=pytest.mark.many),
        ("cut", True, "no answer came (RemoteProtocolError)"),
        ("hang", True, "no answer came (ReadTimeout)"),
    ],
)
def test_what_failed_is_sent_again_and_says_where_it_may_have_arrived(
    tmp_path: Path, first: Any, unsure: bool, words: str
) -> None:
    with webhook(first, 200) as hook:
        home = hooked(tmp_path, hook.url)
        home.round()
        assert len(home.told) == 1  # the other target is not held up
        (waiting,) = standing(home).waiting
        assert waiting.error == words
        assert standing(home).exit_code == 11
        assert f"ops: {words}" in standing(home).sentence(home.now)
        home.round(after=timedelta(seconds=30))
        assert len(hook.got) == 1  # it rests for a minute
        home.round(after=HOUR)
        assert [got["may_have_been_told_before"] for got in hook.got] == [False, unsure]
        assert len({got["id"] for got in hook.got}) == 1
        assert ("May have been told before" in hook.got[1]["text"]) is unsure
        assert home.round(after=HOUR).sent == []
        assert standing(home).waiting == ()
        assert home.told == []


def test_a_target_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    with webhook() as hook:
        url = hook.url
    home = hooked(tmp_path, url)
    (sent,) = (sent for sent in home.round().sent if sent.target == "ops")
    assert (sent.state, sent.words) == ("waiting", "no answer came (ConnectError)")
    assert not standing(home).waiting[0].unsure  # it never left


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "the webhook answered 404, so it does not take this text"),
        ((302, {"location": "http://127.0.0.1:9/"}), "the webhook answered 302: redirects are not followed"),
    ],
)
def test_what_is_refused_is_not_sent_again_and_is_said(tmp_path: Path, status: Any, words: str) -> None:
    with webhook(status) as hook:
        home = hooked(tmp_path, hook.url)
        home.round()
        home.round(after=DAY / 2)
        assert len(hook.got) == 1
        (failed,) = standing(home).failed
        assert failed.error.startswith(words)
        assert f"ops was not told {failed.telling}" in standing(home).sentence(home.now)
        home.macs("d1", "d2")
        home.round()
        assert len(hook.got) == 2  # another text is another attempt


def test_a_target_is_left_alone_as_long_as_it_asks(tmp_path: Path) -> None:
    with webhook((429, {"retry-after": "1800"}), 200) as hook:
        home = hooked(tmp_path, hook.url)
        home.round()
        home.macs("d1", "d2")
        home.round(after=timedelta(minutes=29))
        assert len(hook.got) == 1  # also what is new waits
        home.round(after=timedelta(minutes=2))
        assert sorted(got["new_count"] for got in hook.got) == [1, 1, 1]
        assert len({got["id"] for got in hook.got}) == 2


def test_after_three_days_and_some_attempts_a_text_is_given_up(tmp_path: Path) -> None:
    with webhook(503) as hook:
        home = hooked(tmp_path, hook.url)
        home.round()
        for _ in range(11):
            home.round(after=6 * HOUR, everything=False)
        assert len(standing(home).waiting) == 1
        home.round(after=6 * HOUR, everything=False)
        (failed,) = standing(home).failed
        assert (failed.state, failed.attempts) == ("given up", len(hook.got))
        assert home.round(after=6 * HOUR, everything=False).sent == []


def test_pauses_grow_up_to_an_hour() -> None:
    minutes = [pause(failures, None, lambda: 0.0) / MINUTE for failures in range(1, 9)]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pause(3, None, lambda: 1.0) == 5 * MINUTE
    assert pause(3, 90.0, lambda: 1.0) == timedelta(seconds=91)


def test_a_clock_that_jumps_gives_nothing_up_and_silences_nothing(tmp_path: Path) -> None:
    with webhook(503, 503, 503, 503, 503, 503, 200) as hook:
        home = hooked(tmp_path, hook.url)
        home.round()
        home.round(after=400 * DAY)
        for _ in range(3):
            home.round(after=2 * HOUR)
        assert len(standing(home).waiting) == 1
        home.now -= 400 * DAY
        home.round()  # at once, and once
        home.round()
        assert len(hook.got) == 6
        home.round(after=2 * HOUR)
        assert len(hook.got) == 7
        assert standing(home).waiting == ()
        assert len({got["id"] for got in hook.got}) == 1


def test_numbers_of_any_size_are_told(tmp_path: Path) -> None:
    with webhook() as hook:
        home = hooked(
            tmp_path,
            hook.url,
            checks='[check.n]\nsql = "SELECT 10::HUGEINT ** 30 AS id, 170141183460469231731687303715884105727 AS n"\n',
        )
        home.round()
        assert "170141183460469231731687303715884105727" in hook.got[0]["text"]


def test_deliveries_to_a_target_that_is_no_more_end(tmp_path: Path) -> None:
    with webhook(503) as hook:
        home = hooked(tmp_path, hook.url)
        home.round()
        home.write(MACS)
        home.round()
        assert standing(home).waiting == ()


# -- shapes ------------------------------------------------------------------------------------------------------------

ODD = "<!channel> @everyone [x](http://evil) *bold* <at>all</at>"
ODD_CHECK = f"""
[check.odd]
title = "Odd"
sql = "SELECT '{ODD}' AS name"
"""


def posted(home: Path, kind: str, checks: str = ODD_CHECK) -> dict[str, Any]:
    with webhook() as hook:
        watched = hooked(home, hook.url, kind, checks=checks)
        watched.write(watched._checks, tell='["ops"]', top='pages = "https://mirror.example"')
        watched.round()
        (got,) = hook.got
        return got


def test_slack_gets_text_that_is_no_markup(tmp_path: Path) -> None:
    got = posted(tmp_path, "slack")
    kinds = {block["text"]["type"] for block in got["blocks"][:-1]}
    assert kinds == {"plain_text"}
    assert ODD in "".join(block["text"]["text"] for block in got["blocks"])
    assert got["blocks"][-1]["text"]["text"] == "<https://mirror.example/status#checks|Look>"
    assert got["text"] == "[warning] Odd: 1 new, 1 in all"
    assert all(len(block["text"]["text"]) <= 3_000 for block in got["blocks"])


def test_teams_gets_an_adaptive_card_of_plain_runs(tmp_path: Path) -> None:
    got = posted(tmp_path, "teams")
    (card,) = got["attachments"]
    assert (got["type"], card["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert {block["type"] for block in card["content"]["body"]} == {"RichTextBlock"}
    assert f"- {ODD}" in [block["inlines"][0]["text"] for block in card["content"]["body"]]
    assert card["content"]["actions"][0]["url"] == "https://mirror.example/status#checks"


def test_discord_gets_a_text_that_mentions_nobody(tmp_path: Path) -> None:
    got = posted(tmp_path, "discord")
    assert got["allowed_mentions"] == {"parse": []}
    assert r"\[x\]\(http://evil\) \*bold\*" in got["embeds"][0]["description"]
    assert "Look: https://mirror.example/status#checks" in got["embeds"][0]["description"]


@pytest.mark.parametrize("kind", ["slack", "teams", "discord"])
def test_a_text_of_many_long_rows_has_room_in_every_service(tmp_path: Path, kind: str) -> None:
    wide = "[check.wide]\nrows = 50\nsql = \"SELECT 'a', 'b', range || repeat('🙂', 900) AS name FROM range(99)\"\n"
    with webhook(500, 200) as hook:
        watched = hooked(tmp_path, hook.url, kind, checks=wide)
        watched.write(watched._checks, tell='["ops"]', top='pages = "https://mirror.example"')
        watched.round()
        watched.round(after=HOUR)
        _, got = hook.got
    assert "https://mirror.example/status#checks" in json.dumps(got)
    assert "May have been told before" in json.dumps(got)  # what is cut is never that
    assert len(json.dumps(got, ensure_ascii=False).encode()) < 28_000
    if kind == "discord":
        assert len(got["embeds"][0]["description"]) <= 4_096


# -- commands and files ------------------------------------------------------------------------------------------------


def commanded(home: Path, script: str, seconds: float = 20) -> Watched:
    program = home / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    target = f'[target.ops]\nkind = "command"\ncommand = ["{program}", "a b", "$HOME;x"]\nseconds = {seconds}\n'
    watched = Watched(home, target + MACS)
    watched.write(target + MACS, tell='["ops"]')
    watched.macs("d1")
    return watched


def test_a_command_gets_json_and_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANDJI_API_TOKEN", "SECRET")
    home = commanded(tmp_path, f'cat > {tmp_path}/got; env > {tmp_path}/env; printf "%s|" "$@" > {tmp_path}/args')
    home.round()
    assert json.loads((tmp_path / "got").read_text())["new_count"] == 1
    assert (tmp_path / "args").read_text() == "a b|$HOME;x|"
    assert "SECRET" not in (tmp_path / "env").read_text()
    assert standing(home).waiting == ()


@pytest.mark.skipif(sys.platform != "linux", reason="looks in /proc")
def test_a_command_that_hangs_ends_with_its_children(tmp_path: Path) -> None:
    home = commanded(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait", seconds=0.5)
    home.round()
    assert "took longer than 0.5 s" in standing(home).waiting[0].error
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            break
        time.sleep(0.02)
    else:
        pytest.fail("the child lives")


def test_a_command_that_fails_is_tried_again(tmp_path: Path) -> None:
    home = commanded(tmp_path, "exit 3")
    home.round()
    assert standing(home).waiting[0].error == f"{tmp_path}/program ended with 3"


def test_a_line_that_was_cut_off_is_closed_before_the_next(tmp_path: Path) -> None:
    home = Watched(tmp_path)
    home.macs("d1")
    home.file.write_text('{"id": "cut')
    home.round()
    broken, whole = home.file.read_text().splitlines()
    assert broken == '{"id": "cut'
    assert json.loads(whole)["new_count"] == 1


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/dev/full").exists(), reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    home = Watched(tmp_path)
    home.file = Path("/dev/full")
    assert stat.S_ISCHR(home.file.stat().st_mode)
    home.macs("d1")
    home.round()
    assert "/dev/full: " in standing(home).waiting[0].error


# -- mail --------------------------------------------------------------------------------------------------------------


def mailed(home: Path, port: int, more: str = "") -> Watched:
    target = (
        f'[target.ops]\nkind = "email"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nseconds = 5\n'
        f'from = "mirror@example.com"\nto = ["it@example.com", "boss@example.com"]\n{more}\n'
    )
    watched = Watched(home, target + MACS)
    watched.write(target + MACS, tell='["ops"]')
    watched.macs("d1")
    return watched


def test_mail_is_one_plain_message(tmp_path: Path) -> None:
    with mail_server() as server:
        home = mailed(tmp_path, server.port, 'user = "u"\npassword = "SECRET"')
        home.round()
        message = message_from_string(server.messages[0].removeprefix("Message:\n"))
    assert message["Subject"] == "[warning] Macs of the lab: 1 new, 1 in all"
    assert message["To"] == "it@example.com, boss@example.com"
    assert "- D1, Mac d1" in str(message.get_payload())
    assert standing(home).waiting == ()


@pytest.mark.parametrize(
    ("says", "state", "unsure", "words"),
    [
        pytest.param(
            {"MAIL": "451 later"}, "waiting", True, "the mail server answered 451 to the sender", marks=pytest.mark.many
        ),
        ({"MAIL": "550 no"}, "refused", False, "the mail server answered 550 to the sender"),
        pytest.param(
            {"RCPT": "550 who"}, "refused", False, "the mail server refused every address (550)", marks=pytest.mark.many
        ),
        pytest.param(
            {"RCPT": "450 later"},
            "waiting",
            False,
            "the mail server refused every address (450)",
            marks=pytest.mark.many,
        ),
        ({"END": "cut"}, "waiting", True, "the mail server went away (SMTPServerDisconnected)"),
        ({"AUTH": "535 SECRET is wrong"}, "refused", False, "the mail server answered 535 to user and password"),
    ],
)
def test_what_a_mail_server_says_decides(
    tmp_path: Path, says: dict[str, str], state: str, unsure: bool, words: str
) -> None:
    with mail_server(says) as server:
        home = mailed(tmp_path, server.port, 'user = "u"\npassword = "SECRET"')
        (sent,) = home.round().sent
        assert (sent.state, sent.words) == (state, words)
        found = standing(home)
        assert [each.unsure for each in (*found.waiting, *found.failed)] == [unsure]
        if says.get("END"):
            server.says.clear()
            home.round(after=HOUR)
            first, second = (message_from_string(text.removeprefix("Message:\n")) for text in server.messages)
            assert first["Message-ID"] == second["Message-ID"]
            assert second["Subject"].replace("\n", "").endswith("(may have been told before)")


@pytest.mark.parametrize("trusted", [True, False])
def test_mail_goes_over_a_connection_that_is_secure_and_trusted(tmp_path: Path, trusted: bool) -> None:
    public, context = certificate(tmp_path)
    with mail_server(tls=context) as server:
        home = mailed(tmp_path, server.port, 'user = "u"\npassword = "SECRET"')
        home.write(home._checks.replace('"none"', '"starttls"'), tell='["ops"]')
        home.settings = home.settings.given(mirror_ca_file=str(public) if trusted else "")
        home.round()
        assert server.secure or not trusted
        assert len(server.messages) == trusted
        if not trusted:
            assert "no secure connection to the mail server" in standing(home).waiting[0].error


def test_a_server_that_offers_no_secure_connection_gets_no_password(tmp_path: Path) -> None:
    with mail_server() as server:
        home = mailed(tmp_path, server.port, 'user = "u"\npassword = "SECRET"')
        home.write(home._checks.replace('"none"', '"starttls"'), tell='["ops"]')
        (sent,) = home.round().sent
        assert sent.words == "the mail server does not offer what security and user ask for"
        assert server.messages == []


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_is_remembered_logged_or_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook(500, "cut", 404) as hook:
        monkeypatch.setenv("OPS_WEBHOOK", hook.url)
        home = hooked(tmp_path, "env:OPS_WEBHOOK", "slack")
        said = [str(home.round(after=2 * HOUR)) for _ in range(3)]
        said += [str(standing(home)), standing(home).sentence(home.now), caplog.text]
    assert len(hook.got) == 3
    assert [text for text in said if "SECRET" in text] == []
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("checks.sqlite*"))
    assert b"SECRET" not in kept
    assert hook.url.encode() not in kept


def test_a_secret_that_is_not_there_is_said_by_its_name_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as hook:
        home = hooked(tmp_path, "env:OPS_WEBHOOK")
        home.round()
        assert "url of target ops: there is nothing at env:OPS_WEBHOOK" in standing(home).waiting[0].error
        secret = tmp_path / "url"
        secret.write_text(hook.url)
        secret.chmod(0o600)
        monkeypatch.setenv("OPS_WEBHOOK", "http://hooks.example/SECRET")
        home.round(after=HOUR)
        assert standing(home).waiting[0].error == (
            "url of target ops is not an address with https (http is for loopback only)"
        )
        monkeypatch.setenv("OPS_WEBHOOK", hook.url)
        home.round(after=2 * HOUR)
        assert len(hook.got) == 1


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_what_waits_says_when_it_is_tried_again_and_a_test_that_arrives_has_it_sent(tmp_path: Path) -> None:
    with webhook(500, 200) as hook:
        home = hooked(tmp_path, hook.url)
        home.round()
        waiting = standing(home).waiting
        assert waiting_words(waiting, home.now).endswith("ops: the webhook answered 500 (tried again in 67 s)")
        told = [event for event in history(tmp_path, read_checks(tmp_path), None) if event.event == "told: waiting"]
        assert [(event.at, "again at 2026-11-20T12:01:" in event.detail) for event in told] == [(home.now, True)]
        (sent,) = send_trial(home.settings, "macs", ["ops"], home.now)
        assert sent.state == "done"
        assert [each.next_at for each in standing(home).waiting] == [None]
        home.round(after=2 * DAY)  # ages in the text are of when it was written, which it says
        assert f"Id {waiting[0].telling}, 2026-11-20 12:00 UTC. May have been told before" in hook.got[-1]["text"]
        assert standing(home).waiting == ()
        assert [body["test"] for body in hook.got] == [False, True, False]


def test_a_test_leaves_nothing_behind_where_nothing_is_remembered(tmp_path: Path) -> None:
    with webhook(200) as hook:
        home = hooked(tmp_path, hook.url)
        send_trial(home.settings, "macs", ["ops"], home.now)
    assert not (tmp_path / "checks.sqlite").exists()
