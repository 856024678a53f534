"""The desk of the configured tenant, where live actions are switched on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kandji_mirror.actions.codes import Codes, codes_of
from kandji_mirror.actions.confirmations import Confirmations
from kandji_mirror.actions.desk import Desk
from kandji_mirror.actions.journal import Journal
from kandji_mirror.actions.refreshing import refresher
from kandji_mirror.audit.anchors import anchor_of
from kandji_mirror.audit.log import AuditLog, actor
from kandji_mirror.connection import connect
from kandji_schema.errors import ActionsOff, ConfigurationError
from kandji_schema.files import kept_files
from kandji_schema.folders import CONFIG_FILE, config_dir
from kandji_schema.ownership import refuse_replaceable
from kandji_schema.settings import Settings


def refuse_if_off(settings: Settings) -> None:
    """:class:`ActionsOff` says how to switch live actions on."""
    if settings.mirror_actions != "on":
        raise ActionsOff(
            "Live actions and secrets are switched off here. Set KANDJI_MIRROR_ACTIONS=on (environment "
            "or config.toml) for whoever may act on devices."
        )


def refuse_if_replaceable(settings: Settings) -> None:
    """Raise :class:`ConfigurationError` where others could forge what a yes rests on: tokens, records, policy.

    The configuration folder counts here also where it is yet to be made: somebody else could be first.
    """
    for path in (settings.home, *kept_files(settings.home), *_config_file()):
        refuse_replaceable(path)


def _config_file() -> tuple[Path, ...]:
    try:
        return (config_dir() / CONFIG_FILE,)
    except ConfigurationError:  # no such folder: then none that somebody could fill
        return ()


@contextmanager
def desk_of(settings: Settings, client: str = "", codes: Codes | None = None) -> Iterator[Desk]:
    """A desk for as long as the block lasts. ``client`` names the AI client that asks, if one does.

    ``codes`` are those of a process that asks at one desk and is answered at another.
    """
    refuse_if_off(settings)
    refuse_if_replaceable(settings)
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
