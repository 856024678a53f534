"""Every example of every command's help, run as it is printed on a small mirror of a simulated tenant."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from commands import COMMAND, environment, run
from feed_server import IOS, KEV, MACOS, FeedHost, feed_host
from support import synced

from kandji_cli.app import app
from kandji_cli.help_text import HelpFormatter, examples
from kandji_queries.compliance import rule_set
from kandji_simulator import TOKEN, serve

REFUSED = {
    "health": 1,  # nothing serves on that port
    "login --region": 2,  # there is no terminal to ask for the token
    "reset": 2,  # the mirror is not acme's
    "logout --tenant": 3,  # there is no such profile
    "action confirm": 6,  # nothing waits for that token
    "check test": 2,  # no check of the first file tells anybody yet
    "check history macs": 2,
    "audit verify --against": 8,  # of a log of another machine
    "changes --compare": 2,  # history begins later
    "evidence verify q3 --key": 8,  # nobody signed it
}
"""With which code examples end that are refused here, by how they begin."""

NOT_SHOWN, PROVIDER_REFUSED, NOT_CONFIRMED = 2, 4, 6

REFUSED_BY_PROVIDER = ("disablelostmode", "playlostmodesound", "updatelocation", "editnote")
"""Confirmed actions that it refuses: the device is not lost yet, and there is no such note."""

WAITING = ("serve", "simulate")
"""Commands that run until they are stopped."""

SMALLER = {
    "demo": ("--devices", "3", "--apps", "1", "--history", "1d"),
    "simulate": ("--port", "0", "--devices", "3", "--history", "0d"),
    "serve": ("--port", "0"),
    "health": ("--port", "1"),
}
"""What is typed after examples that would take long, or a port that may be taken."""


def commands_of(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield a command and all below it, each with the words it is called by."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name="kandji-mirror")
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands_of(below, (*path, name))


COMMANDS = list(commands_of(app))
FIRST = {
    "service status": ("service", "install"),
    "restore": ("backup", "--to", "kandji-backup.tar.gz"),
    "verify kandji-backup": ("backup", "--to", "kandji-backup.tar.gz"),
}
"""What has to be done before an example works, by how that begins; a backup is made once."""

TOOLS = {
    "systemctl": 'case "$*" in *show*) echo ActiveState=active;; esac',
    "journalctl": "echo synced",
}
"""The system's own programs for services, as they answer where one runs: a shell's words each."""

CHEAP = ("audit", "disk", "gc", "help", "login", "mcp-config", "queries", "sql")
"""Commands whose examples run with every change; a release runs all."""

CASES = [
    pytest.param(name, marks=pytest.mark.heavy if name in CHEAP else pytest.mark.many)
    for name in dict.fromkeys(path[0] for path, _ in COMMANDS if path)
]


def lines_of(name: str) -> list[str]:
    """The examples of a command and those below it, in the order of help."""
    return [*dict.fromkeys(line for path, found in COMMANDS if path[:1] == (name,) for line in examples(found))]


@pytest.fixture(scope="module")
def feeds() -> Iterator[FeedHost]:
    with feed_host() as host:
        yield host


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, feeds: FeedHost) -> Iterator[tuple[Path, dict[str, str]]]:
    """A synced home of a simulated tenant that answers, and the settings that lead to both."""
    folder = tmp_path_factory.mktemp("examples")
    tenant = synced(folder, 20)
    for name, file in (("macos_data_feed", MACOS), ("ios_data_feed", IOS), ("catalogue", KEV)):
        (folder / f"{name}.json").write_bytes(file.read_bytes())
    (folder / "token.txt").write_text(TOKEN)
    (folder / "statements.sql").write_text("SELECT count(*) AS devices FROM devices;\n.query devices_by_platform\n")
    rules = Path(rule_set.__file__).with_name(rule_set.FILE)
    (folder / "compliance.toml").write_bytes(rules.read_bytes())
    (folder / "heads.txt").write_text(f"7:{'0' * 64}\n")
    (folder / "auditor.pub").write_text("ssh-ed25519 AAAA nobody\n")
    settings = {
        "KANDJI_API_TOKEN": TOKEN, "KANDJI_MIRROR_ACTIONS": "on", "KANDJI_MIRROR_FEEDS": "sofa,kev", **feeds.settings
    }  # fmt: skip
    with serve(tenant) as server:
        settings["KANDJI_API_URL"] = server.url
        yield folder, settings


def as_typed(line: str, folder: Path) -> tuple[dict[str, str], list[str], str]:
    """Take a line apart as a shell does: settings before the command, its arguments, what it reads."""
    line, _, file = line.partition(" < ")
    words = shlex.split(line)
    start = words.index("kandji-mirror")
    given = dict(word.split("=", 1) for word in words[:start])
    given = {name: str(folder / "other") if name.endswith("_HOME") else value for name, value in given.items()}
    return given, words[start + 1 :], (folder / file).read_text() if file else ""


def test_every_command_has_two_examples_at_the_end_of_its_help() -> None:
    for path, command in COMMANDS:
        context = click.Context(command, info_name=" ".join(("kandji-mirror", *path)), terminal_width=80)
        context.formatter_class = HelpFormatter
        page = command.get_help(context)
        shown = page.partition("\nExamples:\n")[2]
        assert len(examples(command)) >= 2, path
        assert "Example:" not in page, path
        assert [" ".join(line.split()) for line in re.sub(r" \\\n", "", shown).splitlines()] == [
            " ".join(line.split()) for line in examples(command)
        ]
        assert max(map(len, shown.splitlines())) <= 80, shown


def test_what_examples_name_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANDJI_MIRROR_TENANT", "")  # where --tenant leaves the name
    for line in (line for path, _ in COMMANDS[1:] for line in lines_of(path[0])):
        command: click.Command = app
        words = as_typed(line.partition(" < ")[0], Path())[1]
        while isinstance(command, click.Group) and words and words[0] in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None
            command = found
        command.make_context("kandji-mirror", words)  # raises for an option or argument that there is not


@pytest.mark.parametrize("name", CASES)
def test_the_examples_of_a_command_do_what_they_say(name: str, home: tuple[Path, dict[str, str]]) -> None:
    folder, settings = home
    if name == "service":
        settings = settings | with_services(folder)
    for line in lines_of(name):
        given, arguments, said = as_typed(line, folder)
        before = next((words for begins, words in FIRST.items() if " ".join(arguments).startswith(begins)), None)
        if before and not (folder / before[-1]).exists():
            assert run(folder, *before, **settings).returncode == 0, before
        if name == "restore":
            given["KANDJI_MIRROR_HOME"] = str(folder / "empty")  # what is in the other one stays for other examples
        arguments += SMALLER.get(arguments[0], ())
        if arguments[0] in WAITING:
            stopped(folder, arguments, settings | given)
            continue
        done = run(folder, *arguments, said=said, **settings | given)
        assert done.returncode == code(arguments), (line, done.stderr)
        assert "Traceback" not in done.stderr


def with_services(folder: Path) -> dict[str, str]:
    """Return the settings of somebody who has a stored token, on a machine that runs services."""
    if sys.platform != "linux":
        pytest.skip("its programs for services are not those that are played here")
    tools = folder / "tools"
    tools.mkdir()
    for name, words in TOOLS.items():
        (tools / name).write_text(f"#!/bin/sh\n{words}\n")
        (tools / name).chmod(0o755)
    token = folder / "services" / "kandji-mirror" / "token"
    token.parent.mkdir(parents=True)
    token.write_text(TOKEN)
    token.chmod(0o600)
    return {
        "PATH": f"{tools}:{os.environ['PATH']}", "XDG_CONFIG_HOME": str(folder / "services"), "KANDJI_API_TOKEN": ""
    }  # fmt: skip


def code(arguments: list[str]) -> int:
    """How it ends: well, or as is said above of all that begin so."""
    typed = " ".join(arguments)
    if begins := next((begins for begins in REFUSED if typed.startswith(begins)), None):
        return REFUSED[begins]
    if arguments[0] not in {"action", "secret"} or arguments[1] in {"list", "status", "notes"}:
        return 0
    if "--serial" in arguments:
        return PROVIDER_REFUSED if arguments[1] in REFUSED_BY_PROVIDER else 0
    shown = arguments[0] == "action" or "--to-stdout" in arguments
    return NOT_CONFIRMED if shown else NOT_SHOWN


def stopped(folder: Path, arguments: list[str], settings: dict[str, str]) -> None:
    """Start it, stop it as Ctrl-C does once it says where it answers."""
    process = subprocess.Popen(
        [COMMAND, *arguments], env=environment(folder, **settings), cwd=folder, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process.stderr as said:
        assert any("127.0.0.1" in line for line in said)
        process.send_signal(signal.SIGINT)
        said.read()
    assert process.wait(60) in {0, 130}, os.linesep
