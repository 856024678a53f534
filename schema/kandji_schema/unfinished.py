"""A restore that was stopped in its last step: those who read tell of it, those who write carry it out.

A module of its own, as whoever finds no mirror asks for nothing else of :mod:`kandji_mirror.store.restoring`.
"""

from pathlib import Path

STAGED = "restore.tmp"
"""Folder in the home for what is to come."""

READY = "ready.json"
"""File in it that says that all is there and proved."""


def is_unfinished(home: Path) -> bool:
    """Tell whether a restore was stopped in its last step, so that there is no mirror until somebody goes on."""
    return (home / STAGED / READY).exists()
