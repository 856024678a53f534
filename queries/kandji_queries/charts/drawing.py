"""Specifications drawn as files, by the extra ``charts``: the one place that knows the library."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from threading import Event, Lock
from types import ModuleType
from typing import Any, Literal

from kandji_queries.engine.process_limits import may_map
from kandji_schema.errors import ConfigurationError
from kandji_schema.installation import how_to_add

Form = Literal["svg", "png", "pdf"]

LANGUAGE = "6.4"
"""The version of Vega-Lite that our specifications are written in."""

ADDRESSES = 160 * 1024**3
"""Bytes that the library's engine may have to map when it starts."""

_STARTED = Event()

_ONE = Lock()
"""The library's engine is in this process and draws one picture at a time; the first takes up to a second."""

SCALE = 2.0
"""Pixels of a PNG for each of the specification's: sharp on today's screens."""


def available() -> bool:
    """Tell whether the extra is installed, without the time that it takes to load it."""
    return find_spec("vl_convert") is not None


def draw(specification: Mapping[str, Any], form: Form) -> bytes:
    """Return a specification of Vega-Lite as SVG (UTF-8), PNG or PDF; nothing is loaded from anywhere.

    :class:`ConfigurationError` where the extra is not installed, or this process may map too little memory for it.
    """
    refuse_missing()
    with _ONE:
        library = _library()
        made: Mapping[Form, Callable[[], bytes]] = {
            "svg": lambda: str(library.vegalite_to_svg(specification, vl_version=LANGUAGE)).encode(),
            "png": lambda: bytes(library.vegalite_to_png(specification, vl_version=LANGUAGE, scale=SCALE)),
            "pdf": lambda: bytes(library.vegalite_to_pdf(specification, vl_version=LANGUAGE)),
        }
        return made[form]()


def get_ready() -> None:
    """Start the library's engine, which takes up to a second, before a process bounds its memory; raises as draw does.

    The engine keeps addresses for itself, 35 GB of them and twice that for a moment, though it uses few; within a
    bound it would end the process.
    """
    draw({"mark": "point", "data": {"values": []}}, "svg")


def refuse_missing() -> None:
    """Raise :class:`ConfigurationError` where the extra is not installed, or has no room in this process."""
    if not available():
        raise ConfigurationError(
            f"Pictures need the extra `charts`, which is not installed here: {how_to_add('charts')}. The same query "
            "without --chart, or with `--chart -`, needs nothing."
        )
    if not may_map(ADDRESSES) and not _STARTED.is_set():
        raise ConfigurationError(
            "Pictures need more addresses than this process may have (`ulimit -v`): lift that bound. In the terminal "
            "(`query NAME --chart -`) they need none."
        )


def _library() -> ModuleType:
    import vl_convert  # an extra, and 30 MB: only where something is drawn

    _STARTED.set()
    found: ModuleType = vl_convert
    return found
