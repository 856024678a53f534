"""The desk of the configured tenant, where live actions are switched on."""

from collections.abc import Iterator
from contextlib import contextmanager

from kandji_mirror.actions.codes import Codes, codes_of
from kandji_mirror.actions.confirmations import Confirmations
from kandji_mirror.actions.desk import Desk
from kandji_mirror.actions.journal import Journal
from kandji_mirror.actions.refreshing import refresher
from kandji_mirror.audit.actor import actor
from kandji_mirror.audit.anchor import anchor_of
from kandji_mirror.audit.log import AuditLog
from kandji_mirror.connection import connect
from kandji_schema.errors import ActionsOff
from kandji_schema.settings import Settings


def refuse_if_off(settings: Settings) -> None:
    """:class:`ActionsOff` says how to switch live actions on."""
    if settings.mirror_actions != "on":
        raise ActionsOff(
            "Live actions and secrets are switched off here. Set KANDJI_MIRROR_ACTIONS=on (environment "
            "or config.toml) for whoever may act on devices."
        )


@contextmanager
def desk_of(settings: Settings, client: str = "", codes: Codes | None = None) -> Iterator[Desk]:
    """A desk for as long as the block lasts. ``client`` names the AI client that asks, if one does.

    ``codes`` are those of a process that asks at one desk and is answered at another.
    """
    refuse_if_off(settings)
    codes = codes or codes_of(settings)
    with connect(settings, acting=True) as connection:
        audit = AuditLog(settings.home, actor(client), anchor=anchor_of(settings))
        yield Desk(
            client=connection.client,
            home=settings.home,
            journal=Journal(audit, connection.tenant, hides_personal=settings.mirror_privacy == "on"),
            confirmations=Confirmations(settings.home),
            refresh=refresher(settings, connection),
            codes=codes,
        )
