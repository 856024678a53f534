"""Proxies as the environment names them, however oddly: nothing of it breaks what needs no proxy."""

import gc
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from commands import environment
from loopback import served

from kandji_mirror.api.proxies import proxy_of
from kandji_mirror.api.transport import HttpTransport
from kandji_schema.errors import ConfigurationError, Unreachable
from kandji_schema.http import Request

API = "https://acme.api.kandji.io"
PROXY = "http://proxy.example:3128"
ODD = (
    "fd00::/8",
    "[::1]",
    "[fd00::]/8",
    "10.0.0.0/99",
    "::1",
    "[",
    "http://",
    "*:x",
    ",,;",
    " ",
    "\u0131.\u0130",
    "a b",
)


def test_an_odd_exception_breaks_nothing_and_excepts_nobody() -> None:
    for entry in ODD:
        assert proxy_of(API, {"NO_PROXY": entry}) is None
        assert proxy_of(API, {"NO_PROXY": entry, "HTTPS_PROXY": PROXY}) == PROXY


EXCEPTED = (
    (API, "*"),
    (API, "localhost, kandji.io"),
    (API, "localhost kandji.io"),
    (API, ".api.kandji.io"),
    (API, "*.kandji.io"),
    (API, "ACME.api.Kandji.IO"),
    (API, "acme.api.kandji.io:443"),
    ("https://10.1.2.3", "10.0.0.0/8"),
    ("https://10.1.2.3:8443", "10.1.2.3:8443"),
    ("https://[fd12::1]", "127.0.0.1,fd00::/8"),
    ("https://[fd12::1]", "[fd12:0::1]"),
)


def test_exceptions_are_read_as_people_write_them() -> None:
    for url, entry in EXCEPTED:
        for name in ("no_proxy", "NO_PROXY"):
            assert proxy_of(url, {"https_proxy": PROXY, name: entry}) is None, (url, entry)


def test_what_only_looks_like_an_exception_is_none() -> None:
    others = (
        (API, "andji.io"),
        (API, "kandji.io.example"),
        (API, "acme.api.kandji.io:8443"),
        (API, "10.0.0.0/8"),
        ("https://11.1.2.3", "10.0.0.0/8"),
        ("https://[fe80::1]", "fd00::/8"),
    )
    for url, entry in others:
        assert proxy_of(url, {"https_proxy": PROXY, "no_proxy": entry}) == PROXY, (url, entry)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HTTPS_PROXY": " proxy.example:3128 "}, PROXY),
        ({"HTTPS_PROXY": f"{PROXY}/"}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other.example"}, PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": "http://other.example"}, None),
        ({"ALL_PROXY": "SOCKS://proxy.example:1080"}, "socks5://proxy.example:1080"),
        ({"ALL_PROXY": "http://other.example", "HTTPS_PROXY": PROXY}, PROXY),
        ({"HTTPS_PROXY": " ", "NO_PROXY": " "}, None),
        ({"HTTP_PROXY": "http://[::1", "http_proxy": "carrier-pigeon://x"}, None),
    ],
)
def test_a_variable_in_either_case_counts_and_one_for_another_scheme_does_not(
    variables: Mapping[str, str], expected: str | None
) -> None:
    assert proxy_of(API, variables) == expected


@pytest.mark.parametrize(
    "value", ["carrier-pigeon://user:hunter2@p", "http://", "http://[::1", "http://hunter2:port", "x y"]
)
def test_a_proxy_that_would_be_asked_and_cannot_be_is_named_without_its_value(value: str) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY"):
        with pytest.raises(ConfigurationError, match=name) as raised:
            proxy_of(API, {name: value})
        assert "hunter2" not in str(raised.value)
        assert proxy_of(API, {name: value, "NO_PROXY": "kandji.io"}) is None


def test_this_machine_is_never_asked_through_a_proxy() -> None:
    for host in ("127.0.0.1:8080", "127.8.9.10", "[::1]:8080", "localhost"):
        assert proxy_of(f"http://{host}", {"HTTP_PROXY": PROXY, "ALL_PROXY": "socks5://[", "HTTPS_PROXY": "?"}) is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpcore leaves the socket open
def test_a_socks_proxy_is_asked_for_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with served(b"\x05\xff") as proxy:  # version 5, no way to log in that suits it
        monkeypatch.setenv("ALL_PROXY", proxy.url.replace("http:", "socks5h:"))
        with HttpTransport(API, read_timeout=2) as send, pytest.raises(Unreachable) as raised:
            send(Request("GET", "/api/v1/devices"))
    assert proxy.received == [b"\x05\x01\x00"]
    assert not raised.value.sent
    del raised
    gc.collect()  # the warning belongs to this test


def test_without_its_extra_a_socks_proxy_names_the_command_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "socksio.py").write_text("raise ModuleNotFoundError('No module named socksio')")
    asked = f"from kandji_mirror.api.transport import HttpTransport; HttpTransport({API!r}, read_timeout=2)"
    variables = environment(tmp_path, PYTHONPATH=str(tmp_path), ALL_PROXY="socks5://127.0.0.1:1", NO_PROXY="")
    plain = {name: value for name, value in variables.items() if name.lower() != "https_proxy"}
    done = subprocess.run([sys.executable, "-c", asked], env=plain, capture_output=True, text=True, check=False)
    assert "ConfigurationError" in done.stderr
    assert "pip install 'kandji-mirror[socks]'" in done.stderr


def test_a_file_of_authorities_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(ConfigurationError, match=r"SSL_CERT_FILE '/nowhere/ca\.pem'.*remove the setting"):
        HttpTransport(API, read_timeout=2)
    with HttpTransport("http://127.0.0.1:1", read_timeout=2):
        pass  # plain http trusts nobody's certificates
