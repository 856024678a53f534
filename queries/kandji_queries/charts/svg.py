"""Elements of SVG for pages: no style attributes, no script, no ids; texts escaped, colours as variables."""

from collections.abc import Iterable, Mapping
from html import escape

from kandji_queries.charts.colours import variable

SIZE = 13
"""Pixels of letters, where the picture is as wide as it was made."""

SMALL = 12

Attributes = Mapping[str, object]


def element(name: str, attributes: Attributes, *children: str) -> str:
    """Return an element; ``_`` in the name of an attribute is ``-``, None leaves it out."""
    written = "".join(
        f' {key.replace("_", "-")}="{escape(_value(value))}"' for key, value in attributes.items() if value is not None
    )
    inside = "".join(children)
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def box(
    x: float, y: float, wide: float, high: float, colour: str, *, told: str = "", opacity: str | None = None
) -> str:
    """Return a rectangle of a colour of ours; ``told`` is seen when the pointer rests on it."""
    place = {"x": x, "y": y, "width": max(wide, 0.0), "height": high, "fill": variable(colour), "fill_opacity": opacity}
    return element("rect", place, *([element("title", {}, escape(told))] if told else []))


def words(
    text: str,
    x: float,
    y: float,
    *,
    colour: str = "ink",
    anchor: str | None = None,
    size: float = SIZE,
    bold: bool = False,
) -> str:
    """Return a text at its base line; what is written from right to left in it moves nothing around it."""
    return element(
        "text",
        {
            "x": x,
            "y": y,
            "fill": variable(colour),
            "font_size": size,
            "font_weight": 600 if bold else None,
            "text_anchor": anchor,
            "direction": None if text.isascii() else "ltr",
            "unicode_bidi": None if text.isascii() else "isolate",
        },
        escape(text),
    )


def rule(x1: float, y1: float, x2: float, y2: float, colour: str = "line") -> str:
    """Return a thin straight line."""
    return element("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "stroke": variable(colour), "stroke_width": 1})


def picture(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """Return the whole: it scales with its place, and is one picture with a name to a screen reader."""
    facts = {
        "class": "chart",
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {_value(width)} {_value(height)}",
        "role": "img",
        "aria_label": label,
    }
    return element("svg", facts, *parts)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
