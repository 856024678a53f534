"""Heads of the audit log in places that who owns its files does not own: what was saved there cannot be made anew.

A head is ``seq:hash`` of the newest record; it stands for all records before it.
"""

import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kandji_mirror.audit.chain import Head
from kandji_mirror.audit.keychain import signing
from kandji_mirror.channels import Channel, command, syslog, webhook
from kandji_schema.errors import NotDelivered, UsageError
from kandji_schema.events import about
from kandji_schema.settings import Settings

log = logging.getLogger(__name__)

Anchor = Callable[[Head], str | None]
"""Saves a head elsewhere; gives what went wrong with that, once in a process. Takes seconds at most."""

_LONGEST_LINE = 1_000_000  # letters of a line of a log

_HEAD = re.compile(r"(?<![0-9A-Za-z])([1-9][0-9]{0,17}):([0-9a-f]{64})(?![0-9A-Za-z])")


def anchor_of(settings: Settings) -> Anchor | None:
    """Join every channel that the owner's settings name; None where they name none."""
    channels = tuple(anchor_channels(settings))
    return _anchor(settings.home, channels) if channels else None


def anchor_channels(settings: Settings) -> Iterator[Channel]:
    """Make the channels for heads of the log; :class:`ConfigurationError` for one that cannot be."""
    if settings.mirror_audit_syslog:
        yield syslog("KANDJI_MIRROR_AUDIT_SYSLOG", settings.mirror_audit_syslog)
    if settings.mirror_audit_url:
        yield webhook("KANDJI_MIRROR_AUDIT_URL", settings.mirror_audit_url, ca_file=settings.mirror_ca_file)
    if settings.mirror_audit_command:
        yield command("KANDJI_MIRROR_AUDIT_COMMAND", settings.mirror_audit_command)
    if settings.mirror_audit_keychain:
        yield signing(settings.home)


def saved_heads(against: str) -> list[Head]:
    """Return the heads that a text names: ``seq:hash`` itself, or else a file whose lines hold some, as of syslog.

    :class:`UsageError` where there is none.
    """
    lines = [against] if _HEAD.fullmatch(against.strip()) else _lines(against)
    heads = [Head(int(seq), digest) for line in lines for seq, digest in _HEAD.findall(line)]
    if not heads:
        raise UsageError(f"{against} holds no head of an audit log: a number, a colon and 64 hexadecimal digits.")
    return heads


def _lines(path: str) -> Iterator[str]:
    """Read a file or pipe line by line, as a log may be large; a device that has no end is none."""
    try:
        place = Path(path).expanduser()
        if place.is_char_device():
            raise OSError("it is a device")
        with place.open(encoding="utf-8", errors="replace") as file:
            yield from iter(lambda: file.readline(_LONGEST_LINE), "")
    except OSError as error:
        raise UsageError(
            f"{path!r} is neither seq:hash nor a file that can be read ({error.strerror or error})."
        ) from None


def _anchor(home: Path, channels: tuple[Channel, ...]) -> Anchor:
    told: set[Channel] = set()

    def trouble(channel: Channel, head: Head) -> str | None:
        try:
            channel(f"audit head {head.seq}:{head.hash} of {home}\n", {"seq": head.seq, "hash": head.hash})
        except NotDelivered as error:
            return str(error)
        return None

    def save(head: Head) -> str | None:
        with ThreadPoolExecutor(len(channels)) as pool:  # together they take no longer than one
            ended = zip(channels, pool.map(lambda channel: trouble(channel, head), channels), strict=True)
            new = {channel: words for channel, words in ended if words and channel not in told}
        told.update(new)
        if not new:
            return None
        words = f"The head of the audit log was not saved elsewhere. {' '.join(new.values())}"
        log.warning("%s", words, extra=about("audit.unsaved"))
        return words

    return save
