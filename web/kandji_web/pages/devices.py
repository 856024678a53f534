"""``/devices/...``: all that is known of one device, or in short of the devices of one person."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kandji_queries.profile import (
    DeviceProfile,
    DevicesInShort,
    Field,
    block_of,
    blocks,
    devices_meant,
    facts_in_short,
    name_of,
    profile_parts,
    read_in_short,
    read_profile,
)
from kandji_queries.reader import Reader
from kandji_queries.results.result import Answer
from kandji_queries.results.wording import read_ages
from kandji_web.asking import ask
from kandji_web.rendering import page

LEADS = {
    "user_email": "/tables/fleet?user_email={}",
    "blueprint_name": "/tables/fleet?blueprint_name={}",
    "cve_id": "/tables/vulnerability_detections?cve_id={}",
}
"""Where the value of a field leads."""


async def device(request: Request) -> Response:
    """Show the device that the path names by identifier, serial number, asset tag, name, person or another number."""
    named: str = request.path_params["device"]
    found = await ask(request, lambda reader: _read(reader, named))
    now = datetime.now(UTC)
    if isinstance(found, DevicesInShort):
        return page(
            request,
            "devices.html",
            title=f"Devices of {named}",
            blocks=facts_in_short(found, now, _lead),
            notes=found.notes,
        )
    first = found.sections["device"].first()
    return page(
        request,
        "device.html",
        title=name_of(first),
        device=first,
        person=found.sections["person"].first(),
        contradictions=[(row["says"], row["why"]) for row in _named_rows(found.sections["contradictions"].answer)],
        compliance=block_of(found.sections["compliance"], found.platform, now, _lead),
        blocks=[block for block in blocks(found, now, _lead) if block.name not in ABOVE],
        nothing=_nothing(found),
        dated=read_ages(found.as_of, now),
        notes=found.notes,
        device_id=found.device_id,
    )


ABOVE = frozenset({"contradictions", "compliance"})
"""Parts that have a place of their own at the top."""


async def devices(request: Request) -> Response:
    """Lead to the table of all devices."""
    return RedirectResponse("/tables/fleet", status_code=303)


def _read(reader: Reader, named: str) -> DeviceProfile | DevicesInShort:
    meant = devices_meant(reader, named)
    return read_profile(reader, meant[0], profile_parts()) if len(meant) == 1 else read_in_short(reader, meant)


def _lead(field: Field, value: object) -> str:
    return LEADS[field.name].format(quote(str(value), safe="")) if field.name in LEADS and value else ""


def _named_rows(answer: Answer) -> list[dict[str, Any]]:
    names = [column.name for column in answer.columns]
    return [dict(zip(names, row, strict=True)) for row in answer]


def _nothing(profile: DeviceProfile) -> Sequence[str]:
    """Say of which parts there is nothing, and of which nothing is known."""
    rows = [section for section in profile.sections.values() if not section.part.one and section.part.name not in ABOVE]
    empty = [s for s in rows if not s.answer.rows and any(field.fits(profile.platform) for field in s.part.fields)]
    told = []
    for head, read in (("None", True), ("None known, since it was never read", False)):
        if titles := [section.part.title for section in empty if section.is_read is read]:
            told.append(f"{head}: {'; '.join(titles)}.")
    return told


ROUTES = [Route("/devices", devices), Route("/devices/{device:path}", device)]
