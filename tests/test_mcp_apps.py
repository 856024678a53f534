"""Pictures inside AI clients: who is told of them, what they are made of, and that nobody else pays for them."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.extension import ClientExtension, advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import ListResourcesResult, ListToolsResult, TextResourceContents
from mcp_calls import SHOWS, Call, Era, calls, opened
from reads_home import device, publish

from kandji_mcp_server.apps.extension import CHART, DEVICE
from kandji_mcp_server.apps.views import KEY
from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.server import build_server

CANNOT: Sequence[Sequence[ClientExtension]] = ((), [advertise(EXTENSION_ID, {"mimeTypes": ["text/uri-list"]})])

Said = tuple[ListToolsResult, ListResourcesResult]


def asked(mirror: ServerContext, era: Era, extensions: Sequence[ClientExtension]) -> Said:
    async def talk() -> Said:
        async with Client(build_server(mirror), mode=era, extensions=extensions) as client:
            return await client.list_tools(), await client.list_resources()

    return anyio.run(talk)


def views(mirror: ServerContext, era: Era, *wanted: Call) -> list[dict[str, Any]]:
    """What the page gets of each call."""
    found = calls(mirror, era, *wanted, extensions=SHOWS)
    assert not any(one.is_error for one in found)
    return [(one.meta or {})[KEY] for one in found]


PERSON = {"user_name": "Ana Ortiz", "user_email": "ana@example.org", "user_id": "u1"}
HEAD = "-- title: Mine\n-- description: By platform.\n-- chart: bar x={} y=devices unit=devices\n"
SELECT = "SELECT platform, count(*) AS devices FROM devices GROUP BY ALL ORDER BY ALL;\n"

ASKED: dict[str, Call] = {
    "platforms": ("run_query", {"name": "devices_by_platform"}),
    "models": ("run_query", {"name": "devices_by_model"}),
    "alone": ("run_query", {"name": "devices_without_user"}),
    "nothing": ("run_query", {"name": "devices_with_app", "params": {"app": "nonsense"}}),
    "device": ("device_profile", {"device": "S1"}),
    "person": ("device_profile", {"device": "ana@example.org"}),
    "mine": ("run_query", {"name": "mine"}),
    "wrong": ("run_query", {"name": "wrong"}),
    "cut": ("run_query", {"name": "cut"}),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What pages get of a fleet with an odd device, a person with two, and queries of the owner's."""
    home = tmp_path_factory.mktemp("seen")
    odd = device(1, model="<script>x</script>\u202eevil", device_name="Mac\u200b 1", **PERSON)
    posture = [{"device_id": "d1", "status": True}]
    publish(home, {"devices": [odd, device(2, **PERSON), device(3, platform="iPad")], "prism_filevault": posture})
    (home / "queries").mkdir()
    for name, x in (("mine", "platform"), ("wrong", "nowhere")):
        (home / "queries" / f"{name}.sql").write_text(HEAD.format(x) + SELECT)
    (home / "queries" / "cut.sql").write_text(HEAD.format("i") + "SELECT i, 1 AS devices FROM range(600) AS t(i);")
    with opened(home) as mirror:
        return dict(zip(ASKED, views(mirror, "auto", *ASKED.values()), strict=True))


def test_pages_are_offered_to_clients_that_show_them_and_cost_others_nothing(mirror: ServerContext, era: Era) -> None:
    tools, resources = asked(mirror, era, SHOWS)

    told = {tool.name: tool.meta for tool in tools.tools if tool.meta}
    assert told == {
        name: {"ui": {"resourceUri": uri}} for name, uri in (("run_query", CHART), ("device_profile", DEVICE))
    }
    assert {CHART, DEVICE} <= {str(resource.uri) for resource in resources.resources}
    for cannot in CANNOT:
        plain, without = asked(mirror, era, cannot)
        assert "ui://" not in plain.model_dump_json(by_alias=True) + without.model_dump_json(by_alias=True)
        assert [tool.model_copy(update={"meta": None}) for tool in tools.tools] == plain.tools


def test_a_page_is_small_and_asks_for_nothing(mirror: ServerContext, era: Era) -> None:
    async def talk() -> list[TextResourceContents]:
        async with Client(build_server(mirror), mode=era, extensions=SHOWS) as client:
            read = [await client.read_resource(uri) for uri in (CHART, DEVICE)]
            return [part for one in read for part in one.contents if isinstance(part, TextResourceContents)]

    pages = anyio.run(talk)

    assert len(pages) == 2
    for page in pages:
        assert page.mime_type == APP_MIME_TYPE
        assert page.meta == {"ui": {"csp": {}, "prefersBorder": True}}
        assert len(page.text) < 13_000
        for word in ("http:", "https:", "import(", "fetch(", "innerHTML", "eval(", " src=", "style="):
            assert word not in page.text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["platforms", "device"])
def test_all_but_the_view_is_what_every_client_gets(mirror: ServerContext, era: Era, name: str) -> None:
    (found,), (plain,) = (calls(mirror, era, ASKED[name], extensions=some) for some in (SHOWS, ()))

    assert KEY in (found.meta or {})
    assert KEY not in (plain.meta or {})
    assert (found.content, found.structured_content) == (plain.content, plain.structured_content)


@pytest.mark.slow
def test_an_answer_has_its_picture_where_no_model_reads_it(seen: dict[str, dict[str, Any]]) -> None:
    view = seen["platforms"]

    assert view["title"]
    assert "2" in view["sentence"]
    assert view["dated"] == "As of 2026-11-20 12:00 UTC, 3 min old."
    assert view["svg"].startswith("<svg ")
    assert "iPad" in view["svg"]
    assert "style" not in view["svg"]


@pytest.mark.slow
def test_what_has_no_picture_has_its_title_sentence_and_date(seen: dict[str, dict[str, Any]]) -> None:
    for view in (seen["alone"], seen["nothing"]):
        assert "svg" not in view
        assert view["title"]
        assert view["dated"]
    assert seen["nothing"]["sentence"].startswith("Nothing to show")


def test_without_the_extra_there_is_all_but_the_picture(mirror: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)  # what an installation without it finds

    (view,) = views(mirror, "auto", ASKED["platforms"])

    assert "svg" not in view
    assert view["sentence"]
    assert "kandji-mirror[charts]" in view["remarks"][0]


@pytest.mark.slow
def test_what_is_cut_says_that_the_picture_is_of_a_part(seen: dict[str, dict[str, Any]]) -> None:
    assert seen["cut"]["remarks"][0] == "What is said and drawn is of the first 500 rows alone; there are more."
    assert seen["mine"]["remarks"] == []


@pytest.mark.slow
def test_a_query_of_ones_own_has_its_picture_and_one_that_does_not_fit_says_so(seen: dict[str, dict[str, Any]]) -> None:
    assert "iPad" in seen["mine"]["svg"]
    assert "svg" not in seen["wrong"]
    assert "nowhere" in seen["wrong"]["remarks"][0]


@pytest.mark.slow
def test_a_device_is_a_card_of_labels_and_words(seen: dict[str, dict[str, Any]]) -> None:
    view = seen["device"]

    assert (view["title"], "S1" in view["sentence"]) == ("Mac 1", True)
    facts = {label: rest for block in view["blocks"] for label, *rest in block.get("facts", ())}
    assert facts["FileVault"] == ["on", "good"]
    tables = {block["title"]: block for block in view["blocks"] if "rows" in block}
    assert all(len(row) == len(block["heads"]) for block in tables.values() for row in block["rows"])
    assert len(json.dumps(view)) < 8_000


@pytest.mark.slow
def test_devices_of_a_person_are_cards_in_short(seen: dict[str, dict[str, Any]]) -> None:
    assert {block["title"] for block in seen["person"]["blocks"]} == {"Mac 1", "Mac 2"}


@pytest.mark.slow
def test_what_nobody_sees_is_taken_out_and_markup_stays_text(seen: dict[str, dict[str, Any]]) -> None:
    assert not {"\u202e", "\u200b"} & set(json.dumps(seen, ensure_ascii=False))
    assert "<script" not in seen["models"]["svg"]
    assert "&lt;script&gt;" in seen["models"]["svg"]
