"""`serve` under a service manager: what systemd is told, and settings that are read again on SIGHUP."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from commands import COMMAND, environment
from support import make_tenant

from kandji_cli.notify import Notifier
from kandji_cli.reload import compared
from kandji_schema.errors import ConfigurationError
from kandji_schema.settings import Settings
from kandji_simulator import TOKEN, serve

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals and sockets")


@contextmanager
def manager(address: str) -> Iterator[socket.socket]:
    """The socket of a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address)
        listening.settimeout(20)
        yield listening
        with suppress(OSError):  # a system that does not know it for such sockets
            listening.shutdown(socket.SHUT_RDWR)  # who still waits for a message is let go


def keep(listening: socket.socket, found: list[str]) -> None:
    """Take what comes until the socket is closed, which holds ten messages at most."""
    listening.settimeout(None)
    with suppress(OSError):
        while word := listening.recv(4_096).decode():
            found.append(word)


def heard(listening: socket.socket) -> list[str]:
    """What came until now."""
    listening.setblocking(False)
    found = []
    try:
        while True:
            found.append(listening.recv(4_096).decode())
    except BlockingIOError:
        return found


# -- what is told --------------------------------------------------------------------------------------------------


def test_each_word_of_the_protocol_arrives(tmp_path: Path) -> None:
    with manager(str(tmp_path / "notify")) as listening:
        told = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        told.ready()
        told.status("In sync.")
        told.status("In sync.")
        told.reloading()
        told.stopping()
        ready, status, reloading, stopping = heard(listening)
    assert (ready, status, stopping) == ("READY=1", "STATUS=In sync.", "STOPPING=1")
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_reached() -> None:
    name = f"kandji-mirror-test-{os.getpid()}"
    with manager(f"\0{name}") as listening:
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert heard(listening) == ["READY=1"]


@pytest.mark.parametrize("named", ["", "relative", "/nowhere/at/all", "@nobody-listens", "vsock:2:1"])
def test_without_a_manager_nothing_happens(named: str) -> None:
    told = Notifier({"NOTIFY_SOCKET": named, "WATCHDOG_USEC": "1000"})
    told.ready()
    told.feed()


def test_the_watchdog_is_fed_three_times_in_its_time_and_only_this_process_feeds_it(tmp_path: Path) -> None:
    now = [0.0]
    address = str(tmp_path / "notify")
    known = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "77"}
    with manager(address) as listening:
        told = Notifier(known, pid=77, clock=lambda: now[0])
        others = Notifier(known, pid=78, clock=lambda: now[0])
        for second in range(60):
            now[0] = float(second)
            told.feed()
            others.feed()
        assert heard(listening) == ["WATCHDOG=1"] * 6
    assert (told.is_watched, others.is_watched) == (True, False)
    assert not Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "soon"}).is_watched


# -- what changes live ---------------------------------------------------------------------------------------------


def test_settings_that_change_live_are_taken_and_the_others_named() -> None:
    held = Settings(subdomain="acme", api_token="one")
    read = Settings(
        subdomain="acme", api_token="two", mirror_log_level="debug", mirror_ttl="devices=10m", mirror_http_port=1
    )
    change = compared(held, read)
    assert change.now == ("KANDJI_API_TOKEN", "KANDJI_MIRROR_LOG_LEVEL", "KANDJI_MIRROR_TTL")
    assert change.later == ("KANDJI_MIRROR_HTTP_PORT",)
    assert (change.settings.api_token, change.settings.mirror_http_port) == ("two", held.mirror_http_port)
    assert change.concerns_sync
    assert "two" not in change.words


def test_a_token_of_another_tenant_is_not_taken_without_its_tenant() -> None:
    change = compared(Settings(subdomain="acme", api_token="one"), Settings(subdomain="other", api_token="two"))
    assert (change.settings.subdomain, change.settings.api_token, change.now) == ("acme", "one", ())
    assert change.later == ("KANDJI_API_TOKEN", "KANDJI_SUBDOMAIN")


def test_privacy_needs_a_start_and_a_wrong_setting_changes_nothing() -> None:
    assert compared(Settings(), Settings(mirror_privacy="on")).later == ("KANDJI_MIRROR_PRIVACY",)
    with pytest.raises(ConfigurationError, match="KANDJI_MIRROR_TTL"):
        compared(Settings(), Settings(mirror_ttl="devices=sometimes"))


# -- the process ---------------------------------------------------------------------------------------------------


def wait_for(stream: object, event: str) -> dict[str, object]:
    """The next line of the log about an event."""
    for line in stream:  # type: ignore[attr-defined]
        found: dict[str, object] = json.loads(line)
        if found["event"] == event:
            return found
    raise AssertionError(f"{event} did not come.")


@pytest.mark.heavy
def test_a_service_is_ready_takes_up_settings_on_sighup_and_says_when_it_stops(tmp_path: Path) -> None:
    config = tmp_path / "config" / "kandji-mirror" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('mirror_log_level = "info"\n')
    told: list[str] = []
    with manager(str(tmp_path / "notify")) as listening, serve(make_tenant(2)) as server:
        own = {"KANDJI_API_URL": server.url, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        stored = config.with_name("token")
        stored.touch(0o600)
        stored.write_text(TOKEN)
        with subprocess.Popen(
            [COMMAND, "serve", "--no-mcp"],
            env={**environment(tmp_path, **own), "WATCHDOG_USEC": "3000000"},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # as a service: of no terminal
        ) as process:
            try:
                Thread(target=keep, args=(listening, told), daemon=True).start()
                wait_for(process.stderr, "sync.begun")
                config.write_text('mirror_ttl = "devices=2h"\nmirror_log_level = "debug"\nmirror_privacy = "on"\n')
                process.send_signal(signal.SIGHUP)
                read = wait_for(process.stderr, "settings.read")
                assert read["now"] == ["KANDJI_MIRROR_LOG_LEVEL", "KANDJI_MIRROR_TTL"]
                assert read["restart"] == ["KANDJI_MIRROR_PRIVACY"]
                wait_for(process.stderr, "table.read")  # which is told at the level debug alone
                stored.write_text("another")
                process.send_signal(signal.SIGHUP)
                assert "The stored API token is another one." in str(wait_for(process.stderr, "settings.read")["text"])
                config.write_text("this is no TOML")
                process.send_signal(signal.SIGHUP)
                assert "the former ones hold" in str(wait_for(process.stderr, "settings.refused")["text"])
                process.terminate()
                wait_for(process.stderr, "serve.stopping")
                assert process.wait(20) == 0
            finally:
                process.kill()
    assert told[0] == "READY=1"
    assert told.count("READY=1") >= 2  # the last reload may be cut short by the end
    assert told.count("STOPPING=1") == 1
    assert sum(word.startswith("RELOADING=1") for word in told) == 3
    assert {"WATCHDOG=1", "STATUS=In sync."} <= set(told)


@pytest.mark.heavy
def test_sighup_of_a_closed_terminal_ends_it(tmp_path: Path) -> None:
    own, its = pty.openpty()
    with subprocess.Popen(
        [COMMAND, "serve", "--no-sync", "--port", "0"],
        env=environment(tmp_path, KANDJI_MIRROR_HTTP_TOKEN="an-invented-token-of-24-characters"),
        cwd=tmp_path,
        stdin=its,
        stdout=its,
        stderr=its,
        preexec_fn=lambda: os.login_tty(0),  # of a terminal of its own
    ) as process:
        try:
            said = b""
            while b"AI clients connect" not in said:
                said += os.read(own, 4_096)
            process.send_signal(signal.SIGHUP)
            assert process.wait(20) == 0
        finally:
            process.kill()
            os.close(own)
            os.close(its)
