"""The modes of ``KANDJI_MIRROR_PRIVACY``: who sees personal data. What is personal is marked in the tables' columns."""

from enum import StrEnum


class Privacy(StrEnum):
    """Who sees personal data; see :class:`kandji_schema.columns.Personal` for what it is."""

    OFF = "off"
    AGENTS = "agents"
    ON = "on"

    @property
    def masks_agents(self) -> bool:
        """Whether AI clients read masked files."""
        return self is not Privacy.OFF

    @property
    def masks_people(self) -> bool:
        """Whether people at the command line do too: then nothing else is on the disk."""
        return self is Privacy.ON
