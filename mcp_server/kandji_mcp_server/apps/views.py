"""What a page shows of an answer beside its rows: title, sentence, date, picture; of a device labels with values."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from mcp.types import CallToolResult

from kandji_mcp_server.render.sanitize import sanitized
from kandji_schema.errors import ConfigurationError, MirrorError

if TYPE_CHECKING:
    from kandji_queries.catalog.queries import NamedQuery
    from kandji_queries.charts.chart import Chart
    from kandji_queries.profile import Block, Cell, DeviceProfile, DevicesInShort
    from kandji_queries.results.result import Answer

View = Mapping[str, Any]

KEY = "kandji-mirror/view"
"""Where a result has it: in ``_meta``, which is for programs and never shown to a model."""

WIDTH = 420
"""Pixels that a picture is laid out for: between what a phone and a window have."""

NOT_INSTALLED = "There is no picture, as the server lacks the extra for it: pip install 'kandji-mirror[charts]'."
CUT = "What is said and drawn is of the first {:,} rows alone; there are more."
NOT_DRAWN = "These values could not be drawn; the table has them."


def with_view(result: CallToolResult, view: View) -> CallToolResult:
    """Return a result with what its page shows; nothing else of it differs from what other clients get."""
    return result.model_copy(update={"meta": {KEY: sanitized(dict(view))}})


async def chart_view(query: "NamedQuery", params: Mapping[str, object], found: "Answer", now: datetime) -> View:
    """Return what is shown of a named query's answer; the picture is drawn in a thread of its own."""
    return await to_thread.run_sync(_of_query, query, params, found, now, abandon_on_cancel=True)


def _of_query(query: "NamedQuery", params: Mapping[str, object], found: "Answer", now: datetime) -> View:
    from kandji_queries.charts.picture import picture_of  # lazy, as all that only answers need
    from kandji_queries.results.dates import date_line

    told = {"title": query.title, "dated": date_line(found.as_of, now)}
    try:
        picture = picture_of(query, params, found, list(found), now)
    except ConfigurationError as error:  # the owner's header does not fit; the answer itself is there
        return {**told, "remarks": [str(error)]}
    drawn = _drawn(picture.chart) if picture.rows else {}
    cut = [CUT.format(len(picture.rows))] if picture.truncated else []
    return {
        **told,
        "sentence": picture.sentence.removeprefix(f"{query.title}: "),
        **drawn,
        "remarks": [*cut, *drawn.get("remarks", ())],
    }


def _drawn(chart: "Chart | None") -> View:
    if chart is None:
        return {}
    from kandji_queries.charts.drawing import available  # lazy, as most answers draw nothing
    from kandji_queries.charts.inline import inline_svg
    from kandji_queries.charts.specification import remarks_of

    if not available():
        return {"remarks": [NOT_INSTALLED]}
    try:
        return {"svg": inline_svg(chart, width=WIDTH), "remarks": list(remarks_of(chart))}
    except (MirrorError, ValueError):  # no room for the library, or values that no axis has
        return {"remarks": [NOT_DRAWN]}


def device_view(found: "DeviceProfile | DevicesInShort", now: datetime) -> View:
    """Return the card of a device, parts with labels and values in words, or of several in short."""
    from kandji_queries.profile import DevicesInShort

    return _of_several(found, now) if isinstance(found, DevicesInShort) else _of_one(found, now)


def _of_one(profile: "DeviceProfile", now: datetime) -> View:
    from kandji_queries.profile import blocks, name_of, profile_parts
    from kandji_queries.results.wording import read_ages

    device, person = profile.sections["device"].first(), profile.sections["person"].first()
    about = (device.get("model") or device.get("platform"), device.get("serial_number"), person.get("user_name"))
    return {
        "title": name_of(device),
        "sentence": " · ".join(str(part) for part in about if part),
        "dated": read_ages(profile.as_of, now),
        "blocks": [_block(block, profile_parts()[block.name].most) for block in _ordered(blocks(profile, now))],
    }


def _of_several(found: "DevicesInShort", now: datetime) -> View:
    from kandji_queries.profile import facts_in_short
    from kandji_queries.results.wording import read_ages

    return {
        "title": "Several devices",
        "dated": read_ages(found.section.answer.as_of, now),
        "blocks": [
            {"title": name, "facts": [_fact(label, cell) for label, cell in facts], "open": True}
            for name, _, facts in facts_in_short(found, now)
        ],
    }


FIRST = ("contradictions", "compliance", "device", "person", "contact", "security")
"""Parts of a device that are seen without asking for them, in this order; the others open by a click."""


def _ordered(found: Sequence["Block"]) -> list["Block"]:
    first = {name: place for place, name in enumerate(FIRST)}
    return sorted(found, key=lambda block: first.get(block.name, len(first)))


def _block(block: "Block", most: int) -> View:
    if block.one:
        facts = [_fact(head, row[0]) for head, row in zip(block.heads, block.rows, strict=True)]
        return {"title": block.title, "facts": facts, "open": block.name in FIRST}
    return {
        "title": block.title,
        "heads": list(block.heads),
        "rows": [list(map(_cell, row)) for row in block.rows[:most]],
        "total": block.total,
        "open": block.name in FIRST,
    }


def _cell(cell: "Cell") -> str | View:
    return {"words": cell.words, "tone": cell.tone} if cell.tone else cell.words


def _fact(label: str, cell: "Cell") -> list[str]:
    return [label, cell.words, *([cell.tone] if cell.tone else [])]
