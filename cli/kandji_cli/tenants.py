"""``kandji-mirror tenants``: the tenants that have a name, and how the mirror of each stands, from the files alone."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from kandji_cli.output import print_rows, say_document, tell
from kandji_mirror.api.credentials import token, token_source
from kandji_mirror.api.endpoint import base_url
from kandji_schema.durations import in_words, seconds_since
from kandji_schema.errors import ConfigurationError, MirrorError, NothingMirrored
from kandji_schema.home import refuse_foreign
from kandji_schema.manifest import State, newest_whole
from kandji_schema.profiles import HOW
from kandji_schema.settings import Settings, load
from kandji_schema.utc import in_seconds

HEAD = ("tenant", "address", "home", "token", "devices", "rows", "state")

NAMELESS = "-"
"""In place of a name: the tenant at the top of ``config.toml``, or of the environment."""


@dataclass(frozen=True)
class Line:
    """One tenant. ``token`` is where it is found, None where there is none; ``age_seconds`` that of the device list.

    ``state`` is `ok`, or what is the matter in a few words.
    """

    name: str
    address: str | None = None
    home: str | None = None
    token: str | None = None
    devices_synced_at: str | None = None
    age_seconds: int | None = None
    rows: int = 0
    state: str = "ok"


def list_tenants(*, as_json: bool) -> None:
    """Print a line each; nothing is sent to anyone."""
    lines = list(_lines(datetime.now(UTC)))
    if as_json:
        say_document({"tenants": [asdict(line) | {"name": _name(line)} for line in lines]})
        return
    rows = [
        (
            *(line.name, line.address, line.home, "yes" if line.token else "no"),
            f"{in_words(line.age_seconds)} old" if line.age_seconds is not None else None,
            *(line.rows, line.state),
        )
        for line in lines
    ]
    print_rows(HEAD, rows, "table")
    if not [line for line in lines if line.name != NAMELESS]:
        tell(f"No tenant has a name yet. {HOW}")


def _name(line: Line) -> str | None:
    return None if line.name == NAMELESS else line.name


def _lines(now: datetime) -> Iterator[Line]:
    top = load(tenant="", doubtful=True)
    for name in top.provenance.profiles:
        yield _line(name, now)
    if top.subdomain or top.api_url:
        yield _line(NAMELESS, now)


def _line(name: str, now: datetime) -> Line:
    """Look at one tenant; what is wrong with it is its state, and no other's matter."""
    try:
        settings = load(tenant="" if name == NAMELESS else name)
    except ConfigurationError as error:
        return Line(name, state=_short(error))
    line = Line(name, home=str(settings.home), token=_token(settings))
    with suppress(ConfigurationError):
        line = replace(line, address=base_url(settings))
    try:
        base_url(settings)
        refuse_foreign(settings)
        return _of_mirror(line, settings, now)
    except NothingMirrored:
        return replace(line, state="nothing mirrored yet")
    except (MirrorError, OSError) as error:
        return replace(line, state=_short(error))


def _of_mirror(line: Line, settings: Settings, now: datetime) -> Line:
    manifest, warnings = newest_whole(settings.home)
    tables, devices = manifest.tables.values(), manifest.tables.get("devices")
    failed = [table.name for table in tables if table.state is State.FAILED]
    state = f"failed: {', '.join(failed)}" if failed else "damaged, an older state answers" if warnings else "ok"
    read = devices.synced_at if devices else None
    age = seconds_since(read, now)
    return replace(
        line,
        devices_synced_at=in_seconds(read),
        age_seconds=None if age is None else int(age),
        rows=sum(table.rows for table in tables),
        state=state if line.token else f"{state}; no token, so nothing is synced",
    )


def _token(settings: Settings) -> str | None:
    try:
        token(settings)
    except ConfigurationError:
        return None
    return token_source(settings)


def _short(error: Exception) -> str:
    """Return the first sentence of what is wrong."""
    return str(error).partition(". ")[0].rstrip(".")
