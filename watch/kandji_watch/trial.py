"""A test: a text that says of itself that it is one, sent at once and kept nowhere."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from kandji_schema.errors import ConfigurationError, StoreError, UnknownName, UsageError
from kandji_schema.settings import Settings
from kandji_watch import outbox
from kandji_watch.definition import read_checks
from kandji_watch.pages import pages_address
from kandji_watch.round import Sent
from kandji_watch.sending import attempt
from kandji_watch.state import State
from kandji_watch.texts import test_document


def send_trial(settings: Settings, name: str, targets: Sequence[str], now: datetime) -> list[Sent]:
    """Send a test of a check to its targets, or to the named ones, and return what became of each.

    What waits for a target that takes it is sent at the next round.

    :class:`ConfigurationError` where the check or a target is written wrongly, :class:`UnknownName`.
    """
    file = read_checks(settings.home, settings.privacy)
    for part in (f"check {name}", *(f"target {target}" for target in targets)):
        if part in file.broken:
            raise ConfigurationError(file.broken[part])
    if name not in file.checks:
        raise UnknownName("check in checks.toml", name, file.checks)
    check = file.checks[name]
    for target in targets:
        if target not in file.targets:
            raise UnknownName("target in checks.toml", target, file.targets)
    if not (targets or check.tell):
        raise UsageError(f"The check {name} tells nobody. Give it `tell`, or name a target with --to.")
    document = test_document(check, outbox.new_id(), pages_address(settings, file), now)
    sent = []
    for target in targets or check.tell:
        ended = attempt(file.targets[target], document, repeated=False, ca_file=settings.mirror_ca_file)
        state = outbox.DONE if ended.done else outbox.REFUSED if ended.final else "failed"
        if ended.done:
            _wake(State(settings.home), target)
        sent.append(Sent(target, document["headline"], document["id"], state, ended.words))
    return sent


def _wake(state: State, target: str) -> None:
    """Have the next round send what waits for a target: it answers again."""
    with suppress(StoreError):  # the test was sent, whatever the file is like
        with state.reading() as connection:
            waits = connection is not None and any(each.target == target for each in outbox.waiting(connection))
        if waits:
            with state.writing() as connection:
                outbox.wake(connection, target)
