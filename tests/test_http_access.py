"""Who may connect over HTTP, from the settings alone."""

import os
from pathlib import Path
from typing import Any

import pytest
from http_serving import TOKEN

from kandji_mcp_server.http.access import Access, access
from kandji_schema.errors import ConfigurationError
from kandji_schema.settings import Settings

ANYWHERE = "0.0.0.0"  # noqa: S104  # never listened on here


def allowed(folder: Path, **settings: Any) -> Access:
    return access(Settings(**{f"mirror_http_{name}": value for name, value in settings.items()}), folder=folder)


def test_by_default_this_machine_alone_may_connect_and_needs_no_token(tmp_path: Path) -> None:
    found = allowed(tmp_path)
    assert (found.host, found.port, found.token, found.pages) == ("127.0.0.1", 8765, None, ())
    assert set(found.hosts) == {
        *("127.0.0.1", "127.0.0.1:*", "localhost", "localhost:*", "[::1]", "[::1]:*"),
    }
    assert found.origins == ("http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_loopback_needs_no_token(tmp_path: Path, host: str) -> None:
    assert allowed(tmp_path, host=host).token is None


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
