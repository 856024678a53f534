"""Every error of ours, grouped by what the caller does next; a module may have a narrower one for itself.

::

    MirrorError                      exit 1
    ├── ConfigurationError           exit 3: change a setting
    │   ├── AuthenticationError      exit 3: the token is wrong, revoked or expired
    │   ├── ActionsOff               exit 3: live actions are not switched on
    │   └── NotDelivered             exit 3: a message did not get to the channel that a setting names
    ├── UsageError                   exit 2: change the command
    │   ├── UnknownName              exit 2: a table, query or parameter that does not exist
    │   └── TargetRefused            exit 2: not one device to act on: unknown, several, gone, of another kind
    ├── ApiError                     exit 4: the provider did not give the answer
    │   ├── RetryLater               nothing is wrong with the request; ask again after a while
    │   │   ├── RateLimited          429, or the hourly budget is used up
    │   │   ├── ServerFault          5xx, or an answer that is not what the endpoint sends
    │   │   │   └── Unreadable       an answer that is too large or nested beyond reason
    │   │   ├── Unreachable          no answer at all
    │   │   └── Outage               nothing has been answered for a while, so nothing more is asked
    │   ├── Skip                     this resource cannot be read, the others can
    │   │   ├── PermissionMissing    403, or 401 where other endpoints answer
    │   │   └── NotFound             404: the thing is gone
    │   ├── ExportFailed             a Prism export did not end in a whole file; its pages can be read instead
    │   ├── OutcomeUnknown           a write left, and nobody knows whether it was carried out: look, never resend
    │   └── Rejected                 any other 4xx: the request itself is wrong
    ├── SyncError                    exit 4: the answer must not replace what is mirrored
    │   ├── Suspicious               too much vanished at once, or rows without keys
    │   └── AlreadySyncing           another process holds the writer's lock
    ├── StatementError               exit 5: change the statement
    │   ├── Refused                  the guard does not allow it
    │   ├── Failed                   the engine could not run it
    │   ├── TookTooLong              it hit the time or memory limit
    │   ├── TooManyRows              the answer is longer than it may be, and nobody asked for its beginning
    │   └── Busy                     too many statements are waiting; ask again
    ├── NotConfirmed                 exit 6: nobody said yes to exactly this, so nothing was sent
    ├── NothingMirrored              exit 7: sync first
    │   ├── NeverSynced              exit 7: a table to export was never synced
    │   └── NotMasked                exit 7: there are no masked rows yet, and others are not shown
    ├── StoreError                   exit 8: the mirror's own files, and those it exports
    │   ├── AuditUnavailable         the audit log cannot be written or read, so nothing may be sent
    │   ├── StoreFull                no space, or no right to write
    │   ├── StoreDamaged             a file is missing, cut or altered
    │   ├── StoreNewer               a newer version of this program wrote it, so it is left as it is
    │   └── NotExported              the files of an export could not be written
    ├── NotFresh                     exit 9: a table used is older or less whole than --max-age or --strict take
    └── Interrupted                  exit 130: Ctrl-C, SIGTERM or a closed terminal (SIGHUP)
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from kandji_schema.near_names import near


class MirrorError(Exception):
    """Any foreseeable trouble. The text names the value, the rule and the remedy; it never holds a secret."""

    exit_code: ClassVar[int] = 1

    details: ClassVar[tuple[str, ...]] = ()
    """Attributes beside the text that go along where an error crosses processes; JSON knows their values."""

    def lines(self) -> tuple[str, ...]:
        """Return the text as lines for a terminal; who has a list to choose from gives each its own, indented."""
        return (str(self),)

    def to_dict(self) -> dict[str, Any]:
        """Return kind, message, exit code and data, JSON-ready; a kind of another module as the nearest here."""
        data = {name: getattr(self, name) for name in self.details}
        return {"kind": self._kind, "message": str(self), "exit_code": self.exit_code, "data": data}

    @property
    def word(self) -> str:
        """Return the kind in lower case, such as ``rate_limited``; there are no more of these than kinds here."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self._kind).lower()

    @property
    def _kind(self) -> str:
        return next(base.__name__ for base in type(self).__mro__ if base.__module__ == __name__)

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> "MirrorError":
        """Return the error that :meth:`to_dict` took apart, of the nearest kind where that one is not known here."""
        code = document.get("exit_code")
        known = {kind.__name__: kind for kind in _kinds(MirrorError)}
        alike = next((kind for kind in known.values() if kind.exit_code == code), MirrorError)
        kind = known.get(str(document.get("kind")), alike)
        error = kind.__new__(kind, str(document["message"]))  # the text is whole: __init__ of a few would write another
        for name, value in (document.get("data") or {}).items():
            if name in kind.details:
                setattr(error, name, value)
        return error


def _kinds(kind: type[MirrorError]) -> Iterator[type[MirrorError]]:
    """Every kind of this module, a wider one before its narrower ones."""
    if kind.__module__ == __name__:
        yield kind
        for narrower in kind.__subclasses__():
            yield from _kinds(narrower)


class ConfigurationError(MirrorError):
    """A setting is missing or wrong."""

    exit_code = 3


class AuthenticationError(ConfigurationError):
    """The provider does not accept the token."""


class ActionsOff(ConfigurationError):
    """Live actions are not switched on here."""


class NotDelivered(ConfigurationError):
    """A message did not get to the channel that a setting names."""


class UsageError(MirrorError):
    """The command, or an argument of it, is wrong."""

    exit_code = 2


class UnknownName(UsageError):
    """A name that does not exist; the text offers the nearest ones."""

    details: ClassVar[tuple[str, ...]] = ("name", "nearest")

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        """Name the nearest. ``what`` is the kind of thing asked for ("table"), ``known`` all names there are."""
        self.name = name
        self.nearest, told = near(name, known)
        super().__init__(f"There is no {what} {told}")


class TargetRefused(UsageError):
    """What an action names is not one device (or tag) it can be done to."""


class ApiError(MirrorError):
    """The provider did not give the answer. ``status`` is the HTTP status, None where there was none."""

    exit_code = 4
    details: ClassVar[tuple[str, ...]] = ("status",)

    def __init__(self, message: str, *, status: int | None = None) -> None:
        """``message`` is for people and holds no header, no token and no body beyond the provider's own error text."""
        super().__init__(message)
        self.status = status


class RetryLater(ApiError):
    """Nothing is wrong with the request. ``retry_after`` is the wait the server asked for, in seconds."""

    details: ClassVar[tuple[str, ...]] = (*ApiError.details, "retry_after")

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        """``retry_after`` is None where the server did not say."""
        super().__init__(message, status=status)
        self.retry_after = retry_after


class RateLimited(RetryLater):
    """429, or the budget of this hour is used up."""


class ServerFault(RetryLater):
    """5xx, or a 200 whose body is not what the endpoint sends (proxies do this)."""


class Unreadable(ServerFault):
    """An answer that is there and cannot be taken: too large, or nested beyond reason. It is of one table alone."""


class Unreachable(RetryLater):
    """No answer. ``sent`` is False only where it is certain that the request never left."""

    details: ClassVar[tuple[str, ...]] = (*RetryLater.details, "sent")

    def __init__(self, message: str, *, sent: bool) -> None:
        """``sent`` decides whether a write may be tried again."""
        super().__init__(message)
        self.sent = sent


class Outage(RetryLater):
    """The provider answers nothing at all, or nothing that can be used, so nothing more is asked for now."""


class Skip(ApiError):
    """This resource cannot be read; the others can."""


class PermissionMissing(Skip):
    """The token lacks the permission, or the feature is not licensed: the provider does not tell which."""


class NotFound(Skip):
    """The thing asked for is gone."""


class ExportFailed(ApiError):
    """A Prism export failed, took too long, or its file was not whole."""


class OutcomeUnknown(ApiError):
    """A write left this machine and its answer did not come back. It must not be sent again before someone looked."""


class Rejected(ApiError):
    """The provider calls the request itself wrong."""


class SyncError(MirrorError):
    """What came must not replace what is mirrored."""

    exit_code = 4


class Suspicious(SyncError):
    """An answer that looks whole but would delete or change too much to be believed."""


class AlreadySyncing(SyncError):
    """Another process holds the writer's lock."""


class StatementError(MirrorError):
    """The SQL statement was not run to its end."""

    exit_code = 5


class Refused(StatementError):
    """The guard does not allow the statement. ``rule`` is the short name of the rule it broke."""

    details: ClassVar[tuple[str, ...]] = ("rule",)

    def __init__(self, message: str, *, rule: str) -> None:
        """``message`` says what was refused and what to do instead."""
        super().__init__(message)
        self.rule = rule


class Failed(StatementError):
    """The engine could not run the statement: a wrong column, a wrong type, a failing cast."""


class TookTooLong(StatementError):
    """The statement hit the time or memory limit and was stopped."""


class TooManyRows(StatementError):
    """The answer has more rows than it may have; what was written of it is its beginning only."""


class Busy(StatementError):
    """Too many other statements are running or waiting; nothing is wrong with this one."""


class NotConfirmed(MirrorError):
    """Nobody said yes to exactly this; nothing was sent."""

    exit_code = 6


class NothingMirrored(MirrorError):
    """There is no mirror yet."""

    exit_code = 7


class NeverSynced(NothingMirrored):
    """A table that is to be exported was never synced; an empty file would say that there is nothing."""


class NotMasked(NothingMirrored):
    """Personal data is to be masked, and the rows of a table are not yet."""

    def __init__(self, table: str) -> None:
        """``table`` is the one asked for."""
        super().__init__(
            f"The rows of {table} were mirrored before KANDJI_MIRROR_PRIVACY was set and are not masked yet, so they "
            "are not shown. Run `kandji-mirror sync`: it masks what is there first, without asking the tenant."
        )


class StoreError(MirrorError):
    """The mirror's own files cannot be read or written, or those it exports."""

    exit_code = 8


class AuditUnavailable(StoreError):
    """The audit log cannot be written or read. What cannot be recorded is not done."""


class StoreFull(StoreError):
    """No space left, or no right to write. What was published before still answers."""


class StoreDamaged(StoreError):
    """A file of the store is missing, cut short or altered."""


class StoreNewer(StoreError):
    """The mirror, or a backup, was written by a newer version of this program; nothing of it is read or touched."""


class NotExported(StoreError):
    """The files of an export could not be written: no space, no right. Nothing of it is there."""


class NotFresh(MirrorError):
    """A table used is older, or less whole, than the caller takes; nothing was answered."""

    exit_code = 9


class Interrupted(MirrorError):
    """Someone stopped the command."""

    exit_code = 130
