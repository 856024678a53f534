"""The page of a device, and the state of the mirror, as a browser gets them."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import pytest
from http_serving import KNOWN, Serving, asked, serving
from reads_home import device, publish

MARKUP = "<img src=x onerror=alert(1)>\"'& \u202egnol"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("pages")
    facts = {"user_id": 7, "user_name": "Jane Doe", "user_email": "jane@example.org"}
    devices = [
        device(1, device_name=MARKUP, asset_tag=MARKUP),
        device(2, device_name="Mac A/B", **facts, is_missing=True),  # yet it was in contact an hour ago
        device(3, device_name="iPad", platform="iPad", blueprint_id="b2", **facts),  # two blueprints of one name
        device(
            4,
            blueprint_id=None,
            blueprint_name=None,
            device_name=None,
            serial_number=None,
            model=None,
            os_version=None,
            last_check_in=None,
        ),
    ]
    filevault = [{"device_id": "d1", "status": False}, {"device_id": "d2", "status": True}]
    publish(home, {"devices": devices, "prism_filevault": filevault})
    with serving(home, "--no-sync") as started:
        yield started


def page(server: Serving, path: str) -> str:
    answer = asked(server.url, "GET", path, **KNOWN)
    assert answer.status == 200, answer.text
    return answer.text


@pytest.mark.parametrize("named", ["d2", "S2", "s2", "Mac A/B"])
def test_a_device_is_found_by_what_people_call_it(server: Serving, named: str) -> None:
    found = page(server, f"/devices/{quote(named, safe='/')}")
    assert "<h1>Mac A/B</h1>" in found
    assert 'href="/devices/jane%40example.org"' in found
    assert '<dt>FileVault</dt><dd><span class="good">on</span></dd>' in found


def test_a_name_with_markup_is_a_name(server: Serving) -> None:
    found = page(server, "/devices/d1")
    assert "<img" not in found
    assert "&lt;img src=x onerror=alert(1)&gt;" in found
    assert "\u202e" not in found
    assert "\\u202egnol" in found
    assert '<span class="bad">off</span>' in found


def test_what_contradicts_itself_is_told_in_words(server: Serving) -> None:
    found = page(server, "/devices/d2").partition('id="contradictions"')[2].partition("</section>")[0]
    (says, why) = re.findall(r'<p>([^<]+) <span class="soft">([^<]+)</span></p>', found)[0]
    assert "issing" in says + why
    assert not re.search(r"\w_\w", says), "no name of a rule"


def test_what_is_not_known_is_said(server: Serving) -> None:
    found = page(server, "/devices/d4")
    assert "<h1>A device without a name</h1>" in found
    assert "not known" in found
    assert "since it was never read" in found


def test_a_person_leads_to_all_devices_of_theirs(server: Serving) -> None:
    found = page(server, "/devices/jane@example.org")
    assert 'href="/devices/d2"' in found
    assert 'href="/devices/d3"' in found
    assert 'href="/devices/d1"' not in found


@pytest.mark.parametrize("named", ["nobody", "'; DROP TABLE devices; --", "%", "x" * 3_000, "<script>"])
def test_a_device_that_is_not_there_is_no_page(server: Serving, named: str) -> None:
    answer = asked(server.url, "GET", f"/devices/{quote(named, safe='')}", **KNOWN)
    assert answer.status == 400
    assert "<script>" not in answer.text


def test_the_state_of_every_table_leads_to_its_rows(server: Serving) -> None:
    found = page(server, "/status")
    assert '<a href="/tables/devices">devices</a></th><td class="good">ok</td><td class="n">4</td>' in found
    assert '<a href="/tables/apps">apps</a></th><td class="">never synced</td>' in found


def test_blueprints_of_one_name_are_rows_of_their_own_and_each_number_leads_to_its_devices(server: Serving) -> None:
    found = page(server, "/compliance")
    heads = re.findall(r'<th scope="row"><a href="([^"]+)">([^<]+)</a>', found)
    assert heads == [
        ("/tables/fleet?blueprint_id__unknown=1", "(no blueprint)"),
        ("/tables/fleet?blueprint_id=b1", "Engineering"),
        ("/tables/fleet?blueprint_id=b2", "Engineering"),
    ]
    rows = [re.findall(r'<h2 id="rows">(\d+) rows?<', page(server, unescape(to))) for to, _ in heads]
    assert rows == [["1"], ["2"], ["1"]]
    assert "filevault_<wbr>on" in found
    (link,) = re.findall(
        r'<a class="good" href="([^"]+rule=not_removed&amp;blueprint=b1&amp;[^"]+)">100.0 %</a>', found
    )
    assert '<h2 id="answer">2 rows</h2>' in page(server, unescape(link))
    # of what nobody knows no share is told
    assert re.search(r'<a class="" href="[^"]+rule=firewall_on[^"]+">unknown</a>', found)


@pytest.mark.slow
def test_each_number_of_the_overview_leads_to_what_it_counts(server: Serving) -> None:
    found = page(server, "/")
    begin = found.partition("On this page")[0]
    links = dict(re.findall(r'<a href="([^"]+)">[^<]+</a> <span class="n">([^<]+)</span>', begin))
    assert links["/queries/macs_without_filevault"] == "1"
    assert links["/queries/devices_by_platform"] == "4"
    assert "<code>kandji-mirror sync</code>" in begin
    empty = found.partition("Parameters that fail most")[2].partition("</figure>")[0]
    assert "never synced, so empty here" in empty
    assert "due after" not in empty, "how old rows are is no reason that there are none"
    for link in links:
        assert asked(server.url, "GET", unescape(link), **KNOWN).status == 200, link
    assert found.rstrip().endswith("</html>")
    assert found.count("<figure") == found.count("</figure>") > 10
    assert "Traceback" not in found


@pytest.mark.heavy
def test_a_picture_of_more_rows_than_its_table_says_how_many_are_left(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("many")
    apps = [
        {"device_id": "d1", "bundle_id": f"com.b{i}", "path": f"/{i}", "developer_name": f"D{i}"} for i in range(130)
    ]
    publish(home, {"devices": [device(1)], "apps": [{**app, "name": app["bundle_id"]} for app in apps]})
    with serving(home, "--no-sync") as started:
        found = page(started, "/")
    assert '<a href="/queries/apps_by_developer">30 more rows</a>' in found
    assert "110 others" in found


def test_a_name_without_a_blank_may_be_broken_wherever_it_stands(server: Serving) -> None:
    rules = dict(
        re.findall(r"^([^{}\n]+) \{ ([^}]+) \}", asked(server.url, "GET", "/assets/site.css", **KNOWN).text, re.M)
    )
    wide = [place for place in ("figcaption", "h1", ".facts dt") if "overflow-wrap: anywhere" not in rules[place]]
    assert wide == [], "300 letters in a sentence made the overview wider than a telephone"
