"""The page as one document, made of ``view.html``, ``view.css`` and ``view.js`` beside this module.

It has no policy of its own: the host sets it, and may have put a script of its own into the document.
"""

from html import escape
from pathlib import Path

from kandji_queries.charts.colours import host_css

FOLDER = Path(__file__).parent


def page(title: str) -> str:
    """Return the page, for any answer of the tools that have one; ``title`` is what it is called until one comes."""
    parts = {
        "title": escape(title),
        "style": host_css() + _file("view.css"),
        "script": _file("view.js"),
    }
    text = _file("view.html")
    for name, part in parts.items():
        text = text.replace(f"{{{{ {name} }}}}", part)
    return text


def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
