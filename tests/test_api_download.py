"""Downloads of signed URLs, against small servers on loopback."""

import logging
from pathlib import Path

import pytest
from loopback import Server, served, silent

from kandji_mirror.api.download import Download, checked_url
from kandji_schema.errors import ApiError, MirrorError, Rejected, ServerFault, StoreFull, Unreachable

API = "http://127.0.0.1:8000"
QUERY = "?X-Amz-Credential=AKIA%2F20261124%2Fs3&X-Amz-Signature=5ecret~a+b%2B&x=a%20b"
CSV = b"device_id,name\r\nd1,Zo\xc3\xab\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nSet-Cookie: seen=1; Path=/\r\nContent-Length: %d\r\n\r\n"
WHOLE = HEAD % len(CSV) + CSV


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "export.csv"


def signed(server: Server, query: str = QUERY) -> str:
    return f"{server.url}/bucket/export%20(1).csv{query}"


def downloaded(answer: bytes, target: Path, **limits: float) -> None:
    with served(answer) as server, Download(API, **{"read_timeout": 2, **limits}) as fetch:  # type: ignore[arg-type]  # bounds
        fetch(signed(server), target)


def refused(answer: bytes, target: Path, **limits: float) -> MirrorError:
    with pytest.raises(MirrorError) as raised:
        downloaded(answer, target, **limits)
    assert "5ecret" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert not target.exists()
    return raised.value


def test_a_file_arrives_byte_for_byte(target: Path) -> None:
    target.write_bytes(b"of an earlier attempt, and longer than what comes now")
    downloaded(WHOLE, target)
    assert target.read_bytes() == CSV


def test_the_url_goes_out_as_it_was_signed_and_nothing_of_ours_with_it(target: Path) -> None:
    with served(WHOLE) as server, Download(API, read_timeout=20) as fetch:
        fetch(signed(server), target)
        fetch(signed(server), target)
    for request in server.received:
        line, *headers = request.decode().strip().split("\r\n")
        assert line == f"GET /bucket/export%20(1).csv{QUERY} HTTP/1.1"
        names = {header.partition(":")[0].lower() for header in headers}
        assert names == {"host", "accept", "accept-encoding", "connection", "user-agent"}
        assert "kandji" not in request.decode().lower()


def test_a_chunked_file_is_whole_at_its_last_chunk(target: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    downloaded(head + b"4\r\na,b\n\r\n0\r\n\r\n", target)
    assert target.read_bytes() == b"a,b\n"
    assert isinstance(refused_copy(head + b"4\r\na,b\n\r\n", target), Unreachable)


def refused_copy(answer: bytes, target: Path) -> MirrorError:
    return refused(answer, target.with_name("copy.csv"))


@pytest.mark.parametrize("missing", [1, len(CSV)])
def test_a_file_cut_short_does_not_stay(missing: int, target: Path) -> None:
    error = refused(WHOLE[:-missing], target)
    assert isinstance(error, Unreachable)
    assert error.sent


def test_a_file_without_a_length_could_be_cut_unseen(target: Path) -> None:
    assert isinstance(refused(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + CSV, target), ServerFault)


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_an_expired_address_is_refused_without_its_explanation(status: int, target: Path) -> None:
    body = b"<Error><Message>Request has expired</Message><StringToSign>5ecret</StringToSign></Error>"
    error = refused(b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body), target)
    assert isinstance(error, Rejected)
    assert (error.status, "StringToSign" in str(error)) == (status, False)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int, target: Path) -> None:
    with served(WHOLE) as elsewhere:
        location = f"Location: {elsewhere.url}/x".encode()
        error = refused(b"HTTP/1.1 %d Moved\r\n%s\r\nContent-Length: 0\r\n\r\n" % (status, location), target)
    assert (type(error), elsewhere.received) == (Rejected, [])


@pytest.mark.parametrize("status", [204, 206, 429, 500, 503])
def test_anything_else_may_pass(status: int, target: Path) -> None:
    error = refused(b"HTTP/1.1 %d Hm\r\nContent-Length: 0\r\n\r\n" % status, target)
    assert isinstance(error, ServerFault)


def test_a_web_page_is_no_file(target: Path) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/HTML; charset=utf-8\r\nContent-Length: 9\r\n\r\n<p>log in"
    assert isinstance(refused(page, target), ServerFault)


def test_a_file_beyond_the_limit_is_given_up(target: Path) -> None:
    assert "larger than 10 bytes" in str(refused(WHOLE, target, max_bytes=10))


def test_a_file_that_drips_is_given_up_after_the_total_timeout(target: Path) -> None:
    """The clock moves on by 1,500 s at every look: the third piece is too late."""
    ticks = iter(range(0, 1_000_000, 1_500))
    drip = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n,\r\n" * 100
    with (
        served(drip) as server,
        Download(API, read_timeout=2, clock=lambda: next(ticks)) as fetch,
        pytest.raises(Unreachable, match="not complete after 3600 s"),
    ):
        fetch(signed(server), target)
    assert not target.exists()


def test_a_silent_storage_is_given_up_after_the_read_timeout(target: Path) -> None:
    with silent() as server, Download(API, read_timeout=0.1) as fetch, pytest.raises(Unreachable, match="READ_TIMEOUT"):
        fetch(f"{server.url}/x", target)


def test_a_storage_that_is_not_there_does_not_blame_the_tenants_name(target: Path) -> None:
    with served(WHOLE) as server:
        url = signed(server)
    with Download(API, read_timeout=2) as fetch, pytest.raises(Unreachable, match="the firewall") as raised:
        fetch(url, target)
    assert (raised.value.sent, "5ecret" in str(raised.value)) == (False, False)


def test_a_closed_download_takes_no_further_piece(target: Path) -> None:
    with served(WHOLE) as server, Download(API, read_timeout=20) as fetch:
        fetch.close()
        with pytest.raises(Unreachable, match="stopped"):
            fetch(signed(server), target)
    assert not target.exists()


@pytest.mark.parametrize("place", ["missing/export.csv", ""])
def test_a_file_that_cannot_be_written_is_trouble_with_the_store(place: str, tmp_path: Path) -> None:
    with (
        served(WHOLE) as server,
        Download(API, read_timeout=2) as fetch,
        pytest.raises(StoreFull, match="KANDJI_MIRROR_HOME"),
    ):
        fetch(signed(server), tmp_path / place)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    full = tmp_path / "export.csv"
    full.symlink_to("/dev/full")
    with (
        served(HEAD % 200_000 + b"," * 200_000) as server,
        Download(API, read_timeout=2) as fetch,
        pytest.raises(StoreFull, match=r"No space left on device\. Free some space"),
    ):
        fetch(signed(server), full)


def test_downloads_are_not_logged(target: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        downloaded(WHOLE, target)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("api", "url"),
    [
        ("https://acme.api.kandji.io", "http://files.example/x"),
        ("https://acme.api.kandji.io", "http://127.0.0.1/x"),
        (API, "http://files.example/x"),
        (API, "ftp://127.0.0.1/x"),
        (API, "file:///etc/passwd"),
        (API, "//127.0.0.1/x"),
        (API, "/x"),
        (API, ""),
        (API, "https:///x"),
        (API, "https://user:pass@files.example/x"),
        (API, "http://127.0.0.1\\@files.example/x"),
        (API, "https://files.example/x\r\nHost: other"),
        (API, "https://files.example/a b"),
        (API, "https://files.example:port/x"),
        (API, "https://[::1/x"),
    ],
)
def test_an_address_that_must_not_be_asked_is_refused_unrepeated(api: str, url: str, target: Path) -> None:
    with Download(api, read_timeout=0.1) as fetch, pytest.raises(Rejected, match="Nothing was sent") as raised:
        fetch(url, target)
    assert "files.example" not in str(raised.value)


@pytest.mark.parametrize(
    ("api", "url"),
    [
        ("https://acme.api.kandji.io", "https://bucket.s3.amazonaws.com/x?y=z"),
        (API, "https://bucket.s3.amazonaws.com/x"),
        (API, "http://127.0.0.2:9/x"),
        ("http://[::1]:1", "http://localhost:9/x"),
    ],
)
def test_https_anywhere_and_http_on_this_machine_are_asked(api: str, url: str) -> None:
    assert checked_url(url, api).geturl() == url


def test_every_trouble_of_the_network_is_one_of_the_api(target: Path) -> None:
    assert isinstance(refused(b"SSH-2.0-OpenSSH_9.6\r\n", target), ApiError)


def test_an_address_in_a_private_network_is_not_asked() -> None:
    for host in (
        "10.0.0.5",
        "192.168.1.1",
        "169.254.169.254",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[fe80::1]",
        "[fc00::1]",
    ):
        with pytest.raises(Rejected, match="private"):
            checked_url(f"https://{host}/file", "https://acme.api.kandji.io")


def test_a_name_that_leads_into_a_private_network_is_not_asked(target: Path) -> None:
    with silent() as server:
        port = server.url.rpartition(":")[2]
        for host in ("127.1", "2130706433", "0x7f000001", "017700000001", "[::ffff:127.0.0.1]", "LOCALHOST", "0"):
            with (
                Download("https://acme.api.kandji.io", read_timeout=0.1) as fetch,
                pytest.raises(Rejected, match="leads into a private network"),
            ):
                fetch(f"https://{host}:{port}/x", target)
    assert not target.exists()
