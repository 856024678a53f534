"""Odd machines: homes with odd names, a strict C locale, a folder that is gone, a loose umask; and what doctor says."""

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from commands import COMMAND, configure, environment, run
from reads_home import small_fleet
from support import make_tenant

from kandji_cli.doctor import findings
from kandji_simulator import TOKEN, Server, serve

ODD_NAMES = ("a%20b", '#c;d&e=f it\'s "x" Zoë 東京 [1]*{y} $HOME')
STRICT_C = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NOTEBOOK = "import kandji_queries as k; print(k.connect().sql('SELECT count(*) FROM devices').fetchall())"


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(make_tenant(3, apps=2)) as server:
        yield server


def start(
    command: list[str], env: dict[str, str], folder: Path, umask: int = 0o022
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=env, cwd=folder, umask=umask, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


@pytest.mark.many
@pytest.mark.heavy
def test_a_mirror_works_in_a_home_of_any_name_and_leaves_nothing_beside_it(tmp_path: Path, server: Server) -> None:
    for name in ODD_NAMES:
        root = tmp_path / f"root {len(list(tmp_path.iterdir()))}"
        home = root / name
        root.mkdir()
        odd = STRICT_C if "東" in name else {}
        tenant = {"KANDJI_API_URL": server.url, "KANDJI_API_TOKEN": TOKEN}
        env = {**environment(home, **tenant), **odd, "HOME": str(root), "XDG_CONFIG_HOME": str(root / "config")}
        commands = (
            [COMMAND, "sync", "devices", "apps"],
            [COMMAND, "sql", "SELECT count(*) FROM devices WHERE 'ë東' <> $y", "--param", "y=Zoë", "-f", "csv"],
            [COMMAND, "query", "devices_by_platform"],
            [COMMAND, "export", "devices", "--to", str(home / "out ë"), "-f", "duckdb"],
            [COMMAND, "doctor", "--offline"],
            [sys.executable, "-X", "utf8", "-c", NOTEBOOK],
        )
        for command in commands:
            done = start(command, env, root)
            assert (done.returncode, "Traceback" in done.stderr) == (0, False), (name, command, done.stderr)
        assert {path.name for path in root.iterdir()} <= {name, ".local", "Library"}
        assert {"state.sqlite", "budget.sqlite", "store", "out ë"} <= {path.name for path in home.iterdir()}


def test_a_home_that_duckdb_cannot_write_is_refused_by_name(tmp_path: Path, server: Server) -> None:
    for name in ("a?b", "back\\slash"):
        settings = {"KANDJI_API_URL": server.url, "KANDJI_API_TOKEN": TOKEN, "KANDJI_MIRROR_HOME": str(tmp_path / name)}
        for command in (["sync"], ["doctor", "--offline"], ["sql", "FROM devices"]):
            done = run(tmp_path, *command, **settings)
            assert (done.returncode, "Name another folder" in done.stdout + done.stderr) == (3, True), done.stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == []


def test_letters_beyond_ascii_pass_a_strict_c_locale(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    env = {**environment(tmp_path), **STRICT_C}
    done = start([COMMAND, "sql", "SELECT 'Zoë 東京' AS é, $y AS y", "--param", "y=ë😀", "-f", "csv"], env, tmp_path)
    assert (done.returncode, done.stdout.split("\n")) == (0, ["é,y", "Zoë 東京,ë😀", ""]), done.stderr
    done = start([COMMAND, "zoë"], env, tmp_path)
    assert (done.returncode, "No such command 'zoë'" in done.stderr) == (2, True)


@pytest.mark.heavy
def test_without_a_working_directory_or_a_user_folder_reading_goes_on(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    gone = tmp_path / "gone"
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    for command in (["sql", "FROM devices"], ["status"], ["settings"], ["export", "devices", "--to", f"{tmp_path}/o"]):
        gone.mkdir()
        done = start(["/bin/sh", "-c", script, "sh", str(gone), COMMAND, *command], environment(tmp_path), tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), (command, done.stderr)
        for home in ("", "relative/folder"):
            env = {**environment(tmp_path), "HOME": home, "XDG_CONFIG_HOME": home}
            done = start([COMMAND, *command], env, tmp_path)
            assert (done.returncode, "Traceback" in done.stderr) == (0, False), (command, home, done.stderr)
    assert not (tmp_path / "relative").exists()


@pytest.mark.heavy
def test_every_file_is_its_owners_alone_whatever_the_umask_and_loose_ones_are_tightened(
    tmp_path: Path, server: Server
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    settings = {"KANDJI_API_URL": server.url, "KANDJI_API_TOKEN": TOKEN, "KANDJI_MIRROR_HOME": str(home)}
    sync = (
        "from kandji_mirror.connection import connect; from kandji_mirror.sync.run import sync\n"
        "from kandji_schema.settings import load\ns = load()\n"
        "with connect(s) as c: sync(s.home, c.tenant, c.client, names=('devices',))"
    )
    for command in ([sys.executable, "-c", sync], [COMMAND, "sync", "devices", "apps"]):
        done = start(command, environment(tmp_path, **settings), tmp_path, umask=0)
        assert done.returncode == 0, done.stderr
        assert [path for path in (home, *home.rglob("*")) if path.stat().st_mode & 0o077] == []
        for path in (home, home / "store", home / "state.sqlite", home / "budget.sqlite"):
            path.chmod(path.stat().st_mode | 0o055)
        checks = examined(tmp_path, **settings)[1]
        assert checks["rights"][0] == "warning"
        assert f"{home} (0755)" in checks["rights"][1]


# -- doctor --------------------------------------------------------------------------------------------------------


def examined(home: Path, **settings: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and health and detail by check, of a doctor that sends nothing."""
    done = run(
        home, "doctor", "--offline", "--json", **{"KANDJI_SUBDOMAIN": "acme", "KANDJI_API_TOKEN": "t", **settings}
    )
    assert "Traceback" not in done.stderr
    return done.returncode, {c["check"]: (c["health"], c["detail"]) for c in json.loads(done.stdout)["checks"]}


@pytest.mark.slow
def test_a_doctor_uses_what_the_next_command_will_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"KANDJI_SUBDOMAIN": "acme", "KANDJI_API_TOKEN": "t"}
    code, checks = examined(tmp_path)
    assert (code, {name for name, (health, _) in checks.items() if health == "failed"}) == (0, set())
    assert checks["settings"][1].startswith("there is no ")
    assert "the environment sets KANDJI_SUBDOMAIN, KANDJI_API_TOKEN" in checks["settings"][1]

    rule = '[[rule]]\nname = "a"\ntitle = "A"\ntable = "%s"\nconditions = [{ column = "%s", operator = "is_true" }]\n'
    for number, text in enumerate(
        ("broken = [", rule % ("nowhere", "x"), rule % ("filevault", "nothing"), rule % ("devices", "device_name"))
    ):
        (tmp_path / f"rules{number}.toml").write_text(text)
    (tmp_path / "bad.pem").write_text("no certificate")
    wrong = {
        "compliance rules": [{"KANDJI_MIRROR_COMPLIANCE_FILE": str(tmp_path / f"rules{n}.toml")} for n in range(5)],
        "times to live": [{"KANDJI_MIRROR_TTL": "devices=10x"}, {"KANDJI_MIRROR_TTL": "nothing=10m"}],
        "certificates": [{"KANDJI_MIRROR_CA_FILE": str(tmp_path / name)} for name in ("none.pem", "bad.pem")],
        "proxy": [{"HTTPS_PROXY": "nonsense://x"}],
        "setting": [{"KANDJI_MIRROR_PRIVACI": "on"}, {"KANDJI_MIRROR_MCPROWS": "7"}],
        "settings": [{"KANDJI_MIRROR_MCP_ROWS": "many"}, {"KANDJI_MIRROR_HOME": "~nobody-here/x"}],
    }
    for check, cases in wrong.items():
        for case in cases:
            with monkeypatch.context() as machine:
                for name, value in {**environment(tmp_path), **named, **case}.items():
                    machine.setenv(name, value)
                found = {finding.check: finding for finding in findings(offline=True)}[check]
            assert (found.exit_code, found.health) == (3, "failed"), (case, found)


def test_a_doctor_names_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, checks = examined(tmp_path, KANDJI_MIRROR_HOME=str(tmp_path / "file"))
    assert (code, checks["home"][0]) == (8, "failed")
    if os.geteuid() == 0:
        return  # root may write everywhere
    (tmp_path / "home").mkdir(mode=0o500)
    code, checks = examined(tmp_path, KANDJI_MIRROR_HOME=str(tmp_path / "home"))
    assert (code, checks["home"][0], "cannot be written" in checks["home"][1]) == (8, "failed", True)


def test_a_doctor_names_secrets_that_others_may_read_and_what_a_folder_may_not_set(tmp_path: Path) -> None:
    folder = configure(tmp_path, mirror_mcp_rows="7")
    (folder / "token").write_text("secret-of-mine\n")
    (folder / "token").chmod(0o666)
    (tmp_path / ".env").write_text("KANDJI_MIRROR_ACTIONS=on\n")
    (tmp_path / ".env").chmod(0o600)
    code, checks = examined(tmp_path, KANDJI_API_TOKEN="")
    assert (code, checks["token"][0], "mode 0666" in checks["token"][1]) == (3, "failed", True)
    assert f"{folder}/token (0666)" in checks["rights"][1] or "more" in checks["rights"][1]
    assert (checks["setting"][0], "KANDJI_MIRROR_ACTIONS" in checks["setting"][1]) == ("failed", True)
    assert f"{folder}/config.toml sets KANDJI_MIRROR_MCP_ROWS" in checks["settings"][1]
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o666  # a doctor only looks


# -- login ---------------------------------------------------------------------------------------------------------


def _refusing(listener: socket.socket, seen: list[bytes]) -> None:
    while True:
        try:
            asking, _ = listener.accept()
        except OSError:
            return
        with asking:
            asking.settimeout(10)
            seen.append(asking.recv(65_536))
            asking.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.heavy
def test_a_login_without_a_region_tries_all_hosts_of_the_named_tenant_and_no_other(tmp_path: Path) -> None:
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_refusing, args=(listener, seen), daemon=True).start()
        env = environment(tmp_path, HTTPS_PROXY=f"http://127.0.0.1:{listener.getsockname()[1]}")
        env = {name: value for name, value in env.items() if name.lower() not in {"no_proxy", "all_proxy"}}
        done = subprocess.run(
            [COMMAND, "login", "--subdomain", " acme ", "--token-stdin"], input="my-own-token\n", env=env, cwd=tmp_path,
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        listener.shutdown(socket.SHUT_RDWR) if sys.platform == "linux" else None
    assert (done.returncode, "Traceback" in done.stderr) == (4, False), done.stderr
    asked = list(dict.fromkeys(request.split(b"\r\n", 1)[0] for request in seen))
    hosts = [f"acme.api{region}.{domain}" for domain in ("kandji.io", "iru.com") for region in ("", ".eu")]
    assert asked == [f"CONNECT {host}:443 HTTP/1.1".encode() for host in hosts]
    assert b"my-own-token" not in b"".join(seen)
    assert not (tmp_path / "config").exists()
