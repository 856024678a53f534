"""Who may connect over HTTP, from the settings alone."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from http_serving import TOKEN

from kandji_mcp_server.http.access import Access, read_access
from kandji_mcp_server.http.auth import AllowedNames
from kandji_schema.errors import ConfigurationError
from kandji_schema.settings import Settings

ANYWHERE = "0.0.0.0"  # noqa: S104  # never listened on here


def allowed(folder: Path, **settings: Any) -> Access:
    return read_access(Settings(**{f"mirror_http_{name}": value for name, value in settings.items()}), folder=folder)


def test_by_default_this_machine_alone_may_connect(tmp_path: Path) -> None:
    found = allowed(tmp_path)
    assert (found.host, found.port) == ("127.0.0.1", 8765)
    assert set(found.hosts) == {
        *("127.0.0.1", "127.0.0.1:*", "localhost", "localhost:*", "[::1]", "[::1]:*"),
    }
    assert found.origins == ("http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_loopback_needs_a_token_too_and_the_first_start_makes_one_for_its_owner_alone(
    tmp_path: Path, host: str
) -> None:
    folder, settings = tmp_path / "config", Settings(mirror_http_host=host)
    assert read_access(settings, folder=folder).token is None
    assert not folder.exists()  # only a start makes one
    with ThreadPoolExecutor(8) as starts:
        (token,) = {found.token for found in starts.map(lambda _: _started(settings, folder), range(8))}
    assert token is not None
    assert len(token) >= 40
    assert (folder / "http_token").read_text() == f"{token}\n"
    assert [path.name for path in folder.iterdir()] == ["http_token"]
    if os.name == "posix":
        assert (folder / "http_token").stat().st_mode & 0o777 == 0o600


def _started(settings: Settings, folder: Path) -> Access:
    return read_access(settings, folder=folder, make_token=True)


def test_what_merely_looks_like_an_allowed_name_is_another(tmp_path: Path) -> None:
    found = allowed(tmp_path, token=TOKEN, allowed_hosts="mirror.example.com,10.0.0.5:8765")
    hosts, origins = AllowedNames(found.hosts), AllowedNames(found.origins)
    for name in ("127.0.0.1", "localhost", "[::1]", "mirror.example.com"):
        for spelled in (name, f"{name}:1", f"{name}:65535", name.upper()):
            assert spelled in hosts, spelled
        for wrong in (
            *(f"{name}.", f"{name}.evil.com", f"{name}.evil.com:80", f"evil{name}", f"{name}:", f"{name}:x"),
            *(f"{name}:80.evil.com", f"{name}:80@evil.com", f"user@{name}", f"{name}:123456", f"{name} ", f" {name}"),
            *(f"{name}/", f"{name}#", f"http://{name}", f"{name},evil.com", f"{name}\t:80", ""),
        ):
            assert wrong not in hosts, wrong
    assert "10.0.0.5:8765" in hosts
    assert not [name for name in ("10.0.0.5", "10.0.0.5:87650", "10.0.0.5:876", "127.1", "2130706433") if name in hosts]
    for page in ("http://localhost", "http://localhost:6274", "HTTP://LocalHost:1", "http://[::1]:3000"):
        assert page in origins, page
    for page in (
        *("null", "", "http://localhost.evil.com", "http://localhost:1.evil.com", "http://localhost:1@evil.com"),
        *("http://user@localhost", "https://localhost", "http://localhost/", "http://localhost:", "localhost"),
        *("http://127.0.0.1.evil", "http://127.0.0.1:80:80", "file://localhost", "http://localhost."),
    ):
        assert page not in origins, page


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": ANYWHERE}, "needs a bearer token"),
        ({"host": "::"}, "needs a bearer token"),
        ({"host": "10.0.0.5", "allowed_hosts": "10.0.0.5"}, "needs a bearer token"),
        ({"host": "mirror.example.com"}, "needs a bearer token"),
        ({"host": ANYWHERE, "token": TOKEN}, "needs the names clients may use"),
        ({"allowed_hosts": "mirror.example.com"}, "needs a bearer token"),
        ({"allowed_origins": "https://portal.example.com"}, "needs a bearer token"),
        ({"token": "short"}, "at least 24 characters"),
        ({"token": "s" * 24 + " "}, "at least 24 characters"),
        ({"token": TOKEN, "allowed_hosts": "https://mirror.example.com"}, "must be a host"),
        ({"token": TOKEN, "allowed_hosts": "*"}, "must be a host"),
        ({"token": TOKEN, "allowed_hosts": "*.example.com"}, "must be a host"),
        ({"token": TOKEN, "allowed_hosts": "mirror.example.com/path"}, "must be a host"),
        ({"token": TOKEN, "allowed_origins": "portal.example.com"}, "must be a scheme and a host"),
        ({"token": TOKEN, "allowed_origins": "*"}, "must be a scheme and a host"),
        ({"token": TOKEN, "allowed_origins": "https://portal.example.com/page"}, "must be a scheme and a host"),
    ],
)
def test_an_open_door_is_refused(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        allowed(tmp_path, **settings)
    assert str(settings.get("token", "-none-")) not in str(caught.value)


def test_names_are_let_in_on_any_port_unless_they_name_one(tmp_path: Path) -> None:
    names = "Mirror.Example.com, 10.0.0.5:8765,2001:db8::1"
    found = allowed(tmp_path, host=ANYWHERE, token=TOKEN, allowed_hosts=names)
    assert found.hosts[6:] == (
        *("mirror.example.com", "mirror.example.com:*", "10.0.0.5:8765", "[2001:db8::1]", "[2001:db8::1]:*"),
    )


def test_the_token_is_not_shown(tmp_path: Path) -> None:
    assert TOKEN not in repr(allowed(tmp_path, token=TOKEN))


def test_the_token_may_be_in_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "http_token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    assert allowed(tmp_path).token == TOKEN
    assert allowed(tmp_path, token=TOKEN[::-1]).token == TOKEN[::-1]
    if os.name == "posix":
        file.chmod(0o644)
        with pytest.raises(ConfigurationError, match="chmod 600"):
            allowed(tmp_path)
