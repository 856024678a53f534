"""Numbers of things as people read them."""


def counted(number: int, what: str) -> str:
    """Write how many there are of what: ``1 row``, ``2,000 rows``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def size(number: int) -> str:
    """Write how many bytes these are in the unit that people read: ``12 bytes``, ``3.4 kB``, ``5.6 MB``."""
    for unit, each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= each:
            return f"{number / each:,.1f} {unit}"
    return counted(number, "byte")
