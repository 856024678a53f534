"""From the provider's API to published data files: API client, ingest, store, sync, scheduler, live actions.

The names below are imported when they are asked for: each comes with libraries that the other ones do not need.
"""

from typing import TYPE_CHECKING

from kandji_schema.lazy import lazy_names

if TYPE_CHECKING:
    from kandji_mirror.api.client import Client
    from kandji_mirror.connection import Connection, connect
    from kandji_mirror.report import Outcome, Report
    from kandji_mirror.scheduler.service import Scheduler
    from kandji_mirror.store.opening import open_store
    from kandji_mirror.store.store import Store

__all__ = ["Client", "Connection", "Outcome", "Report", "Scheduler", "Store", "connect", "open_store"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Client": "kandji_mirror.api.client",
        "Connection": "kandji_mirror.connection",
        "Outcome": "kandji_mirror.report",
        "Report": "kandji_mirror.report",
        "Scheduler": "kandji_mirror.scheduler.service",
        "Store": "kandji_mirror.store.store",
        "connect": "kandji_mirror.connection",
        "open_store": "kandji_mirror.store.opening",
    },
)
