"""What the world remembers of its devices, people and blueprints: only what cannot be drawn again from the seed."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kandji_simulator.world.hardware import Model, Release


@dataclass(slots=True, eq=False)
class User:
    """``number`` is the old integer id; ``integer_id`` users still have it in the device list."""

    id: str
    number: int
    name: str
    email: str
    short_name: str
    created: int
    updated: int
    department: str | None = None
    job_title: str | None = None
    archived: bool = False
    integer_id: bool = False


@dataclass(slots=True, eq=False)
class Blueprint:
    """``items`` are library items by id."""

    id: str
    name: str
    number: int
    type: str
    code: str
    created: int
    updated: int
    items: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)


class AppState(NamedTuple):
    """Version of an installed app, and when the provider first saw and last changed its rows."""

    version: str
    created: int
    updated: int


class RowState(NamedTuple):
    """How often a row of a Prism list was written anew, and when it was first seen and last written."""

    epoch: int
    created: int
    updated: int


class ItemState(NamedTuple):
    """What a device says of a library item or parameter, and when."""

    status: str
    reported: int


@dataclass(slots=True, eq=False)
class Device:
    """One device. Moments are microseconds; ``collected`` None: never reported, hence no Prism rows.

    ``account`` is the name of the account set up on it, which a later assignment to somebody else does not change.
    What is drawn of its past lies between ``first_collected`` and ``drawn_until``, whatever happens later.
    ``apps`` and, by table, ``lists`` hold what differs from the rows drawn from the seed (None: removed), ``facts``
    columns set by hand, ``redrawn`` how often and when last the one row of a category was drawn anew, ``states`` what
    became of library items and parameters. These are replaced, never altered: a shallow copy is a snapshot.
    ``clock`` is by how much its own clock is wrong, which stamps its rows.
    """

    id: str
    number: int
    name: str
    model: Model
    release: Release
    serial: str
    first_enrolled: int
    enrolled: int
    checked_in: int | None
    collected: int | None
    user: User | None
    blueprint: Blueprint | None
    asset_tag: str | None
    agent: str
    tags: tuple[str, ...]
    missing: bool
    removed: bool
    lost_mode: str
    account: str
    first_collected: int
    drawn_until: int
    app_rows: int = 0
    apps_changed: int = 0
    apps: dict[int, AppState | None] | None = None
    facts: dict[str, dict[str, Any]] | None = None
    lists: dict[str, dict[int, RowState | None]] | None = None
    redrawn: dict[str, tuple[int, int]] | None = None
    states: dict[str, ItemState] | None = None
    clock: int = 0

    @property
    def platform(self) -> str:
        """Mac, iPhone, iPad, AppleTV, Windows or Android."""
        return self.model.platform
