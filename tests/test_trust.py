"""Whom a source of settings is trusted as: a folder may be anyone's, a token goes to its own tenant only."""

import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import COMMAND, environment, run
from loopback import Server, served
from support import make_tenant

from kandji_mirror.privacy.key import key_of
from kandji_schema.errors import ConfigurationError
from kandji_schema.files import read_secret, write_new_secret, write_secret
from kandji_schema.ownership import flaw
from kandji_schema.setting import Trust
from kandji_schema.settings import SETTINGS, Settings, load
from kandji_simulator import TOKEN, serve
from kandji_simulator import Server as Simulator

STORED = "a-stored-token-of-the-owner"
THEIRS = "a-token-of-the-folder"
PAGE = (
    b"HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
)


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """A host that is not the owner's, and remembers what it was sent."""
    with served(PAGE) as server:
        yield server


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with serve(make_tenant(2, apps=1)) as server:
        yield server


def owner(home: Path, config: str = 'subdomain = "acme"\n', token: str = STORED) -> Path:
    """The owner's configuration folder."""
    folder = home / "config" / "kandji-mirror"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(config)
    (folder / "token").write_text(token)
    (folder / "token").chmod(0o600)
    return folder


def dotenv(folder: Path, **values: str) -> None:
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def sources(folder: Path, environ: dict[str, str] | None = None, *, doubtful: bool = True) -> Settings:
    return load(environ or {}, folder=folder, config=folder / "config.toml", doubtful=doubtful)


# -- where a token goes --------------------------------------------------------------------------------------------


def test_a_folder_that_names_another_host_gets_no_stored_token(tmp_path: Path, elsewhere: Server) -> None:
    owner(tmp_path)
    dotenv(tmp_path, KANDJI_API_URL=elsewhere.url)
    for command in (["sync"], ["doctor"], ["serve", "--no-mcp"], ["sync", "devices", "--full"]):
        ended = run(tmp_path, *command)
        assert ended.returncode == 3, ended.stderr
        said = ended.stdout + ended.stderr
        assert f"{tmp_path}/.env" in said
        assert STORED not in said
    assert elsewhere.received == []


@pytest.mark.heavy
def test_a_server_for_ai_clients_in_such_a_folder_sends_nothing_there(tmp_path: Path, elsewhere: Server) -> None:
    owner(tmp_path)
    dotenv(tmp_path, KANDJI_API_URL=elsewhere.url)
    asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}  # fmt: skip
    called = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "refresh", "arguments": {"tables": ["devices"], "wait_seconds": 20}}}  # fmt: skip
    process = subprocess.Popen(
        [COMMAND, "mcp"], env=environment(tmp_path), cwd=tmp_path, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        for message in (asked, {"jsonrpc": "2.0", "method": "notifications/initialized"}, called):
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in (asked, called)]
        process.stdin.close()
        assert process.wait(30) == 0
    assert "no token belongs to it" in json.dumps(answers[1])
    assert elsewhere.received == []


@pytest.mark.parametrize("place", ["environment", "config.toml", "token"])
def test_no_token_of_the_owner_goes_where_a_folder_says(tmp_path: Path, elsewhere: Server, place: str) -> None:
    owner(tmp_path, f'api_token = "{STORED}"\n' if place == "config.toml" else "", STORED if place == "token" else " ")
    dotenv(tmp_path, KANDJI_API_URL=elsewhere.url)
    ended = run(tmp_path, "sync", **({"KANDJI_API_TOKEN": STORED} if place == "environment" else {}))
    assert (ended.returncode, elsewhere.received) == (3, []), ended.stderr


def test_a_folder_may_name_its_own_tenant_with_its_own_token(tmp_path: Path, elsewhere: Server) -> None:
    owner(tmp_path)
    dotenv(tmp_path, KANDJI_API_URL=elsewhere.url, KANDJI_API_TOKEN=THEIRS)
    run(tmp_path, "sync", "tags", KANDJI_API_TOKEN=STORED)  # that one belongs to acme
    assert elsewhere.received
    assert all(THEIRS.encode() in request and STORED.encode() not in request for request in elsewhere.received)


def test_a_stored_token_goes_to_the_tenant_it_was_stored_for_whoever_names_another(
    tmp_path: Path, simulator: Simulator, elsewhere: Server
) -> None:
    dotenv(tmp_path, KANDJI_API_URL=elsewhere.url, KANDJI_SUBDOMAIN="evil")  # a token typed here does not go there
    done = run(tmp_path, "login", "--token-stdin", "--api-url", simulator.url, said=TOKEN)
    assert done.returncode == 0, done.stderr
    (tmp_path / ".env").unlink()
    ended = run(tmp_path, "sync", "tags", KANDJI_API_URL=elsewhere.url)
    assert (ended.returncode, elsewhere.received) == (3, []), ended.stderr
    assert f"(for {simulator.url})" in ended.stderr
    config = tmp_path / "config" / "kandji-mirror" / "config.toml"
    config.write_text(f'api_url = "{elsewhere.url}"\n')
    assert (run(tmp_path, "sync", "tags").returncode, elsewhere.received) == (3, [])
    (config.parent / "token").write_text(STORED)  # put there by hand: the record is of the one before
    assert run(tmp_path, "sync", "tags").returncode == 3  # 401
    assert all(STORED.encode() in request for request in elsewhere.received)


def test_a_token_stored_by_an_earlier_version_belongs_to_the_tenant_of_its_configuration(
    tmp_path: Path, simulator: Simulator, elsewhere: Server
) -> None:
    owner(tmp_path, f'api_url = "{simulator.url}"\n', TOKEN)
    assert run(tmp_path, "sync", "tags").returncode == 0
    assert run(tmp_path, "sync", "tags", KANDJI_API_URL=elsewhere.url).returncode == 3
    assert elsewhere.received == []


# -- what a folder may set -----------------------------------------------------------------------------------------


def test_a_folder_sets_no_policy_and_every_command_says_so(tmp_path: Path) -> None:
    owner(tmp_path)
    kept = [s for s in SETTINGS if s.trust > Trust.FOLDER]
    dotenv(tmp_path, XDG_CONFIG_HOME=str(tmp_path), HTTPS_PROXY="http://127.0.0.1:9", KANDJI_MIRROR_PRIVACY="off",
           KANDJI_MIRROR_ACTIONS="on", KANDJI_MIRROR_CONFIRM="agent", KANDJI_MIRROR_MCP_ROWS="9",
           **{s.name: "/planted" for s in kept if s.key.endswith(("home", "dir", "file"))})  # fmt: skip
    found = sources(tmp_path, doubtful=False)
    assert [s.name for s in kept if getattr(found, s.key) != s.default] == []
    assert found.mirror_mcp_rows == 9
    for command in (["settings"], ["doctor", "--offline"], ["status"], ["queries"]):
        said = run(tmp_path, *command).stderr
        assert "warning: " in said
        assert "KANDJI_MIRROR_ACTIONS" in said
        assert "KANDJI_MIRROR_HOME" in said


def test_who_may_confirm_is_said_by_the_owners_file_alone(tmp_path: Path) -> None:
    found = sources(tmp_path, {"KANDJI_MIRROR_CONFIRM": "agent"})
    assert found.mirror_confirm == "human"
    assert "KANDJI_MIRROR_CONFIRM in the environment is ignored" in found.provenance.remarks[0].text
    (tmp_path / "config.toml").write_text('mirror_confirm = "agent"\n')
    assert sources(tmp_path, {"KANDJI_MIRROR_CONFIRM": "human"}).mirror_confirm == "agent"


def test_where_a_folder_asks_for_more_privacy_than_there_is_nothing_is_done(tmp_path: Path) -> None:
    owner(tmp_path)
    dotenv(tmp_path, KANDJI_MIRROR_PRIVACY="on")
    ended = run(tmp_path, "sync")
    assert (ended.returncode, "KANDJI_MIRROR_PRIVACY" in ended.stderr) == (3, True)
    assert "Traceback" not in run(tmp_path, "doctor", "--offline").stderr


def test_a_file_that_others_may_write_is_not_believed(tmp_path: Path) -> None:
    dotenv(tmp_path, KANDJI_MIRROR_MCP_ROWS="9")
    (tmp_path / ".env").chmod(0o666)
    found = sources(tmp_path)
    assert (found.mirror_mcp_rows, "everyone may write it" in found.provenance.remarks[0].text) == (500, True)


# -- what nobody else may write or replace -------------------------------------------------------------------------

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
NOBODY = 65_534
"""Another user than the one who runs the tests."""


def refusal(folder: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        sources(folder)
    return str(refused.value)


def rows_of_doctor(home: Path, code: int, **settings: str) -> list[dict[str, str]]:
    ended = run(home, "doctor", "--offline", "--json", **settings)
    assert ended.returncode == code, ended.stdout
    rows: list[dict[str, str]] = json.loads(ended.stdout)["checks"]
    return rows


@pytest.mark.parametrize(("mode", "who"), [(0o666, "everyone"), (0o646, "everyone"), (0o660, "its group")])
def test_a_configuration_that_others_may_write_is_not_believed(tmp_path: Path, mode: int, who: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text("mirror_mcp_rows = 9\n")
    file.chmod(mode)
    said = refusal(tmp_path)
    assert f"{who} may write {file} (mode {mode:04o}, owner {pwd.getpwuid(os.geteuid()).pw_name})" in said
    assert said.endswith(f"Run: chmod go-w '{file}'")
    file.chmod(0o644)
    assert sources(tmp_path).mirror_mcp_rows == 9


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_configuration_in_a_folder_that_others_may_write_is_not_believed(
    tmp_path: Path, mode: int, above: int
) -> None:
    file = owner(tmp_path) / "config.toml"
    loose = file.parents[above]
    loose.chmod(mode)
    for command in (["status"], ["sync"], ["login", "--offline", "--token-stdin", "--subdomain", "acme"]):
        ended = run(tmp_path, *command)
        assert (ended.returncode, f"Run: chmod go-w '{loose}'" in ended.stderr) == (3, True), ended.stderr
    checks = [row for row in rows_of_doctor(tmp_path, 3) if row["health"] == "failed"]
    assert [row["check"] for row in checks] == ["rights", "settings"]
    assert all(f"{loose} (mode {mode:04o}, owner " in row["detail"] for row in checks)
    file.unlink()  # as another user might: what it said would be lost
    assert run(tmp_path, "status").returncode == 3
    loose.chmod(0o1777)  # there each may replace only what is theirs
    assert run(tmp_path, "status").returncode == 7


def test_the_folders_of_a_link_count_like_those_of_what_it_leads_to(tmp_path: Path) -> None:
    kept, between, read = (tmp_path / name for name in ("kept", "between", "read"))
    for folder in (kept, between, read):
        folder.mkdir(mode=0o755)
    (kept / "config.toml").write_text("mirror_mcp_rows = 9\n")
    (between / "link").symlink_to(kept / "config.toml")
    (read / "config.toml").symlink_to("../between/link")
    assert sources(read).mirror_mcp_rows == 9
    for folder in (kept, between, read):
        folder.chmod(0o777)
        assert f"chmod go-w '{folder}'" in refusal(read)
        folder.chmod(0o755)
    (read / "config.toml").unlink()
    (read / "config.toml").symlink_to("config.toml")
    assert "cannot be read" in refusal(read)  # a circle ends


@AS_ROOT
def test_what_belongs_to_another_user_is_not_believed(tmp_path: Path) -> None:
    folder = owner(tmp_path, 'mirror_actions = "on"\nmirror_confirm = "agent"\n')
    for path in (folder / "config.toml", folder, folder.parent, folder / "token"):
        os.chown(path, NOBODY, NOBODY)
        ended = run(tmp_path, "sync", KANDJI_SUBDOMAIN="acme")
        assert ended.returncode == 3
        assert f"{path} (mode " in ended.stderr
        assert "without sudo" in ended.stderr
        assert f"chown root '{path}'" in ended.stderr
        os.chown(path, 0, 0)
    folder.chmod(0o1777)
    (folder / "config.toml").unlink()
    (folder / "config.toml").symlink_to("/etc/hostname")
    os.chown(folder / "config.toml", NOBODY, NOBODY, follow_symlinks=False)
    assert "belongs to another user" in run(tmp_path, "status").stderr


@AS_ROOT
def test_what_belongs_to_root_is_believed_by_everyone() -> None:
    """The judgement of another user, from a process of theirs; it needs no right to read what it judges."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # theirs to enter, unlike that of the tests
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "config.toml").write_text("mirror_mcp_rows = 9\n")
        judged = [as_nobody(folder / "config.toml")]
        for mode, holder in ((0o755, NOBODY), (0o755, NOBODY - 1), (0o777, 0)):
            os.chown(folder, holder, 0)
            folder.chmod(mode)
            judged.append(as_nobody(folder / "config.toml"))
    assert judged[:2] == [None, None]
    assert "If you put it there, look at what it says and run: sudo chown " in str(judged[2])
    assert "everyone may write" in str(judged[3])


def as_nobody(path: Path) -> str | None:
    """What :func:`flaw` tells a user without any right."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        os.setuid(NOBODY)
        os.write(sending, json.dumps(flaw(path)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(sending)
    with os.fdopen(receiving) as said:
        found: str | None = json.loads(said.read())
    return found


def test_a_token_that_others_could_replace_is_neither_read_nor_stored(tmp_path: Path) -> None:
    for name in ("token", "http_token"):
        write_secret(tmp_path / name, STORED)
        assert read_secret(tmp_path / name) == STORED
        tmp_path.chmod(0o770)
        with pytest.raises(ConfigurationError, match=f"chmod go-w '{tmp_path}'"):
            read_secret(tmp_path / name)
        for put in (write_secret, write_new_secret):
            with pytest.raises(ConfigurationError, match=f"chmod go-w '{tmp_path}'"):
                put(tmp_path / f"{name}.new", THEIRS)
        tmp_path.chmod(0o700)
        assert read_secret(tmp_path / name) == STORED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["http_token", "token"]


@AS_ROOT
def test_a_token_of_another_user_is_not_read(tmp_path: Path) -> None:
    write_secret(tmp_path / "token", STORED)
    os.chown(tmp_path / "token", NOBODY, NOBODY)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        read_secret(tmp_path / "token")


def test_no_live_action_begins_where_others_could_forge_what_it_rests_on(tmp_path: Path) -> None:
    owner(tmp_path)
    home = tmp_path / "data"
    home.mkdir(mode=0o700)
    for name in ("confirmations.sqlite", "budget.sqlite", "privacy.key"):
        (home / name).touch(mode=0o600)
    given = {"KANDJI_MIRROR_HOME": str(home), "KANDJI_MIRROR_ACTIONS": "on"}
    for path in (home, *home.iterdir()):
        kept = path.stat().st_mode
        path.chmod(0o770)
        ended = run(tmp_path, "action", "restart", "C02JANE", **given)
        assert (ended.returncode, f"chmod go-w '{path}'" in ended.stderr) == (3, True), ended.stderr
        off = {row["check"]: row for row in rows_of_doctor(tmp_path, 0, **{**given, "KANDJI_MIRROR_ACTIONS": "off"})}
        assert (off["rights"]["health"], f"chmod go-w '{path}'" in off["rights"]["detail"]) == ("warning", True)
        path.chmod(kept)


def test_rules_and_authorities_that_others_may_write_are_told(tmp_path: Path) -> None:
    owner(tmp_path)
    for name in ("compliance.toml", "ca.pem"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o666)
    ended = run(tmp_path, "doctor", "--offline", "--json", KANDJI_MIRROR_CA_FILE=str(tmp_path / "ca.pem"))
    told = {row["check"]: row["detail"] for row in json.loads(ended.stdout)["checks"]}["rights"]
    assert all(f"chmod go-w '{tmp_path / name}'" in told for name in ("compliance.toml", "ca.pem"))


def test_a_key_of_pseudonyms_that_others_could_put_there_is_not_used(tmp_path: Path) -> None:
    key = key_of(tmp_path)
    (tmp_path / "privacy.key").chmod(0o620)
    with pytest.raises(ConfigurationError, match="its group may write"):
        key_of(tmp_path)
    (tmp_path / "privacy.key").chmod(0o600)
    assert key_of(tmp_path) == key


# -- what a folder is, and what a file -----------------------------------------------------------------------------


def test_no_folder_above_and_nothing_but_a_file_is_read(tmp_path: Path) -> None:
    dotenv(tmp_path, KANDJI_MIRROR_MCP_ROWS="9")
    below = tmp_path / "below"
    (below / ".env").mkdir(parents=True)
    assert sources(below).mirror_mcp_rows == 500
    (below / ".env").rmdir()
    (below / ".env").symlink_to(tmp_path / ".env")
    assert sources(below).mirror_mcp_rows == 9
    (below / ".env").unlink()
    os.mkfifo(below / ".env")
    assert sources(below).mirror_mcp_rows == 500


def test_a_byte_order_mark_hides_no_setting(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfKANDJI_MIRROR_MCP_ROWS=9\n")
    (tmp_path / "config.toml").write_bytes(b'\xef\xbb\xbfsubdomain = "acme"\n')
    found = sources(tmp_path)
    assert (found.mirror_mcp_rows, found.subdomain) == (9, "acme")


# -- one source names the tenant as a whole ------------------------------------------------------------------------


def test_the_first_source_that_names_a_tenant_names_it_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('api_url = "http://127.0.0.1:18300"\nregion = "eu"\napi_token = "old"\n')
    found = sources(tmp_path, {"KANDJI_SUBDOMAIN": "acme"})
    assert (found.subdomain, found.region, found.api_url, found.api_token) == ("acme", "us", "", "")
    assert found.origin("subdomain").place == "the environment"
    assert "KANDJI_API_URL" in " ".join(remark.text for remark in found.provenance.remarks)


def test_a_region_alone_joins_a_tenant_that_has_none_and_is_told_where_it_does_not(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('subdomain = "acme"\n')
    assert sources(tmp_path, {"KANDJI_REGION": "eu"}).region == "eu"
    (tmp_path / "config.toml").write_text('subdomain = "acme"\nregion = "us"\n')
    found = sources(tmp_path, {"KANDJI_REGION": "eu"})
    assert found.region == "us"
    assert [remark.grave for remark in found.provenance.remarks] == [True]
    dotenv(tmp_path, KANDJI_REGION="eu")
    (tmp_path / "config.toml").write_text('subdomain = "acme"\n')
    assert sources(tmp_path).region == "us"


def test_a_token_of_the_environment_goes_with_the_owners_tenant(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('subdomain = "acme"\n')
    assert sources(tmp_path, {"KANDJI_API_TOKEN": STORED}).api_token == STORED
    dotenv(tmp_path, KANDJI_API_URL="https://acme.api.iru.com")  # another host of the same tenant
    assert sources(tmp_path, {"KANDJI_API_TOKEN": STORED}).api_token == STORED
    dotenv(tmp_path, KANDJI_API_TOKEN=THEIRS)
    found = sources(tmp_path)
    assert (found.api_token, found.subdomain) == ("", "acme")


@pytest.mark.parametrize(
    "name", ["KANDJI_MIRROR_PRIVCY", "KANJI_MIRROR_PRIVACY", "kandji_mirror_privacy", "MIRROR_PRIVACY"]
)
def test_a_misspelt_name_that_may_mean_privacy_stops_everything(tmp_path: Path, name: str) -> None:
    ended = run(tmp_path, "status", **{name: "agents"})
    assert (ended.returncode, "did you mean KANDJI_MIRROR_PRIVACY?" in ended.stderr) == (3, True)
    dotenv(tmp_path, **{name: "agents"})
    assert run(tmp_path, "status").returncode == 3
    (tmp_path / ".env").unlink()
    assert run(tmp_path, "status", **{name: "agents"}, KANDJI_MIRROR_PRIVACY="agents").returncode == 7


def test_any_other_misspelt_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    dotenv(tmp_path, KANDJI_SUBDOMIAN="acme")
    ended = run(tmp_path, "status", KANDJI_MIRROR_ACTION="on", KANDJI_MIRROR_ZZZ="1", KANDJI_OF_ANOTHER_TOOL="1")
    assert "KANDJI_SUBDOMIAN in" in ended.stderr
    assert "did you mean KANDJI_SUBDOMAIN?" in ended.stderr
    assert "did you mean KANDJI_MIRROR_ACTIONS?" in ended.stderr
    assert "KANDJI_MIRROR_ZZZ in the environment is no setting." in ended.stderr
    assert "ANOTHER_TOOL" not in ended.stderr


def test_settings_tell_where_each_value_comes_from(tmp_path: Path) -> None:
    folder = owner(tmp_path)
    dotenv(tmp_path, KANDJI_MIRROR_MCP_ROWS="9")
    ended = run(tmp_path, "settings", "--json")
    found = {row["setting"]: (row["value"], row["source"]) for row in json.loads(ended.stdout)}
    assert found["KANDJI_SUBDOMAIN"] == ("acme", str(folder / "config.toml"))
    assert found["KANDJI_MIRROR_MCP_ROWS"] == ("9", str(tmp_path / ".env"))
    assert found["KANDJI_MIRROR_HOME"] == (str(tmp_path), "the environment")
    assert found["KANDJI_API_TOKEN"] == ("set", str(folder / "token"))
    assert found["KANDJI_MIRROR_TTL"] == ("-", "default")
    assert found["KANDJI_MIRROR_EXPORT_DIR"] == (str(tmp_path / "exports"), "default")
    assert STORED not in ended.stdout


# -- HOME leads elsewhere ------------------------------------------------------------------------------------------

HOOK, OTHER_HOOK = "https://hooks.example.com/a", "https://hooks.example.com/b"


def of_two_files(folder: Path, own: str, other: str | None) -> Settings:
    """As this account's own file and the one that the environment leads to are read."""
    (folder / "own.toml").write_text(own)
    (folder / "other.toml").unlink(missing_ok=True)
    if other is not None:
        (folder / "other.toml").write_text(other)
    return load({}, folder=folder, config=folder / "other.toml", own=folder / "own.toml", doubtful=True)


@pytest.mark.parametrize(
    ("own", "other", "confirm", "hook", "keychain", "ignored"),
    [
        ("", 'mirror_confirm = "agent"', "human", "", False, "KANDJI_MIRROR_CONFIRM"),
        ('mirror_confirm = "human"', 'mirror_confirm = "agent"', "human", "", False, "KANDJI_MIRROR_CONFIRM"),
        ('mirror_confirm = "agent"', 'mirror_confirm = "human"', "human", "", False, ""),
        ('mirror_confirm = "agent"', 'mirror_confirm = "agent"', "agent", "", False, ""),
        ('mirror_confirm = "agent"', None, "agent", "", False, ""),
        (f'mirror_confirm_code_url = "{HOOK}"', None, "human", HOOK, False, ""),
        (f'mirror_confirm_code_url = "{HOOK}"', "", "human", HOOK, False, ""),
        (f'mirror_confirm_code_url = "{HOOK}"', f'mirror_confirm_code_url = "{OTHER_HOOK}"', "human", HOOK, False,
         "KANDJI_MIRROR_CONFIRM_CODE_URL"),
        ("", f'mirror_confirm_code_url = "{OTHER_HOOK}"', "human", OTHER_HOOK, False, ""),
        ("mirror_audit_keychain = true", "mirror_audit_keychain = false", "human", "", True,
         "KANDJI_MIRROR_AUDIT_KEYCHAIN"),
        ("", "mirror_audit_keychain = true", "human", "", True, ""),
    ],
)  # fmt: skip
def test_another_file_than_the_accounts_own_makes_policy_stricter_and_never_looser(
    tmp_path: Path, own: str, other: str | None, confirm: str, hook: str, keychain: bool, ignored: str
) -> None:
    found = of_two_files(tmp_path, own, other)
    assert (found.mirror_confirm, found.mirror_confirm_code_url, found.mirror_audit_keychain) == (
        confirm, hook, keychain,
    )  # fmt: skip
    told = [remark for remark in found.provenance.remarks if "is ignored" in remark.text]
    assert [remark.grave for remark in told] == ([True] if ignored else [])
    assert all(remark.text.startswith(f"{ignored} in {tmp_path / 'other.toml'}") for remark in told)


def test_no_setting_that_counts_in_the_owners_file_alone_can_be_loosened_by_another_file(tmp_path: Path) -> None:
    """Also those that will come: each is given the strict value by the account and the loose one by the other file."""
    for setting in (s for s in SETTINGS if s.trust is Trust.OWNER):
        strict, loose = (
            (setting.choices[0], setting.choices[-1]) if setting.choices
            else ("on", "off") if isinstance(setting.default, bool)
            else ("/own", "/other")
        )  # fmt: skip
        found = of_two_files(tmp_path, f'{setting.key} = "{strict}"', f'{setting.key} = "{loose}"')
        assert getattr(found, setting.key) == setting.parse(strict), setting.name
        assert "this account's own file" in found.provenance.remarks[0].text


def test_what_else_the_other_file_says_is_its_own(tmp_path: Path) -> None:
    found = of_two_files(tmp_path, 'subdomain = "acme"\nmirror_mcp_rows = 7', "mirror_mcp_rows = 9")
    assert (found.subdomain, found.mirror_mcp_rows) == ("", 9)
    (tmp_path / "same.toml").symlink_to(tmp_path / "own.toml")
    (tmp_path / "own.toml").write_text('mirror_confirm = "agent"')
    same = load({}, folder=tmp_path, config=tmp_path / "same.toml", own=tmp_path / "own.toml")
    assert (same.mirror_confirm, same.provenance.remarks) == ("agent", ())


@pytest.mark.skipif(os.name != "posix", reason="Windows has no list of accounts that says it")
def test_the_accounts_own_folder_does_not_follow_the_environment(tmp_path: Path) -> None:
    asked = "from kandji_schema.trust import own_folder; print(own_folder())"
    said = [
        subprocess.run([sys.executable, "-c", asked], env=env, capture_output=True, text=True, check=True).stdout
        for env in (environment(tmp_path), {**environment(tmp_path), "HOME": "/nowhere", "USER": "nobody"})
    ]
    assert said[0] == said[1]
    assert said[0].startswith(pwd.getpwuid(os.getuid()).pw_dir)
