"""Spellings of other dialects and of hurried hands, and the same in ours: moments, quotes, patterns, signs."""

import re
from collections.abc import Callable, Mapping

from kandji_queries.advice.finding import Finding
from kandji_queries.advice.pieces import Call, calls, pieces, without_texts

PASSES = 8
"""Most calls of one statement that are written anew one after the other."""

_UNITS = "second|minute|hour|day|week|month|quarter|year"
_UNIT = re.compile(rf"(?i)^'?({_UNITS})s?'?$")
_AGO = re.compile(rf"(?i)^'\s*(?:last\s+|-)?(\d+)\s*({_UNITS}|[hdw])s?(?:\s+ago)?\s*'$")
_SHORT = {"h": "HOUR", "d": "DAY", "w": "WEEK"}
_NAMED_AGO = {
    **{"now": "now()", "today": "current_date", "yesterday": "current_date - 1"},
    **{"last week": "now() - INTERVAL 7 DAY", "last month": "now() - INTERVAL 1 MONTH"},
    **{"a week ago": "now() - INTERVAL 7 DAY", "a day ago": "now() - INTERVAL 1 DAY"},
}
_NOW = ("getdate", "getutcdate", "sysdate", "sysdatetime", "utc_timestamp", "systimestamp")
_TODAY = ("curdate", "utc_date")
_BARE_NOW = re.compile(r"(?i)\b(?:sysdate|sysdatetime|systimestamp)\b(?!\s*\()")
_NOW_AND_NUMBER = re.compile(r"(?i)\b(now\s*\(\s*\)|current_timestamp(?:\s*\(\s*\))?)\s*([-+])\s*(\d+)\b(?!\s*[*/.])")

TEMPLATES: Mapping[tuple[str, int], str] = {
    **{(name, 0): "now()" for name in _NOW},
    **{(name, 0): "current_date" for name in _TODAY},
    ("nvl", 2): "coalesce({0}, {1})",
    ("isnull", 2): "coalesce({0}, {1})",
    ("iif", 3): "if({0}, {1}, {2})",
    ("nvl2", 3): "if({0} IS NOT NULL, {1}, {2})",
    ("datediff", 2): "date_diff('day', {1}, {0})",
    ("charindex", 2): "strpos({1}, {0})",
    ("locate", 2): "strpos({1}, {0})",
    ("countif", 1): "count(*) FILTER (WHERE {0})",
    ("listagg", 2): "string_agg({0}, {1})",
    ("regexp_like", 2): "regexp_matches({0}, {1})",
    ("regexp_contains", 2): "regexp_matches({0}, {1})",
    ("from_unixtime", 1): "to_timestamp({0})",
    ("unix_timestamp", 1): "epoch({0})",
}
"""Calls of other dialects by name and number of arguments, and how each is written here."""

_INTERVAL = re.compile(r"(?i)(?:now\(\)|current_timestamp|current_date)?\s*[-+] INTERVAL '?\d+'? \w+")
_BETWEEN = "The days between two moments are date_diff('day', earlier, later)."
_TRUE = frozenset(("true", "on", "yes", "enabled", "enable", "active", "t", "y", "1"))
_FALSE = frozenset(("false", "off", "no", "disabled", "disable", "inactive", "f", "n", "0"))
_BOOL = re.compile(r"Could not convert string '([^'\n]*)' to BOOL")
_IS_TEXT = re.compile(r"(?i)\bIS(\s+NOT)?\s+'(\w+)'")
_OPENING, _CLOSING = "\u2018\u201c\u201e", "\u2019\u201d\u201c"
_CURLY = re.compile(rf"[{_OPENING}]([^\n]*?)[{_CLOSING}](?!\w)")
_BRACKETED = re.compile(r"(?<![\w\])])\[([^\W\d]\w*)\]")
_PATTERN = re.compile(r"(?i)\b(I?LIKE)\s+(%[^%'\"();\n]*%|%[^\s%'\"();]+|[^\s%'\"();]+%)")
_QUOTE_INSIDE = re.compile(r"(?<=\w)'(?=\w)")


def unparsed(sql: str) -> Finding | None:
    """Return what was meant by a statement that cannot be parsed for its quotes, patterns or truth values."""
    edits: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("A text stands in straight single quotes.", straight_quotes),
        ("Names stand bare or in double quotes; square brackets make a list.", without_brackets),
        ("A pattern is a text, in single quotes.", _quoted_patterns),
        ("A quote inside a text is written twice.", lambda text: _QUOTE_INSIDE.sub("''", text)),
        ("IS takes true, false or NULL, without quotes.", _bare_truths),
    )
    return next((Finding(words, mended) for words, edit in edits if (mended := edit(sql)) != sql), None)


def straight_quotes(sql: str) -> str:
    """Return a statement with curly quotes around its texts made straight; those inside a text stay."""
    if not re.search(f"[{_OPENING}]", sql):
        return sql

    def straight(found: re.Match[str]) -> str:
        return "'" + found[1].replace("'", "''") + "'"

    return without_texts(sql, lambda text: _CURLY.sub(straight, text))


def without_brackets(sql: str) -> str:
    """Return a statement with the square brackets of other dialects taken from around its names."""
    return without_texts(sql, lambda text: _BRACKETED.sub(r"\1", text))


def moments_as_here(sql: str) -> Finding | None:
    """Return a statement with its moments and calls of other dialects as they are written here; None if it has none."""
    mended = _and(sql)
    words = "&& is written AND." if mended != sql else ""
    for _ in range(PASSES):
        again = _rewritten(mended)
        if again == mended:
            break
        mended = again
    mended = without_texts(mended, _counted_from_now)
    return Finding(words or _told(sql, mended), mended) if mended != sql else None


def _counted_from_now(text: str) -> str:
    return _NOW_AND_NUMBER.sub(r"\1 \2 INTERVAL \3 DAY", _BARE_NOW.sub("now()", text))


def _told(sql: str, mended: str) -> str:
    """Say in words how moments are written, with the number that stands in the statement."""
    if (interval := _INTERVAL.search(mended)) and interval[0].lower() not in sql.lower():
        return f"A count of days before or after a moment is an interval: {interval[0]}."
    if interval:
        return f"An interval is taken from a moment by its sign: {interval[0]}."
    return _BETWEEN if "date_diff('" in mended and "date_diff('" not in sql else ""


def ago_as_moment(sql: str) -> Finding | None:
    """Return a statement with texts such as ``'12 hours ago'`` as moments; None if it has none."""
    found = pieces(sql)
    moments = [_moment(piece) for piece in found]
    told = next((moment for moment in moments if moment), None)
    if told is None:
        return None
    mended = "".join(moment or piece for moment, piece in zip(moments, found, strict=True))
    return Finding(f"Count from now: {told}.", mended)


def truth(sql: str, error: str) -> Finding | None:
    """Return what was meant by a text that is compared with a truth value."""
    found = _BOOL.search(error)
    if found is None or found[1].lower() not in _TRUE | _FALSE:
        return None
    text, value = f"'{found[1]}'", _truth(found[1])
    parts = [value if part == text else part for part in pieces(sql)]
    mended = "".join(parts)
    return Finding(f"The column is true, false or NULL; {text} is {value}.", mended) if mended != sql else None


def _rewritten(sql: str) -> str:
    for call in calls(sql):
        if (written := _written(call)) is not None:
            return f"{sql[: call.begin]}{written}{sql[call.end :]}"
    return sql


def _written(call: Call) -> str | None:
    """Return a call as it is written here; None for one that stays."""
    name, given = call.name, call.arguments
    if template := TEMPLATES.get((name, len(given))):
        return template.format(*given)
    if name in {"dateadd", "timestampadd", "date_add", "adddate", "date_sub", "datesub", "subdate"}:
        return _shifted(name, given)
    if name in {"timestampdiff", "timestamp_diff"} and len(given) == 3 and (unit := _UNIT.match(given[0])):
        return f"date_diff('{unit[1].lower()}', {given[1]}, {given[2]})"
    if name in {"datetime", "date"} and given[:1] == ("'now'",):
        return _sqlite(given)
    return None


def _shifted(name: str, given: tuple[str, ...]) -> str | None:
    """Return a moment with an interval added or taken away."""
    sign = "-" if "sub" in name else "+"
    if len(given) == 3 and (unit := _UNIT.match(given[0])):
        number = given[1].replace(" ", "")
        sign = "-" if number.startswith("-") else sign
        number = number.lstrip("-+")
        count = number if number.isdigit() else f"({number})"
        return f"{given[2]} {sign} INTERVAL {count} {unit[1].upper()}"
    if len(given) == 2 and given[1].lower().startswith("interval"):
        return f"{given[0]} {sign} {given[1]}"
    return f"{given[0]} {sign} INTERVAL {given[1]} DAY" if len(given) == 2 and given[1].isdigit() else None


def _sqlite(given: tuple[str, ...]) -> str | None:
    if len(given) == 1:
        return "now()"
    ago = re.match(rf"(?i)^'([-+])\s*(\d+)\s+({_UNITS})s?'$", given[1]) if len(given) == 2 else None
    return f"now() {ago[1]} INTERVAL {ago[2]} {ago[3].upper()}" if ago else None


def _moment(piece: str) -> str | None:
    if ago := _AGO.match(piece):
        return f"now() - INTERVAL {ago[1]} {_SHORT.get(ago[2].lower(), ago[2].upper())}"
    return _NAMED_AGO.get(piece[1:-1].strip().lower()) if piece.startswith("'") else None


def _and(sql: str) -> str:
    return "".join("AND" if piece == "&&" else piece for piece in pieces(sql))


def _quoted_patterns(sql: str) -> str:
    return without_texts(sql, lambda text: _PATTERN.sub(r"\1 '\2'", text))


def _bare_truths(sql: str) -> str:
    def bare(found: re.Match[str]) -> str:
        known = found[2].lower() in _TRUE | _FALSE
        return f"IS{found[1] or ''} {_truth(found[2])}" if known else found[0]

    return _IS_TEXT.sub(bare, sql)


def _truth(word: str) -> str:
    return "true" if word.lower() in _TRUE else "false"
