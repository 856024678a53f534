"""The page inside an AI client, in a real browser: a host that speaks the protocol, and what is seen of real answers.

The host forbids all that a page may not need: no request, and of scripts and styles only those of the page itself.
"""

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import SERIOUS, Seen, browser, looking
from mcp_calls import SHOWS, calls, opened
from playwright.sync_api import Browser, Frame
from reads_home import device, publish

from kandji_mcp_server.apps.page import page
from kandji_mcp_server.apps.views import KEY

pytestmark = pytest.mark.heavy

HOST = """
<!doctype html><html lang="en"><head><title>Host</title></head><body><main>
<iframe id="app" title="App" sandbox="allow-scripts" width="600" height="150"></iframe></main></body></html>
"""

START = """
([html, theme]) => {
  window.heard = [];
  const frame = document.getElementById("app");
  const tell = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
  window.tell = tell;
  window.addEventListener("message", ({ data }) => {
    heard.push(data);
    if (data.method === "ui/initialize")
      tell({ id: data.id, result: { protocolVersion: "2026-01-26", hostInfo: { name: "host", version: "1" },
        hostCapabilities: {}, hostContext: { theme, styles: { variables: { "--font-sans": "serif" } } } } });
    if (data.method === "ui/notifications/size-changed") frame.height = data.params.height;
  });
  frame.srcdoc = html;
}
"""


def policed(html: str) -> str:
    """The page as a strict host has it: its own script and style by their hashes, and nothing else at all."""
    kinds = {"script-src": "script", "style-src": "style"}
    own = {kind: re.findall(f"<{tag}>(.*?)</{tag}>", html, re.S)[0] for kind, tag in kinds.items()}
    hashes = {kind: base64.b64encode(sha256(text.encode()).digest()).decode() for kind, text in own.items()}
    rules = "; ".join(["default-src 'none'", *(f"{kind} 'sha256-{hashed}'" for kind, hashed in hashes.items())])
    return html.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{rules}">', 1)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Results as a host passes them on."""
    home = tmp_path_factory.mktemp("home")
    models = [f"MacBook Pro {number}" for number in range(12)]
    macs = [device(n, model=models[n % 12], os_version=None if n % 5 == 0 else f"26.{n % 3}") for n in range(60)]
    macs[1]["model"] = "<img src=x onerror=alert(1)>"
    publish(home, {"devices": macs, "prism_filevault": [{"device_id": "d1", "status": False}]})
    wanted = {
        "chart": ("run_query", {"name": "devices_by_model"}),
        "table": ("run_query", {"name": "devices_without_user"}),
        "device": ("device_profile", {"device": "S1"}),
        "wrong": ("device_profile", {"device": "nobody at all"}),
    }
    with opened(home) as mirror, ThreadPoolExecutor(1) as other:  # the browser's own loop has this thread
        found = other.submit(calls, mirror, "auto", *wanted.values(), extensions=SHOWS).result()
    sent = (one.model_dump(by_alias=True, mode="json", exclude_none=True) for one in found)
    return dict(zip(wanted, sent, strict=True))


def started(seen: Seen, theme: str = "light") -> Frame:
    """The page in its frame, once it has said that it is ready."""
    seen.page.set_content(HOST)
    seen.page.evaluate(START, [policed(page("A chart")), theme])
    seen.page.wait_for_function("heard.some((told) => told.method === 'ui/notifications/initialized')")
    (frame,) = seen.page.frames[1:]
    return frame


def shown(seen: Seen, frame: Frame, result: dict[str, Any]) -> str:
    """What is read in the page once it has the result."""
    seen.page.evaluate("(params) => tell({ method: 'ui/notifications/tool-result', params })", result)
    frame.wait_for_function("!document.querySelector('main').innerText.startsWith('Waiting')")
    frame.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    return frame.locator("main").inner_text()


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (900, "light")])
def test_answers_are_seen_whole_whatever_the_host_forbids(
    chromium: Browser, results: dict[str, dict[str, Any]], width: int, theme: str
) -> None:
    with looking(chromium, "about:blank", width=width, dark=theme == "light") as seen:
        frame = started(seen, theme)
        seen.page.evaluate("(wide) => (document.getElementById('app').width = wide - 20)", width)
        for name, result in results.items():
            text = shown(seen, frame, result)
            view = (result.get("_meta") or {}).get(KEY, {})
            assert all(view[part] in text for part in ("title", "sentence", "dated") if part in view), name
            assert (frame.locator("svg.chart").count() == 1) is ("svg" in view), name
            _same_rows(frame, result.get("structuredContent") or {}, text)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert frame.evaluate(wide) == 0, name
            assert _barriers(frame) == [], name
        assert "No device" in text
        bare = {part: content for part, content in results["device"].items() if part != "_meta"}
        assert "serial number\nS1" in shown(seen, frame, bare)
        assert _barriers(frame) == []
        ground = frame.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert ground == ("rgb(17, 23, 29)" if theme == "dark" else "rgb(255, 255, 255)")
        assert seen.page.evaluate("heard.some((told) => told.method === 'ui/notifications/size-changed')")
        assert seen.complaints == []


def test_what_is_no_shape_in_a_picture_does_not_come_into_the_page(chromium: Browser) -> None:
    hostile = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 9 9" onload="x()" style="x">'
        '<script>parent.postMessage("ran", "*")</script><foreignObject><p>in</p></foreignObject>'
        '<a href="https://example.org"><text>link</text></a><use href="#x"/><image href="https://example.org/x.png"/>'
        '<rect width="9" height="9" fill="url(https://example.org/#x)" onclick="x()"/><text>seen</text></svg>'
    )
    result = {
        "content": [],
        "structuredContent": {"notes": ["<b>note</b>"]},
        "_meta": {KEY: {"title": "T", "svg": hostile}},
    }
    broken = {"content": [{"type": "text", "text": "{}"}], "_meta": {KEY: {"title": "B", "svg": "<svg><g>"}}}
    with looking(chromium, "about:blank") as seen:
        frame = started(seen)
        text = shown(seen, frame, result)
        assert "<b>note</b>" in text
        left = frame.evaluate("[...document.querySelectorAll('svg, svg *')].map((part) => part.cloneNode().outerHTML)")
        assert re.findall(r"<(\w+)", "".join(left)) == ["svg", "rect", "text"]
        assert not re.search("href|on[a-z]+=|style|url", "".join(left))
        assert shown(seen, frame, broken).strip() == "B"
        seen.page.evaluate("tell({ id: 7, method: 'ui/resource-teardown', params: {} })")
        seen.page.wait_for_function("heard.some((told) => told.id === 7 && told.result)")
        assert not seen.page.evaluate("heard.some((told) => told === 'ran')")
        # the parser asks for nothing and runs nothing; that it met a style attribute the browser says itself
        assert [told for told in seen.complaints if not told.startswith("console: Applying inline style")] == []


def _same_rows(frame: Frame, answer: dict[str, Any], text: str) -> None:
    """Every row of an answer is in the table, cell by cell, or told once for all rows."""
    if "rows" not in answer:
        return
    cells = frame.evaluate(
        "[...document.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText))"
    )
    order = sorted(range(len(answer["columns"])), key=lambda place: answer["columns"][place].endswith("_id"))
    assert cells == [[_words(row[place]) for place in order] for row in answer["rows"]]
    assert str(answer["total_rows"]) in text


def _words(cell: object) -> str:
    """What the page writes for a value of these rows."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    moment = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\dZ", str(cell))
    return "not known" if cell is None else f"{moment[1]} {moment[2]} UTC" if moment else str(cell)


def _barriers(frame: Frame) -> list[str]:
    found = Axe().run(frame).response["violations"]  # a frame is asked as a page is
    return [json.dumps(fault["nodes"][0]["html"]) + fault["id"] for fault in found if fault["impact"] in SERIOUS]
