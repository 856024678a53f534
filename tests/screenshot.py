"""Make ``docs/images/fleet.png``, the picture of README: the first page of ``serve``, on the demo's fleet.

``python tests/screenshot.py``
"""

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from browsers import browser, looking
from commands import run
from http_serving import TOKEN, serving

IMAGE = Path(__file__).parent.parent / "docs/images/fleet.png"
WIDTH, HEIGHT = 1180, 800


def main() -> None:
    """Sync the demo into a folder of its own, serve it, and take the picture."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        assert run(home, "demo").returncode == 0
        with serving(home, "--no-sync") as server, browser() as chromium:
            origin = f"http://{urlsplit(server.url).netloc}"
            with looking(chromium, origin, token=TOKEN, width=WIDTH) as seen:
                seen.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
                seen.open("/")
                IMAGE.parent.mkdir(exist_ok=True)
                seen.page.screenshot(path=IMAGE)


if __name__ == "__main__":
    main()
