"""Which rules of compliance are in force.

The file is the one ``KANDJI_MIRROR_COMPLIANCE_FILE`` names, else ``compliance.toml`` in the data directory, else the
one that comes with the package. A file replaces the built-in rules as a whole.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kandji_queries.compliance import RuleSet

FILE = "compliance.toml"
"""Name of the file, in the data directory and in the package."""

BUILT_IN = Path(__file__).parent / FILE

RULES = "internal.rules"
INPUTS = "internal.rule_inputs"
"""The relations the rules become, see :mod:`kandji_queries.rule_inputs`; none that statements may name."""


class Rulebook:
    """The rules in force for a data directory; the file is read when they are wanted and again when it changed."""

    def __init__(self, home: Path | None = None, named: str = "") -> None:
        """``named`` is the setting's path. Without both, the built-in rules."""
        self._home = home
        self._named = Path(named).expanduser() if named else None
        self._read: tuple[object, RuleSet] | None = None

    @property
    def path(self) -> Path:
        """The file in force."""
        if self._named:
            return self._named
        own = self._home / FILE if self._home else None
        return own if own and own.exists() else BUILT_IN

    def stamp(self) -> tuple[Path, int, int] | None:
        """Differs when other rules may be in force; None where the file cannot be read."""
        path = self.path
        try:
            facts = path.stat()
        except OSError:
            return None
        return path, facts.st_mtime_ns, facts.st_size

    def rules(self) -> "RuleSet":
        """The rules; :class:`ConfigurationError` names file, rule, key, value and what is allowed."""
        from kandji_queries.compliance import read  # only for statements that ask about compliance

        stamp = self.stamp()
        if self._read is None or self._read[0] != stamp:
            self._read = stamp, read(self.path)
        return self._read[1]
