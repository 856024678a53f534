"""Deletion is never concluded from one absence.

A row that is mirrored but did not come in a complete walk is asked for by itself, where the provider has an endpoint
for it: 404 means gone, an answer means that the walk skipped it. Where there is none, or its key is only known as a
pseudonym, a second walk is the second observation: absent twice means gone.
"""

from pathlib import Path

from kandji_mirror.api.client import Client
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.outcome import Silent
from kandji_mirror.sync.walks import still_there, walk_all
from kandji_schema.errors import Rejected, Skip, Suspicious
from kandji_schema.resource import Resource

MANY = 50
MANY_SHARE = 0.05
SAMPLE = 20
"""Above 50 missing rows, or 5 % of the table, a sample of 20 is asked for instead of every one."""


def confirm_vanished(client: Client, resource: Resource, staging: Staging, live: Path, mirrored: int) -> int:
    """Make sure that what did not come is gone; rows still there are staged. Returns the number of requests.

    Raises :class:`Suspicious` where many are missing and one of the sample is still there.
    """
    if resource.confirm is None or staging.keys_are_masked:
        nothing_gone = staging.rows_after(live) <= staging.rows
        return 0 if nothing_gone else _absent_twice(client, resource, staging)
    missing = staging.vanished(live)
    return _asked_for(client, resource, staging, missing, mirrored) if missing else 0


def _asked_for(client: Client, resource: Resource, staging: Staging, missing: list[str], mirrored: int) -> int:
    many = len(missing) > MANY or len(missing) > MANY_SHARE * mirrored
    asked = missing[:: max(1, len(missing) // SAMPLE)][:SAMPLE] if many else missing
    try:
        found = [page for key in asked if (page := still_there(client, resource, key)) is not None]
    except (Skip, Rejected):
        return len(asked) + _absent_twice(client, resource, staging)
    if found and many:
        raise Suspicious(
            f"{len(missing)} of {mirrored} rows of {resource.name} did not come, but {len(found)} of {len(asked)} "
            "asked for are still there: the list was not whole. The previous rows are kept; the next pass tries again."
        )
    for page in found:
        staging.add(page.text)
    staging.flush()
    return len(asked)


def _absent_twice(client: Client, resource: Resource, staging: Staging) -> int:
    """Walk a second time and keep what either walk brought."""
    return walk_all(client, resource, staging, Silent(), keep=True).pages
