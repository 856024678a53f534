"""What a word of an answer means to who looks at it: good, bad, to be watched, or not known.

The same word has the same colour in every picture: ``passed`` and ``filevault_on`` are good wherever they stand.
"""

import re
from types import MappingProxyType

GOOD, BAD, WARN, UNKNOWN = "good", "bad", "warn", "unknown"

_WORDS = MappingProxyType(
    {
        UNKNOWN: "unknown none undefined",
        BAD: "failed fails failing fail failure error errors off disabled noncompliant critical exploited "
        "expired unencrypted overdue threat threats malicious broken lost",
        WARN: "warning warnings warn pending high stale remediated suspicious awaiting",
        GOOD: "passed passes passing pass on enabled compliant ok success successful encrypted valid "
        "supported healthy installed escrowed",
    }
)
_MEANINGS = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}
_SHORT = frozenset({"on", "off", "none", "high", "lost"})
"""Words that mean this only where they are all, or end a name: ``filevault_on``, not "Based on iOS"."""

_VERDICTS = frozenset({"status", "state", "result", "severity", "verdict", "outcome", "health", "rating"})
"""How columns are called whose values judge. What stands in others are names: a table ``threats``, a person "Lost"."""

_NAMES = {"filevault": "FileVault", "os": "OS", "sip": "SIP", "cves": "CVEs", "cve": "CVE", "ade": "ADE", "mdm": "MDM"}


def meaning_of(text: str) -> str | None:
    """Return ``good``, ``bad``, ``warn`` or ``unknown``; None for a text that means none of them.

    ``not_compliant`` is bad and ``not known`` is unknown; a text of more than three words is a name.
    """
    words = re.findall(r"[^\W_]+", text.casefold())
    if not words or len(words) > 3:
        return UNKNOWN if not words else None
    if words[0] in {"not", "non"} and len(words) > 1:
        return UNKNOWN if words[1] in {"known", "reported"} else _opposite(_MEANINGS.get(words[1]))
    if UNKNOWN in words:
        return UNKNOWN
    last = words[-1]
    if last in _SHORT or len(words) == 1:
        return _MEANINGS.get(last) if len(words) == 1 or "_" in text else None
    found = {meaning for word in words if word not in _SHORT and (meaning := _MEANINGS.get(word))}
    return found.pop() if len(found) == 1 and "_" in text else None


def is_verdict(column: str) -> bool:
    """Tell whether the values of a column say how well something is, by its name: ``result``, ``library_status``."""
    return column.casefold().rpartition("_")[2] in _VERDICTS


def label_of(column: str) -> str:
    """Return the name of a column as words: ``filevault_on`` is "FileVault on"."""
    words = [_NAMES.get(word, word) for word in column.split("_") if word]
    text = " ".join(words) or column
    return text[:1].upper() + text[1:]


def _opposite(meaning: str | None) -> str | None:
    return {GOOD: BAD, BAD: GOOD}.get(meaning or "")
