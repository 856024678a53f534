"""What a container needs: health asked without a shell, a user without a name, and a file that says how it is made."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from commands import environment, run

ROOT = Path(__file__).resolve().parents[1]
CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")


@contextmanager
def answering(answers: Mapping[str, tuple[int, bytes]]) -> Iterator[int]:
    """A server on loopback that says so to each path, and sends the others elsewhere; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, said = answers.get(self.path, (303, b""))
            self.send_response(code)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002  # the name that it has there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def state(code: int, word: str) -> tuple[int, bytes]:
    return code, json.dumps({"status": word}).encode()


def test_health_is_the_servers_own_word_and_a_code_that_health_checks_may_have(tmp_path: Path) -> None:
    with answering({"/healthz": state(200, "ok"), "/readyz": state(503, "too old")}) as port:
        settings = {"KANDJI_MIRROR_HTTP_PORT": str(port), "KANDJI_MIRROR_HTTP_HOST": "0.0.0.0"}  # noqa: S104  # as set
        live, ready = run(tmp_path, "health", **settings), run(tmp_path, "health", "--ready", **settings)
    assert (live.returncode, live.stdout, live.stderr) == (0, "ok\n", "")
    assert (ready.returncode, ready.stdout, "says: too old" in ready.stderr) == (1, "", True)
    silent = run(tmp_path, "health", "--port", str(port))
    assert (silent.returncode, f"Nothing answers on 127.0.0.1 port {port}" in silent.stderr) == (1, True)


def test_a_server_of_an_earlier_version_is_asked_in_its_own_way(tmp_path: Path) -> None:
    with answering({"/health": state(200, "ok")}) as port:
        assert run(tmp_path, "health", "--port", str(port)).returncode == 0
    with answering({"/healthz": (200, b"<html>")}) as port:
        other = run(tmp_path, "health", "--port", str(port))
    assert (other.returncode, "no state of health" in other.stderr) == (1, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows finds folders otherwise")
def test_a_user_without_home_and_account_is_told_what_to_set(tmp_path: Path) -> None:
    nobody = "import pwd, sys\ndef none(_): raise KeyError\npwd.getpwuid = none\nfrom kandji_cli import run; run()"
    kept = {name: value for name, value in environment(tmp_path).items() if name not in {"HOME", "XDG_CONFIG_HOME"}}
    for home, code in ({"KANDJI_MIRROR_HOME": str(tmp_path)}, 7), ({"KANDJI_MIRROR_HOME": ""}, 3):
        asked = [sys.executable, "-c", nobody, "sql", "SELECT 1"]
        done = subprocess.run(asked, env={**kept, **home}, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
        assert code == 7 or "Set HOME, or XDG_DATA_HOME" in done.stderr


def test_the_image_has_a_pinned_base_a_user_by_number_and_needs_no_shell() -> None:
    stages = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)
    last = CONTAINERFILE.rpartition("\nFROM ")[2]
    assert [re.fullmatch(r"\S+/python:3\.\d+-slim-\w+", base) is not None for base in stages] == [True, True]
    assert "USER 65532:65532" in last
    assert 'VOLUME ["/data"]' in last
    assert not re.search(r"^(RUN|SHELL)\b", last, re.MULTILINE)
    for word in ("HEALTHCHECK .* CMD", "ENTRYPOINT", "CMD"):
        (form,) = re.findall(rf"^{word} (.*)$", last, re.MULTILINE)
        assert json.loads(form)
    home = re.search(r"HOME=(\S+)", last)
    written = re.findall(r"(?:XDG_\w+|TMPDIR|KANDJI_MIRROR_HOME)=(\S+)", last)
    assert home
    assert len(written) == 4
    assert {path.split("/")[1] for path in written} == {"data"} == {home.group(1).strip("/")}


def test_what_the_image_is_made_from_is_let_in_and_nothing_that_a_folder_may_hold_besides() -> None:
    lines = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert all((ROOT / name).exists() for name in let_in)
    assert let_in.isdisjoint({".env", ".git", "dist", "tests"})
