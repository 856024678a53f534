"""What a server needs of its own process: no core file, and many open files. Windows knows neither."""

import sys

WITHOUT_LIMIT = 10_240
"""Open files where the system names no hard limit: what macOS lets any process have."""

UNKNOWN = 512
"""Open files of a process where the system cannot be asked."""


def disable_core_dumps() -> None:
    """Have no core file written when the process dies: it would hold the tokens."""
    if sys.platform != "win32":
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def raise_file_limit() -> int:
    """Raise the limit of open files as far as the system allows, and tell it."""
    if sys.platform == "win32":
        return UNKNOWN
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return WITHOUT_LIMIT
    most = WITHOUT_LIMIT if hard == resource.RLIM_INFINITY else hard
    if soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError):  # the kernel's own limit is lower than the hard one
            return soft
    return max(soft, most)
