"""The log of a server, on stderr: lines for people on a terminal, one JSON object a line elsewhere, never a flood.

Times are UTC, with Z. Of an error that nobody foresaw the kind and the place are written and never its words, which
may quote rows of people; an identifier, such as that of a device in the path of a request, is left out. Nothing
rotates files here: journald, launchd's newsyslog or a container's engine does.
"""

import json
import logging
import os
import re
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import Any

from kandji_schema.settings import Settings

SAME = 5
"""Lines of one kind within :data:`WINDOW`; further ones are counted."""

SAME_EVENTS = 120
"""The same for lines that tell of an event: a scheduler has as many, and a flood has more."""

WINDOW = 60.0
"""Seconds."""

REMIND = 24 * 3600.0
"""Seconds after which a trouble that still lasts is told again."""

KINDS = 256
"""Kinds of lines, and troubles, that are remembered."""

OURS = ("kandji_mirror", "kandji_watch", "kandji_mcp_server", "kandji_web", "kandji_cli")
"""Loggers whose level is set; libraries tell warnings alone."""

_PLACES = 8  # frames of an error, the innermost ones

_IDENTIFIER = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)


class RepeatFilter(logging.Filter):
    """Tells a trouble once until its words change or it is over, and of other lines of one kind a few in a while.

    The next line that is told says how many were left out. Lines are of one kind that are written at the same place in
    the program.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()
        self._troubles: OrderedDict[Hashable, tuple[str, float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write a line."""
        facts = vars(record)
        if over := facts.get("recovered"):
            self._troubles.pop(over, None)
        if subject := facts.get("trouble"):
            return self._is_news(subject, record)
        return self._is_one_of_few(record, SAME_EVENTS if facts.get("event") else SAME)

    def _is_news(self, subject: Hashable, record: logging.LogRecord) -> bool:
        words, now = _without_numbers(record), self._clock()
        before, told, count = self._troubles.pop(subject, ("", now, 0))
        news = words != before or now - told >= REMIND
        if news and count and words == before:
            _add(record, f"(still so, {count:,} times since it was told)")
        self._troubles[subject] = (words, now, 0) if news else (before, told, count + 1)
        if len(self._troubles) > KINDS:
            self._troubles.popitem(last=False)
        return news

    def _is_one_of_few(self, record: logging.LogRecord, most: int) -> bool:
        kind, now = (record.pathname, record.lineno), self._clock()
        began, count = self._seen.pop(kind, (now, 0))
        if now - began >= WINDOW:
            if count > most:
                _add(record, f"({count - most:,} more like it before)")
            began, count = now, 0
        self._seen[kind] = (began, count + 1)
        if len(self._seen) > KINDS:
            self._seen.popitem(last=False)
        return count < most


def _without_numbers(record: logging.LogRecord) -> str:
    """Return the words of a trouble by which it is known again: "try again in 17 s" is the same in the next minute."""
    return re.sub(r"\d+", "#", _said(record))


def _said(record: logging.LogRecord) -> str:
    """Return the message without identifiers: which device it was is in the status, for those who may see that."""
    return _IDENTIFIER.sub("{id}", record.getMessage())


def _add(record: logging.LogRecord, words: str) -> None:
    record.msg, record.args = f"{record.getMessage()} {words}", ()


class TextLines(logging.Formatter):
    """Lines for people: ``2026-11-30T14:05:00Z WARNING devices could not be synced and keeps its rows: ...``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, of an error with the places below."""
        lines = [f"{_moment(record):%Y-%m-%dT%H:%M:%SZ} {record.levelname} {_whose(record)}{_words(record)}"]
        return "\n".join([*lines, *(f"  {place}" for place in _places(record))])


def _whose(record: logging.LogRecord) -> str:
    """Return the profile of the tenant that a line is of, where its words do not begin with that."""
    tenant = vars(record).get("fields", {}).get("tenant")
    return f"{tenant}: " if tenant and not record.getMessage().startswith(f"{tenant}: ") else ""


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``event``, ``text``, and the fields of the event."""

    def __init__(self, encoding: str = "utf-8") -> None:
        """``encoding`` is that of the stream: where it is not UTF-8, as JSON is, letters beyond ASCII are escaped."""
        super().__init__()
        self._only_ascii = encoding.lower().replace("-", "").replace("_", "") != "utf8"

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = vars(record)
        time = f"{_moment(record).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
        line: dict[str, Any] = {
            "time": time,
            "level": record.levelname.lower(),
            "event": facts.get("event") or "log",
            "text": _words(record),
            **facts.get("fields", {}),
        }
        if places := _places(record):
            line["places"] = places
        return _priority(record) + json.dumps(line, ensure_ascii=self._only_ascii, default=str)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _words(record: logging.LogRecord) -> str:
    """Return what is said, and of an error the kinds of it and of what caused it."""
    error = record.exc_info[1] if record.exc_info else None
    kinds: list[str] = []
    while error is not None and len(kinds) < _PLACES:
        kinds.append(type(error).__name__)
        error = error.__cause__
    return f"{_said(record)} ({' from '.join(kinds)})" if kinds else _said(record)


def _places(record: logging.LogRecord) -> list[str]:
    trace = record.exc_info[2] if record.exc_info else None
    frames = traceback.extract_tb(trace)[-_PLACES:] if trace else ()
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


_LEVELS = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


def _priority(record: logging.LogRecord) -> str:
    """Return the mark by which systemd's journal knows how grave a line is, which it takes off; elsewhere nothing."""
    return f"<{_LEVELS.get(record.levelno, 6)}>" if _IN_JOURNAL else ""


def _stderr_is_the_journal() -> bool:
    try:
        found = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


_IN_JOURNAL = _stderr_is_the_journal()


def is_for_people(settings: Settings) -> bool:
    """Tell whether lines are written for people: by the setting, else where stderr is a terminal."""
    form = settings.mirror_log_form
    return form == "text" or (form == "auto" and sys.stderr is not None and sys.stderr.isatty())


def log_to_stderr(settings: Settings | None = None, usual: str = "warning") -> None:
    """Have everything of this process be written to stderr, of ours from the level of the settings on.

    ``usual`` is the level where they leave it to the command. Called again it takes up other settings. Without
    settings, before they are read, warnings are told as text.
    """
    root = logging.getLogger()
    handler = next((known for known in root.handlers if isinstance(known, _Lines)), None) or _Lines()
    if handler not in root.handlers:
        root.addHandler(handler)
        root.setLevel(logging.WARNING)
    if settings is not None:
        level = usual if settings.mirror_log_level == "auto" else settings.mirror_log_level
        handler.setFormatter(TextLines() if is_for_people(settings) else JsonLines(_encoding()))
        for package in OURS:
            logging.getLogger(package).setLevel(level.upper())


def _encoding() -> str:
    return getattr(sys.stderr, "encoding", None) or "utf-8"


class _Lines(logging.StreamHandler[Any]):
    """The one handler of a server."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(TextLines())
        self.addFilter(RepeatFilter())
