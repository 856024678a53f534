"""Whether the process lives, and whether it can answer. Each is one word for everybody, and 503 where it is not ``ok``.

Living is nothing but that: who restarts a process that does not live mends nothing by it where the provider is away, or
the disk is full. What is behind an answer is looked at by ``/health``.
"""

from collections.abc import Sequence

from kandji_mcp_server.monitoring.mirror import is_too_old
from kandji_mcp_server.monitoring.samples import Watched
from kandji_schema.errors import MirrorError, NothingMirrored, StoreDamaged
from kandji_schema.manifest import newest_whole

OK = "ok"
HANGS = "syncing hangs"
GONE = "the data directory is gone"
NOTHING = "nothing mirrored yet"
DAMAGED = "damaged"
OLD = "too old"
SILENT = "does not answer"

READY_WORDS = (OK, GONE, NOTHING, DAMAGED, OLD, SILENT)
"""What `/readyz` may say."""


def liveness(watched: Sequence[Watched]) -> str:
    """Return :data:`OK` where the threads that sync go on. That the loop of the server does says who answers this."""
    schedulers = [each.scheduler for each in watched]
    return OK if all(scheduler is None or scheduler.alive for scheduler in schedulers) else HANGS


def readiness(watched: Sequence[Watched]) -> str:
    """Return :data:`OK` where a mirror of the process can be read, is opened, and is not too old; else why not.

    Of several one that can answer is enough: the trouble of a tenant takes no other's answers away. Each has its own.
    """
    words = [_readiness(each) for each in watched]
    return OK if OK in words else words[0]


def _readiness(watched: Watched) -> str:
    context = watched.context
    try:
        devices = newest_whole(watched.home)[0].tables.get("devices")
        if devices is None or devices.synced_at is None:
            return NOTHING
        if is_too_old(devices, watched.now(), context.settings.mirror_ready_hours):
            return OLD
        context.read_state()
    except NothingMirrored:
        return NOTHING if watched.home.is_dir() else GONE
    except StoreDamaged:
        return DAMAGED
    except (MirrorError, OSError):
        return SILENT
    return OK
