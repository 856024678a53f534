"""Which device or tag a text means: exactly one, there at this moment, or none at all.

Serial number or exact name are looked up live, and in the mirror for names that were true once; what is found is read
once more from the tenant and compared. The provider's filters mean "contains": every row is looked at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kandji_mirror.actions.subjects import Row, Subject, device, shown
from kandji_mirror.api.client import Client
from kandji_mirror.api.endpoint import quote_segment
from kandji_mirror.api.lenient_json import parse
from kandji_mirror.known_devices import KnownDevice, known, listed, mirrored, near, newest_first
from kandji_schema import database
from kandji_schema.actions.arguments import is_uuid
from kandji_schema.actions.record import Target
from kandji_schema.errors import MirrorError, NotFound, ServerFault, TargetRefused
from kandji_schema.manifest import data_dir, newest_whole
from kandji_schema.provider import PAGE_ROWS
from kandji_schema.text import escaped, fold_identifier, has_unseen

LONGEST = 255
_PATH_LIKE = re.compile(r"[/\\]|\.\.|%[0-9A-Fa-f]{2}")
_DEVICES = "/api/v1/devices"
_TAGS = "/api/v1/tags"
_PAGE = ("limit", str(PAGE_ROWS))
_MOST_PAGES = 50


def resolve(client: Client, home: Path, kind: Target, reference: str, values: Mapping[str, Any]) -> Subject:
    """What an action of that kind is done to. A tenant's is told by its arguments, and needs no ``reference``."""
    if kind is Target.DEVICE:
        return resolve_device(client, home, reference)
    if kind is Target.TAG:
        return resolve_tag(client, reference)
    return Subject(Target.TENANT, name=str(values.get("name", "")))


def resolve_device(client: Client, home: Path, reference: str) -> Subject:
    """The one device meant, read from the tenant; :class:`TargetRefused` says why it is not one."""
    wanted = _checked(reference, "device")
    found = [wanted.lower()] if is_uuid(wanted) else _ids(client, home, wanted)
    subject = read_device(client, found[0])
    called = wanted.casefold() == subject.id or wanted == _text(subject.row, "device_name")
    if not called and not _is_serial(subject.row, wanted):
        raise TargetRefused(
            f"The mirror is out of date: the device it calls {wanted!r} is now {subject.words(named=False)}. "
            "Run `kandji-mirror sync devices` and look again. Nothing was sent."
        )
    return subject


def read_device(client: Client, device_id: str) -> Subject:
    """A device as the tenant shows it now; :class:`TargetRefused` where it is gone."""
    try:
        row = _json(client.get(f"{_DEVICES}/{quote_segment(device_id)}").body)
    except NotFound:
        raise _refused(f"There is no device {device_id} in the tenant: it was removed, or never there") from None
    if not isinstance(row, dict):
        raise ServerFault(f"GET {_DEVICES}/{device_id} answered 200, but not with a device.", status=200)
    subject = device(row)
    if subject.id != device_id:
        raise ServerFault(f"The provider sent device {subject.id} where {device_id} was asked for.", status=200)
    if row.get("is_removed") is True:
        raise _refused(f"The device {subject.words(named=False)} was removed from management")
    return subject


def resolve_tag(client: Client, reference: str) -> Subject:
    """The one tag of that name or identifier, read from the tenant."""
    wanted = _checked(reference, "tag")
    search = () if is_uuid(wanted) else (("search", wanted),)
    answer = _json(client.get(_TAGS, (*search, _PAGE)).body)
    rows = answer.get("results", []) if isinstance(answer, dict) else answer
    found = [r for r in _objects(rows) if wanted.lower() == str(r.get("id")).lower() or wanted == r.get("name")]
    if len(found) != 1 or not is_uuid(found[0].get("id")):
        raise _refused(f'{len(found) or "No"} tags are called {wanted!r}; `kandji-mirror sql "FROM tags"` lists them')
    return Subject(Target.TAG, id=str(found[0]["id"]).lower(), name=shown(found[0]["name"]), row=found[0])


def _checked(reference: str, what: str) -> str:
    wanted = reference.strip()
    if not wanted or len(wanted) > LONGEST:
        raise _refused(f"A {what} is named by 1 to {LONGEST} characters, not {len(wanted):,}")
    if _PATH_LIKE.search(wanted):
        raise _refused(
            f"{escaped(wanted[:80])!r} looks like a path, not like a {what}. Name it by its serial number or identifier"
        )
    if has_unseen(wanted):
        raise _refused(
            f"'{escaped(wanted[:80])}' has characters in it that nobody sees. Type the name, or give its serial number "
            "or identifier"
        )
    return wanted


def _ids(client: Client, home: Path, wanted: str) -> list[str]:
    """The identifier of the device with that serial number or name, alone in a list."""
    live = [*_listed(client, "serial_number", wanted), *_listed(client, "device_name", wanted)]
    grouped = fold_identifier(wanted).upper()
    if not live and grouped and grouped != wanted.upper():  # as j7p0 89j2-wkt6, which no filter of the provider finds
        live = _listed(client, "serial_number", grouped)
    return [_only(live or _mirrored(home, wanted), wanted, home)]


def _only(rows: Iterable[Row], wanted: str, home: Path) -> str:
    found = {str(row["device_id"]).lower(): row for row in rows}
    there = {key: row for key, row in found.items() if row.get("is_removed") is not True} or found
    if not there:
        raise _refused(f"No device has the identifier, serial number or exact name {wanted!r}{_nearly(home, wanted)}")
    if len(there) > 1:
        which = listed(newest_first(map(known, there.values())), named=False)
        raise _refused(
            f"{wanted!r} means {len(there)} devices, newest contact first: {which}. Name one by its identifier"
        )
    return next(iter(there))


def _nearly(home: Path, wanted: str) -> str:
    """Devices of the mirror that may be meant. A search's folding only finds them: an action wants to be told which."""
    alike: list[KnownDevice] = []
    with suppress(MirrorError):
        alike = near(mirrored(home), wanted)
    return f". Nearly so is called: {listed(alike, named=False)}" if alike else ""


def _mirrored(home: Path, wanted: str) -> list[Row]:
    """Rows of the mirror with that serial number or name; none where there is no mirror."""
    import duckdb  # as long to import as the rest of an action

    try:
        file = newest_whole(home)[0].tables["devices"].file
        if file is None:
            return []
        with database.connect(data_dir(home) / file, read_only=True) as connection:
            found = connection.execute(
                "SELECT device_id, device_name, serial_number, last_check_in, is_missing, is_removed FROM devices "
                "WHERE lower(serial_number) IN (lower($1), lower($2)) OR device_name = $1 LIMIT 20",
                [wanted, fold_identifier(wanted) or wanted],
            )
            names = [column[0] for column in found.description or ()]
            return [row for row in (dict(zip(names, r, strict=True)) for r in found.fetchall()) if _has_id(row)]
    except (MirrorError, KeyError, duckdb.Error):
        return []


def _listed(client: Client, column: str, wanted: str) -> list[Row]:
    """Rows of the tenant's list with exactly that value."""
    by_serial = column == "serial_number"
    return [
        row
        for row in _containing(client, column, wanted)
        if _has_id(row) and (_is_serial(row, wanted) if by_serial else _text(row, column) == wanted)
    ]


def _containing(client: Client, column: str, wanted: str) -> Iterator[Row]:
    """Rows of the tenant's list whose value contains the text, page by page; a list without an end is refused."""
    for page in range(_MOST_PAGES):
        query = (_PAGE, ("offset", str(PAGE_ROWS * page)), (column, wanted))
        rows = _objects(_json(client.get(_DEVICES, query).body))
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
    raise _refused(f"Too many devices have {wanted!r} in their name. Name one by its identifier")


def _has_id(row: Row) -> bool:
    return is_uuid(row.get("device_id"))


def _is_serial(row: Row | None, wanted: str) -> bool:
    """Whether that is its serial number, in groups or not."""
    serial = _text(row, "serial_number")
    return serial.casefold() == wanted.casefold() or fold_identifier(serial) == fold_identifier(wanted) != ""


def _text(row: Row | None, column: str) -> str:
    value = (row or {}).get(column)
    return value.strip() if isinstance(value, str) else ""


def _json(body: bytes) -> Any:
    try:
        return parse(body).value
    except ValueError:
        raise ServerFault("The provider's answer is not JSON, so nothing was sent.", status=200) from None


def _objects(rows: Any) -> list[Row]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _refused(reason: str) -> TargetRefused:
    return TargetRefused(f"{reason}. Nothing was sent.")
