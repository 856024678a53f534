"""Which plan an answer is to: from revision 2026-07-28 on a plan is made again when the answer to its question comes.

What a human was shown and what is done then carry one name in the audit log.
"""

import time
from dataclasses import dataclass, field, replace
from hashlib import sha256
from threading import Lock

from kandji_mirror.actions.confirmations import GOOD_FOR
from kandji_mirror.actions.plan import Plan


@dataclass
class Questions:
    """The newest open question to each plan, of one server. Another question's answer finds none, and is asked anew."""

    _open: dict[bytes, tuple[str, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def asked(self, plan: Plan) -> None:
        """Its question is about to be shown, or was."""
        over = time.monotonic() - GOOD_FOR.total_seconds()
        with self._lock:
            self._open = {print_: known for print_, known in self._open.items() if known[1] > over}
            known = self._open.get(_print(plan))
            if known is None or known[0] != plan.id:
                self._open[_print(plan)] = (plan.id, time.monotonic())

    def joined(self, plan: Plan) -> Plan:
        """The plan under the name that its open question shows."""
        with self._lock:
            known = self._open.get(_print(plan))
        return replace(plan, id=known[0]) if known else plan

    def answered(self, plan: Plan) -> None:
        """Its question is not open any more."""
        with self._lock:
            if self._open.get(_print(plan), ("", 0.0))[0] == plan.id:
                del self._open[_print(plan)]


def _print(plan: Plan) -> bytes:
    """Equal for equal plans; arguments may hold a PIN."""
    return sha256("\0".join((*plan.binding, plan.reason)).encode("utf-8", errors="replace")).digest()
