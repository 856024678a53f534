"""The list of people: ``GET /users``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kandji_simulator.listings import Listing, Query
from kandji_simulator.moments import zulu
from kandji_simulator.records import User

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.world import World


class UserList(Listing):
    """``GET /users``, newest first."""

    def __init__(self, world: World) -> None:
        self._world = world

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[User]:
        """Filters: ``email`` contains, ``id``, ``archived``."""
        users = self._world.remember("users", lambda: sorted(self._world.users.values(), key=lambda u: -u.number))
        wanted = [(_USER_FILTERS[name], value) for name, value in query.items() if name in _USER_FILTERS]
        return [u for u in users if all(passes(u, value) for passes, value in wanted)] if wanted else users

    def row(self, record: User) -> dict[str, Any]:
        """See :class:`Listing`."""
        counts = self._world.remember("devices by user", lambda: Counter(d.user for d in self._world.devices.values()))
        return {
            "active": not record.archived,
            "archived": record.archived,
            "created_at": zulu(record.created),
            "department": record.department,
            "deprecated_user_id": str(record.number),
            "email": record.email,
            "id": record.id,
            "integration": None if record.number % 10 == 4 else _INTEGRATION,
            "job_title": record.job_title,
            "name": record.name,
            "device_count": counts[record],
            "updated_at": zulu(record.updated),
        }

    def find(self, key: str) -> User | None:
        """See :class:`Listing`."""
        return self._world.users.get(key)

    def position(self, record: User) -> str:
        """See :class:`Listing`."""
        return f"{10**8 - record.number:08d}"


_INTEGRATION = {"id": 634, "name": "acme", "uuid": "f7461096-4ef9-43aa-88e9-ca1967ba0b38", "type": "office365"}
_USER_FILTERS: dict[str, Callable[[User, str], bool]] = {
    "email": lambda u, wanted: wanted.lower() in u.email,
    "id": lambda u, wanted: u.id == wanted,
    "archived": lambda u, wanted: u.archived == (wanted.lower() == "true"),
}
