"""Faults as a command line names them: ``429``, ``slow:0.1``, or any kind by its name."""

from collections.abc import Mapping

from kandji_schema.errors import UnknownName, UsageError
from kandji_simulator.api.faults import Fault, FaultKind

SHORT: Mapping[str, FaultKind] = {
    "429": FaultKind.RATE_LIMITED,
    "500": FaultKind.SERVER_ERROR,
    "503": FaultKind.UNAVAILABLE,
    "slow": FaultKind.SLOW,
    "late": FaultKind.DELAY,
    "cut": FaultKind.TORN,
    "reset": FaultKind.RESET,
    "hanging": FaultKind.HANGING,
    "broken-json": FaultKind.TRUNCATED_JSON,
    "html": FaultKind.HTML_PAGE,
    "empty": FaultKind.EMPTY_BODY,
}
"""Short names of those that happen most."""

RATE = 0.05
"""Share of the requests that go wrong where nobody says how many."""

_ALWAYS = 1_000_000_000
_SECONDS = 2.0


def fault_of(text: str) -> Fault:
    """Return the fault that ``KIND`` or ``KIND:RATE`` means, for ever; a rate is 0 to 1, or in percent.

    Raises :class:`UnknownName` and :class:`UsageError`.
    """
    name, colon, rate = text.partition(":")
    known = {**{kind.name.lower().replace("_", "-"): kind for kind in FaultKind}, **SHORT}
    kind = known.get(name.strip().lower().replace("_", "-"))
    if kind is None:
        raise UnknownName("kind of fault", name, known)
    return Fault("", kind, times=_ALWAYS, seconds=_SECONDS, rate=_rate(rate, text) if colon else RATE)


def _rate(text: str, whole: str) -> float:
    percent = text.strip().endswith("%")
    try:
        rate = float(text.strip().rstrip("%")) / (100 if percent else 1)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise UsageError(f"--fault {whole!r}: the rate is a share of all requests, 0 to 1 or 0% to 100%: 429:0.1.")
    return rate
