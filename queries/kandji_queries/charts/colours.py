"""The colours of all pictures, once, for light ground, dark ground and paper.

Against the ground each has a contrast of 3 at least, words on it 4.5; :func:`contrast` is WCAG's. Those of meaning are
told apart with red-green blindness too: what is bad is the darkest on light ground. Nothing is told by colour alone:
parts have an order and numbers, lines their names at their ends.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Theme = Literal["light", "dark", "page"]
"""The ground of a picture. On a ``page`` colours are the page's: they are drawn as marks that stand for variables."""

SERIES = ("1", "2", "3", "4", "5", "6")
"""Colours of what means nothing by itself, in the order in which they are taken."""

OTHERS = "others"
"""The colour of what is left, added up."""


@dataclass(frozen=True)
class Palette:
    """The colours of one ground: ``marks`` by name, words in ``ink`` and ``soft``, rules in ``line``.

    ``upon`` are the colours of words upon marks where they do not follow from contrast.
    """

    ground: str
    ink: str
    soft: str
    line: str
    marks: Mapping[str, str]
    upon: Mapping[str, str] = field(default_factory=dict)

    def on(self, mark: str) -> str:
        """Return the colour of words upon a mark: white or nearly black, whichever is read better."""
        return self.upon.get(mark) or max(("#ffffff", "#10161c"), key=lambda ink: contrast(ink, self.marks[mark]))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours ``#rrggbb`` by WCAG 2: 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _named(palette: Palette) -> Iterator[tuple[str, str]]:
    yield from (("ground", palette.ground), ("ink", palette.ink), ("soft", palette.soft), ("line", palette.line))
    for name, colour in palette.marks.items():
        yield name, colour
        yield f"on-{name}", palette.on(name)


LIGHT = Palette(
    ground="#ffffff",
    ink="#17212b",
    soft="#52606d",
    line="#d5dce3",
    marks=MappingProxyType(
        {
            "1": "#0b6e99",
            "2": "#a84e0c",
            "3": "#4b2a91",
            "4": "#8a8f1c",
            "5": "#c95f96",
            "6": "#4a2f1b",
            "good": "#0a7a5c",
            "bad": "#b3261e",
            "warn": "#bd7c00",
            "unknown": "#868e97",
            "others": "#647688",
        }
    ),
)

DARK = Palette(
    ground="#11171d",
    ink="#e7edf3",
    soft="#a5b3c0",
    line="#34404c",
    marks=MappingProxyType(
        {
            "1": "#58b4e0",
            "2": "#e0813a",
            "3": "#a08bff",
            "4": "#d9e08a",
            "5": "#ff9fcf",
            "6": "#f6efe6",
            "good": "#5fd6b0",
            "bad": "#f0634a",
            "warn": "#f7d27a",
            "unknown": "#84909c",
            "others": "#9db2c6",
        }
    ),
)

STANDS_FOR: Mapping[str, str] = MappingProxyType(
    {f"#0a0b{place:02x}": name for place, (name, _) in enumerate(_named(LIGHT))}
)
"""Colours that stand for a variable of the page in a picture that is still to be put into one, by their code."""

_CODES = {name: code for code, name in STANDS_FOR.items()}

PAGE = Palette(
    ground=_CODES["ground"],
    ink=_CODES["ink"],
    soft=_CODES["soft"],
    line=_CODES["line"],
    marks=MappingProxyType({name: _CODES[name] for name in LIGHT.marks}),
    upon=MappingProxyType({name: _CODES[f"on-{name}"] for name in LIGHT.marks}),
)

PALETTES: Mapping[Theme, Palette] = MappingProxyType({"light": LIGHT, "dark": DARK, "page": PAGE})


SHAPE = (
    "svg.chart { display: block; width: 100%; max-width: 30rem; height: auto; }\n"
    "svg.chart text { font-family: inherit; font-variant-numeric: tabular-nums; }\n"
)


def css() -> str:
    """Return the style sheet of pictures in a page: variables, dark where the reader's system is, light on paper."""
    return (
        f":root {{ {_variables(LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}\n"
        f"@media print {{ :root {{ {_variables(LIGHT)} --chart-ink: #000; --chart-soft: #333; }} }}\n"
        f"{SHAPE}"
        "@media print { svg.chart { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }\n"
    )


def host_css() -> str:
    """Return the style sheet of pictures in a page inside another program, which says by ``color-scheme`` what is dark.

    Until it has said so, the reader's system does.
    """
    pairs = zip(_named(LIGHT), _named(DARK), strict=True)
    both = " ".join(f"--chart-{name}: light-dark({light}, {dark});" for (name, light), (_, dark) in pairs)
    return f":root {{ color-scheme: light dark; {both} }}\n{SHAPE}"


def variable(name: str) -> str:
    """Return how a colour is written in a page: ``var(--chart-good)``; ``on-good`` is that of words upon it."""
    return f"var(--chart-{name})"


def _variables(palette: Palette) -> str:
    return " ".join(f"--chart-{name}: {colour};" for name, colour in _named(palette))
