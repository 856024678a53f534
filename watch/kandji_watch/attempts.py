"""What became of one attempt to bring a text to a target.

One that did not end well is tried again later, unless the target said that it never will be taken. ``unsure`` tells
that it may have arrived: then it is sent again with the same identifier, and says so.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attempt:
    """What became of one. ``wait`` are the seconds that the target asked for."""

    done: bool
    words: str = ""
    final: bool = False
    unsure: bool = False
    wait: float | None = None


DONE = Attempt(done=True)
