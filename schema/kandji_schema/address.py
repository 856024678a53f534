"""Addresses of things that are not on this machine, where a path is wanted."""

import re

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/.*", re.S)
"""Also ``host:/folder``, and what a path makes of two slashes. A drive is one letter."""


def is_address(text: str) -> bool:
    """Tell whether a text that should be a path is an address: ``s3://bucket/x``, ``file:///x``, ``host:/x``."""
    return bool(_ADDRESS.fullmatch(text))
