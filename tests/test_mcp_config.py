"""``kandji-mirror mcp-config``: what it prints, and that nothing of a client's file is ever lost."""

import json
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any

import anyio
import pytest
from commands import run
from mcp import Client, StdioServerParameters
from reads_home import small_fleet

from kandji_mcp_server.clients.config_file import CannotMerge, merge_entry
from kandji_mcp_server.clients.entries import NAME
from kandji_mcp_server.clients.records import CLIENTS
from kandji_mcp_server.clients.records import Client as Record
from kandji_schema.settings import SETTINGS

SECRET = "an-invented-token-of-the-tenant"
ENTRY = {"command": "/bin/server", "args": [], "env": {"KANDJI_MIRROR_HOME": "/data"}}
SCRIPT = str(Path(sys.executable).with_name("kandji-mirror-mcp"))


def parsed(record: Record, text: str) -> dict[str, Any]:
    return tomllib.loads(text) if record.form == "toml" else json.loads(text)


def entry(record: Record, text: str) -> dict[str, Any]:
    (only,) = parsed(record, text)[record.servers].values()
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("record", CLIENTS, ids=lambda record: record.name)
def test_the_entry_starts_this_installation_on_this_mirror_and_holds_no_secret(tmp_path: Path, record: Record) -> None:
    secrets = {setting.name: SECRET for setting in SETTINGS if setting.secret}
    done = run(tmp_path, "mcp-config", record.name, KANDJI_SUBDOMAIN="acme", **secrets)
    assert done.returncode == 0, done.stderr
    written = entry(record, done.stdout)
    assert {name: written[name] for name in ("command", "args")} == {"command": SCRIPT, "args": []}
    assert written["env"] == {"KANDJI_MIRROR_HOME": str(tmp_path), "KANDJI_SUBDOMAIN": "acme"}
    assert SECRET not in done.stdout + done.stderr
    assert "`kandji-mirror login` stores it" in done.stderr


REMOTE: dict[str, dict[str, Any]] = {
    "claude-code": {"type": "http", "url": "{url}", "headers": {"Authorization": "Bearer ${KANDJI_MIRROR_HTTP_TOKEN}"}},
    "cursor": {"url": "{url}", "headers": {"Authorization": "Bearer ${env:KANDJI_MIRROR_HTTP_TOKEN}"}},
    "vscode": {"type": "http", "url": "{url}", "headers": {"Authorization": "Bearer ${env:KANDJI_MIRROR_HTTP_TOKEN}"}},
    "codex": {"url": "{url}", "bearer_token_env_var": "KANDJI_MIRROR_HTTP_TOKEN"},
    "windsurf": {"serverUrl": "{url}", "headers": {"Authorization": "Bearer ${env:KANDJI_MIRROR_HTTP_TOKEN}"}},
    "generic": {"type": "http", "url": "{url}", "headers": {"Authorization": "Bearer ${KANDJI_MIRROR_HTTP_TOKEN}"}},
    "gemini": {"httpUrl": "{url}", "headers": {"Authorization": "Bearer $KANDJI_MIRROR_HTTP_TOKEN"}},
}


@pytest.mark.parametrize("record", [c for c in CLIENTS if c.remote], ids=lambda record: record.name)
def test_over_http_the_token_is_named_and_not_written(tmp_path: Path, record: Record) -> None:
    url = "https://mirror.example.com/mcp"
    done = run(tmp_path, "mcp-config", record.name, "--url", url)
    expected = json.loads(json.dumps(REMOTE[record.name]).replace("{url}", url))
    assert entry(record, done.stdout) == expected
    assert str(tmp_path / "config") in done.stderr  # where the token is


def test_over_http_the_url_is_that_of_serve(tmp_path: Path) -> None:
    assert _url(tmp_path) == {
        "url": "http://127.0.0.1:8765/mcp",
        "headers": {"Authorization": "Bearer ${env:KANDJI_MIRROR_HTTP_TOKEN}"},
    }
    assert _url(tmp_path, PORT="9000", HOST="::1")["url"] == "http://[::1]:9000/mcp"
    beyond = {"HOST": "0.0.0.0", "ALLOWED_HOSTS": "mirror.example.com", "TOKEN": SECRET}  # noqa: S104  # only named
    assert _url(tmp_path, **beyond)["url"] == "http://mirror.example.com:8765/mcp"


def test_where_people_sign_in_no_token_is_named(tmp_path: Path) -> None:
    url, issuer = "https://mirror.example.com/mcp", "https://login.example.com"
    done = run(tmp_path, "mcp-config", "cursor", "--url", url, "--sign-in")
    assert entry(CLIENTS[2], done.stdout) == {"url": url}
    assert "sign in" in done.stderr
    here = {
        "KANDJI_MIRROR_OAUTH_ISSUER": issuer,
        "KANDJI_MIRROR_OAUTH_RESOURCE": url,
        "KANDJI_MIRROR_PRIVACY": "agents",
    }
    done = run(tmp_path, "mcp-config", "cursor", "--http", **here)
    assert entry(CLIENTS[2], done.stdout) == {"url": url}


def _url(folder: Path, **settings: str) -> dict[str, Any]:
    named = {f"KANDJI_MIRROR_HTTP_{name}": value for name, value in settings.items()}
    return entry(CLIENTS[2], run(folder, "mcp-config", "cursor", "--http", **named).stdout)


@pytest.mark.parametrize("name", ["claude-desktop", "nobody"])
def test_what_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "mcp-config", name, "--http")
    assert (done.returncode, done.stdout) == (2, "")
    assert "names programs only" in done.stderr or "There is no AI client 'nobody'" in done.stderr


def test_without_a_client_they_are_listed(tmp_path: Path) -> None:
    done = run(tmp_path, "mcp-config")
    assert done.returncode == 0
    assert all(f"{record.name} " in done.stdout for record in CLIENTS)


@pytest.mark.heavy
def test_a_client_that_does_as_it_is_told_is_answered(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    written = entry(CLIENTS[0], run(tmp_path, "mcp-config", "claude-desktop", KANDJI_MIRROR_BACKGROUND="off").stdout)
    server = StdioServerParameters(**written, cwd="/")

    async def tools() -> int:
        async with Client(server) as caller:
            return len((await caller.list_tools()).tools)

    assert anyio.run(tools) >= 5


# -- writing -------------------------------------------------------------------------------------------------------

JSON_FILE = """{
    "theme": "d\\u00e4rk ✓",
    "numbers": [1, 2.50, 1e3, 12345678901234567890],
    "mcpServers": {
        "other": {"command": "npx", "args": ["-y", "x"], "env": {"KEY": "kept"}}
    },
    "last": null
}
"""
TOML_FILE = """# my settings
model = "o9"  # the good one

[mcp_servers.other]
command = "npx" # do not touch
args = ["-y", "x"]

[profiles."a b"]
when = 1979-05-27T07:32:00Z
"""


@pytest.mark.parametrize("name", [record.name for record in CLIENTS])
def test_writing_keeps_everything_else_and_a_copy(tmp_path: Path, name: str) -> None:
    record = next(record for record in CLIENTS if record.name == name)
    text = TOML_FILE if record.form == "toml" else JSON_FILE.replace("mcpServers", record.servers)
    file = tmp_path / "client" / "file"
    file.parent.mkdir()
    file.write_text(text)
    file.chmod(0o640)

    for _ in range(2):  # the second time there is nothing to do
        done = run(tmp_path, "mcp-config", name, "--write", "--file", str(file))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "nothing was changed" in done.stderr

    after = parsed(record, file.read_text())
    assert after[record.servers].pop(NAME)["command"] == SCRIPT
    assert after == parsed(record, text)
    (backup,) = [path for path in file.parent.iterdir() if path != file]
    assert backup.read_text() == text
    assert {stat.S_IMODE(path.stat().st_mode) for path in (file, backup)} == {0o640}
    if record.form == "toml":
        assert file.read_text().startswith('# my settings\nmodel = "o9"  # the good one\n')
        assert "# do not touch" in file.read_text()


def test_a_new_file_is_made_where_the_client_looks_for_it(tmp_path: Path) -> None:
    known = [record for record in CLIENTS if record.files]
    for record in known:
        done = run(tmp_path, "mcp-config", record.name, "--write")
        assert (done.returncode, f" {NAME}" in done.stderr) == (0, True)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {".claude.json", ".cursor/mcp.json", ".codex/config.toml", ".gemini/settings.json"} < found
    assert len(found) == len(known)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    run(tmp_path, "mcp-config", "cursor", "--write", "--file", "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert NAME in (tmp_path / "real.json").read_text()


@pytest.mark.parametrize(
    "text",
    [
        '{"mcpServers": {}, // mine\n}',
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": 1e999}',
        "[]",
        '{"mcpServers": []}',
        '{"mcpServers": "none"}',
        "not json",
        "\x00",
        "[" * 100_000,
    ],
)
def test_a_json_file_that_is_not_understood_is_not_touched(text: str) -> None:
    with pytest.raises(CannotMerge):
        merge_entry("json", text, "mcpServers", NAME, ENTRY)


@pytest.mark.parametrize("text", ["a = ", "[a]\n[a]", "mcp_servers = 3", "[[mcp_servers]]\na = 1", "\x00"])
def test_a_toml_file_that_is_not_understood_is_not_touched(text: str) -> None:
    with pytest.raises(CannotMerge):
        merge_entry("toml", text, "mcp_servers", NAME, ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        'mcp_servers = {other = {command = "x"}}',
        "[mcp_servers]\nother = {command = 'x'}\n",
        f'[mcp_servers.{NAME}]\ncommand = "old"\nenabled = false\n[mcp_servers.{NAME}.env]\nA = "1"\n[z]\na = 1\n',
        'mcp_servers.other.command = "x"\n[z]\nb = 2\n',
    ],
)
def test_toml_in_all_its_spellings_takes_the_entry(text: str) -> None:
    before, after = tomllib.loads(text), tomllib.loads(merge_entry("toml", text, "mcp_servers", NAME, ENTRY))
    assert after["mcp_servers"].pop(NAME) == ENTRY
    before.setdefault("mcp_servers", {}).pop(NAME, None)
    assert after == before


def test_a_file_that_is_refused_is_left_as_it_is_with_exit_code_3(tmp_path: Path) -> None:
    for name, data in (("comment.json", b"{} // mine"), ("binary.json", b"\xff\xfe\x00")):
        (tmp_path / name).write_bytes(data)
        done = run(tmp_path, "mcp-config", "cursor", "--write", "--file", name)
        assert (done.returncode, (tmp_path / name).read_bytes()) == (3, data)
        assert "Nothing was changed" in done.stderr
    assert sorted(path.name for path in tmp_path.glob("*.json*")) == ["binary.json", "comment.json"]


def test_a_mark_at_the_beginning_and_ends_of_lines_stay(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(b'\xef\xbb\xbf{\r\n\t"a": 1\r\n}\r\n')
    run(tmp_path, "mcp-config", "cursor", "--write", "--file", str(file))
    data = file.read_bytes()
    assert data.startswith(b'{\r\n\t"a": 1,\r\n\t"mcpServers"')
    assert data.count(b"\n") == data.count(b"\r\n")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    done = run(tmp_path, "mcp-config", "cursor", "--write", "--file", "taken/mcp.json")
    assert (done.returncode, "cannot be changed" in done.stderr) == (3, True)


def test_files_are_where_each_system_has_them() -> None:
    home = Path.home()
    places = {record.name: record.path({}, "darwin") for record in CLIENTS}
    support = home / "Library" / "Application Support"
    assert places["claude-desktop"] == support / "Claude" / "claude_desktop_config.json"
    assert places["vscode"] == support / "Code" / "User" / "mcp.json"
    moved = {record.name: record.path({"CODEX_HOME": "/c", "CLAUDE_CONFIG_DIR": "/d"}, "linux") for record in CLIENTS}
    assert (moved["codex"], moved["claude-code"]) == (Path("/c/config.toml"), Path("/d/.claude.json"))


def test_writing_asks_whose_file_and_a_client_nobody_knows_for_its_path(tmp_path: Path) -> None:
    done = run(tmp_path, "mcp-config", "--write")
    assert (done.returncode, done.stdout, "Name the client" in done.stderr) == (2, "", True)
    done = run(tmp_path, "mcp-config", "generic", "--write")
    assert (done.returncode, "--file" in done.stderr) == (2, True)
    done = run(tmp_path, "mcp-config", "generic", "--write", "--file", str(tmp_path / "any.json"))
    assert (done.returncode, [*json.loads((tmp_path / "any.json").read_text())["mcpServers"]]) == (0, [NAME])
