"""Addresses of things that are not on this machine, where a path is wanted."""

import re

_SCHEMES = "abfss?|azs?|file|ftps?|gcs|gs|hdfs|https?|oss|r2|s3[an]?|sftp|smb|ssh|wasbs?"
_ADDRESS = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]+:/.*|(?i:{_SCHEMES}):.*", re.S)
"""Also ``host:/folder``, and what a path makes of two slashes. A drive is one letter."""


def is_address(text: str) -> bool:
    """Tell whether a text that should be a path is an address: ``s3://bucket/x``, ``file:///x``, ``host:/x``."""
    return bool(_ADDRESS.fullmatch(text))
