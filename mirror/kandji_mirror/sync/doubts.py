"""Devices of which a Prism table could not read everything: the next increment asks for them by device.

What a damaged answer left out would stay so for long, as nothing says afterwards that those rows were written.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from kandji_mirror.sync.choice import DEVICES_A_REQUEST
from kandji_mirror.sync.job import Job
from kandji_schema.errors import StoreError


def mark_of(table: str) -> str:
    """Stands for a column in the record of edits; no column is called so."""
    return f"(unread) {table}"


def note_doubts(job: Job, devices: Collection[str], at: datetime) -> None:
    """Remember devices with something that could not be read, as long as one request can ask for all of them.

    Of more it is not likely to pass; the table is read as a whole once, see ``passes``.
    """
    if 0 < len(devices) <= DEVICES_A_REQUEST and job.may_ask_devices():
        with suppress(StoreError):  # then the next whole read brings them
            job.state.edits.note([(device, mark_of(job.resource.name)) for device in devices], at)
