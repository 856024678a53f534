"""The shell: at a terminal a conversation, elsewhere a script of statements."""

import os
import pty
import re
import select
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import COMMAND, environment, run
from reads_home import device, publish

from kandji_cli.shell.kept_lines import may_be_kept

PATIENCE = 40.0
PROMPT = "kandji>"
MOVES = re.compile(r"\x1b\[(?!\?2004l)[0-9;?]*[A-Za-z]")
SENT = "\x1b[?2004l"
"""What a terminal gets when a prompt has ended, so that what was typed is carried out."""

ENDLESS = "select count(*) from range(100000000) a, range(100000000) b;"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    publish(folder, {"devices": [device(number) for number in range(3)]})
    return folder


class Shell:
    """A shell on a terminal of its own."""

    def __init__(self, home: Path, state: Path) -> None:
        self._terminal, theirs = pty.openpty()
        settings = {"XDG_STATE_HOME": str(state), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "COLUMNS": "100"}
        self.process = subprocess.Popen(
            [COMMAND, "shell"],
            env=environment(home, **settings),
            cwd=home,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        os.close(theirs)
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def sees(self, text: str) -> str:
        """Wait until a text is shown after all that was waited for, and return what came up to it."""
        ends = time.monotonic() + PATIENCE
        while text not in self.shown:
            if time.monotonic() > ends:
                raise TimeoutError(f"{text!r} is not in {self.shown!r}")
            if select.select([self._terminal], [], [], 0.5)[0]:
                try:
                    self.shown = MOVES.sub("", self.shown + os.read(self._terminal, 65_536).decode(errors="replace"))
                except OSError as end:  # Linux says so when the other end closes
                    raise EOFError(self.shown) from end
        before, _, self.shown = self.shown.partition(text)
        return before

    def ends(self) -> int:
        with pytest.raises(EOFError):
            self.sees("\0")
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)


@pytest.fixture
def open_shell(home: Path, tmp_path: Path) -> Iterator[Callable[[], Shell]]:
    shells: list[Shell] = []

    def begun() -> Shell:
        shells.append(Shell(home, tmp_path))
        shells[-1].sees(PROMPT)
        return shells[-1]

    yield begun
    for shell in shells:
        shell.close()


@pytest.mark.heavy
def test_statements_over_several_lines_charts_and_words_with_a_dot(open_shell: Callable[[], Shell]) -> None:
    shell = open_shell()
    shell.type("select platform, count(*) as n\rfrom devices\rgroup by 1;\r")
    shell.sees("Mac")
    shell.sees("1 row in ")
    shell.sees(" s. As of 20")
    shell.type(".chart\r")
    shell.sees("N by platform: 1 row.")
    shell.type(".nope\r")
    shell.sees("There is no command '.nope'.")
    shell.type("selec 1;\r")
    shell.sees("kandji-mirror: ")
    shell.type(".mode csv\r")
    shell.type("select 6 * 7 as answer;\r")
    shell.sees("answer\r\n42\r\n")
    shell.type(".describe devices.device_name\r")
    shell.sees("devices.device_name: VARCHAR.")
    shell.type(".query devices_by_platform\r")
    shell.sees("Mac,")
    shell.type("quit\r")
    assert shell.ends() == 0


@pytest.mark.heavy
def test_ctrl_c_stops_a_statement_and_clears_a_line_and_ctrl_d_leaves(
    open_shell: Callable[[], Shell], tmp_path: Path
) -> None:
    shell = open_shell()
    shell.type("select 'never' ||\x03")
    shell.sees(SENT)
    shell.sees(PROMPT)
    shell.type(ENDLESS + "\r")
    shell.sees("b;")
    shell.sees(SENT)
    time.sleep(1.0)
    os.killpg(shell.process.pid, signal.SIGINT)  # as the terminal does for Ctrl-C while no prompt is shown
    shell.sees("Stopped.")
    shutil.rmtree(tmp_path / "kandji-mirror")  # where lines are remembered
    shell.type("select 6 * 7 as still_there;\r")
    assert "Exception" not in shell.sees("42")
    shell.sees("1 row in ")
    shell.sees(PROMPT)
    shell.type("\x04")
    assert shell.ends() == 0


@pytest.mark.heavy
def test_a_new_state_answers_the_next_statement_and_names_complete(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(1)]})
    with_state = Shell(tmp_path, tmp_path / "state")
    try:
        with_state.sees(PROMPT)
        with_state.type("select count(*) as n from devices;\r")
        with_state.sees("1 row in ")
        publish(tmp_path, {"devices": [device(number) for number in range(5)]}, 2)
        with_state.type("select count(*) + 70 as n from devices;\r")
        with_state.sees("75")
        with_state.sees(PROMPT)
        with_state.type("select devices.serial_nu")
        with_state.sees("serial_number")  # in the menu
        with_state.type("\t")
        with_state.sees("mber")
        with_state.type(" from devices limit 1;\r")
        with_state.sees("1 row in ")
        with_state.sees(PROMPT)
        with_state.type("\x04")
        assert with_state.ends() == 0
    finally:
        with_state.close()
    kept = tmp_path / "state/kandji-mirror/shell_history"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "+select devices.serial_number from devices limit 1;" in kept.read_text()


def test_without_a_terminal_each_statement_is_answered_as_by_sql(home: Path) -> None:
    said = "select 1 as a;\n.mode jsonl\nselect ';' as b; -- the end\n.query devices_by_platform\n"
    done = run(home, "shell", "--format", "csv", said=said)
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[:3]) == (0, ["a", "1", '{"b":";"}'])
    assert '"platform":"Mac"' in lines[3]
    assert "As of " in done.stderr


def test_the_first_error_ends_a_script_with_its_code(home: Path) -> None:
    done = run(home, "shell", said="select 1 as a; drop table devices; select 2 as never;")
    assert (done.returncode, "never" in done.stdout, "read-only" in done.stderr) == (5, False, True)
    for wrong, told in (
        (".query", ".query takes the name of a query"),
        (".describe a b", ".describe takes one name"),
        (".chart", "There is no answer to draw yet"),
        (".query stale_devices 'x", "A quotation mark is open"),
        (".mode html", "There is no format 'html'"),
        (".tables dev%", ".tables takes nothing"),
        (".export x.csv", "--format csv > FILE"),
        (".query stale_devices days", "is not name=value"),
    ):
        done = run(home, "shell", said=wrong)
        assert (wrong, done.returncode, told in done.stderr) == (wrong, 2, True), done.stderr
    done = run(home, "shell", said="-- nothing\n;;\n.quit\nselect 1;")
    assert (done.returncode, done.stdout) == (0, "")


def test_enter_sends_what_was_pasted_when_its_last_line_is_whole() -> None:
    from kandji_cli.shell.prompt import is_ready

    for text in ("select 1;", ".tables", "select 1;\n.mode csv\n", ".mode csv\nselect ';';", "quit", "-- a\n.help"):
        assert is_ready(text), text
    for text in ("select 1", ".mode csv\nselect 1", "select 1;\n.mode csv\nselect '", "select 1\n.mode csv"):
        assert not is_ready(text), text


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("select 1;", True),
        (" select 1;", False),
        ("\tselect 1;", False),
        ("", False),
        ("from ade_tokens;", True),
        ("select * from x where api_token = 'abc';", False),
        ("select 'hunter2hunter2' as x;", False),
        (".query x password=abc", False),
        ("select pin_code: 1", False),
    ],
)
def test_lines_with_secrets_and_those_that_begin_with_a_blank_are_not_remembered(line: str, kept: bool) -> None:
    assert may_be_kept(line, ["", "hunter2hunter2"]) is kept
