"""Checks: what somebody must be told, asked of the mirror on a schedule, and told once.

A check is a question with a condition and a schedule, written in ``checks.toml`` of the data directory
(:mod:`kandji_watch.definition`). What is found is kept beside it, so that only what is new is told, and every text is
written down before it is sent (:mod:`kandji_watch.round`). The mirror is read through :mod:`kandji_queries`; nothing
here syncs. The names below are imported when they are asked for.
"""

from typing import TYPE_CHECKING

from kandji_schema.lazy import lazy_names

if TYPE_CHECKING:
    from kandji_watch.definition import read_checks
    from kandji_watch.round import Round
    from kandji_watch.service import Watcher
    from kandji_watch.standing import overview

__all__ = ["Round", "Watcher", "overview", "read_checks"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Round": "kandji_watch.round",
        "Watcher": "kandji_watch.service",
        "overview": "kandji_watch.standing",
        "read_checks": "kandji_watch.definition",
    },
)
