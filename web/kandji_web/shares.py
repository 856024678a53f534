"""What one browser may take of the server at once, so that others are answered while it waits."""

from collections import OrderedDict

from anyio import CapacityLimiter

AT_ONCE = 2
"""Questions of one session that are answered at once: half of all."""

MOST = 1_024
"""Sessions that are remembered; those that asked longest ago are forgotten first."""


class Shares:
    """The share of each client, by name."""

    def __init__(self) -> None:
        self._shares: OrderedDict[str, CapacityLimiter] = OrderedDict()

    def of(self, client: str) -> CapacityLimiter:
        """Return the share of a client."""
        share = self._shares.setdefault(client, CapacityLimiter(AT_ONCE))
        self._shares.move_to_end(client)
        while len(self._shares) > MOST:
            self._shares.popitem(last=False)
        return share
