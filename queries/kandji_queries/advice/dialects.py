"""What other dialects write, and how it is written here."""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node

LAST_WEEK = "now() - INTERVAL 7 DAY"

FUNCTIONS: Mapping[str, str] = {
    **dict.fromkeys(("getdate", "getutcdate", "sysdate", "sysdatetime", "utc_timestamp", "systimestamp"), "now()"),
    **dict.fromkeys(("curdate", "utc_date"), "current_date"),
    **dict.fromkeys(
        ("dateadd", "adddate", "timestampadd", "date_add", "datetime"), f"{LAST_WEEK}, or + INTERVAL 1 DAY"
    ),
    **dict.fromkeys(("subdate", "date_sub", "datesub", "datetime"), LAST_WEEK),
    **dict.fromkeys(("timestampdiff", "timestamp_diff", "days_between"), "date_diff('day', earlier, later)"),
    **dict.fromkeys(("date_format", "to_char", "format_date", "format_datetime"), "strftime(moment, '%Y-%m-%d')"),
    **dict.fromkeys(("to_date", "str_to_date", "parse_date"), "strptime(text, '%Y-%m-%d')"),
    **dict.fromkeys(("nvl", "isnull", "zeroifnull"), "coalesce(value, 'otherwise')"),
    **dict.fromkeys(("nvl2", "decode", "iif"), "if(condition, yes, no) or CASE WHEN ... THEN ... END"),
    **dict.fromkeys(("charindex", "locate", "position_of"), "strpos(text, part)"),
    **dict.fromkeys(("regexp_like", "regexp_contains", "rlike"), "regexp_matches(text, 'pattern')"),
    **dict.fromkeys(("regexp_substr",), "regexp_extract(text, 'pattern')"),
    **dict.fromkeys(("listagg", "wm_concat"), "string_agg(text, ', ')"),
    **dict.fromkeys(("countif",), "count(*) FILTER (WHERE condition)"),
    **dict.fromkeys(("safe_cast", "try_convert", "convert", "to_number"), "TRY_CAST(value AS DOUBLE)"),
    **dict.fromkeys(("unix_timestamp", "to_unix_timestamp"), "epoch(moment)"),
    **dict.fromkeys(("from_unixtime",), "to_timestamp(seconds)"),
    **dict.fromkeys(("julianday", "to_days"), "date_diff('day', earlier, later)"),
    **dict.fromkeys(("substring_index",), "split_part(text, '.', 1)"),
    **dict.fromkeys(("find_in_set",), "list_contains(list, value)"),
    **dict.fromkeys(("json_value", "json_query"), "json_extract_string(document, '$.name')"),
    **dict.fromkeys(("version_compare", "compare_versions", "semver"), "version_below(version, '14.6')"),
}
"""Functions of other dialects by what to write here."""

LOOKED_AT = 200
"""Words of a statement that are looked at for misspelt ones."""

KEYWORDS = ("select", "from", "where", "group", "order", "having", "limit", "join", "distinct", "between")

_TOP = re.compile(r"(?is)^(SELECT)\s+TOP(?:\s*\(\s*|\s+)(\d+)(?:\s*\)\s*|\s+)(\S.*)$")
_LIMIT = re.compile(r"(?is)\bLIMIT\s+(\d+)\s*,\s*(\d+)$")
_SHOW_COLUMNS = re.compile(r"(?is)^SHOW\s+(?:FULL\s+)?COLUMNS\s+(?:FROM|IN)\s+([\w.\"]+)$")
_SPELLINGS: tuple[tuple[re.Pattern[str], str, Callable[[re.Match[str]], str]], ...] = (
    (_TOP, "TOP is LIMIT, at the end.", lambda found: f"{found[1]} {found[3]} LIMIT {found[2]}"),
    (_LIMIT, "LIMIT a, b is LIMIT b OFFSET a.", lambda found: f"LIMIT {found[2]} OFFSET {found[1]}"),
    (_SHOW_COLUMNS, "SHOW COLUMNS is DESCRIBE.", lambda found: f"DESCRIBE {found[1]}"),
)

_NO_NUMBER = "TRY_CAST(column AS DOUBLE) makes a number of it, or NULL"
_TYPES: tuple[tuple[str, str], ...] = (
    (
        r"compare values of type (?:VARCHAR and type (?:INTEGER|DECIMAL|DOUBLE|BIGINT)"
        r"|(?:INTEGER|DECIMAL|DOUBLE|BIGINT)\S* and type VARCHAR)",
        f"One side is a text. Compare versions with version_below(os_version, '14.6'), numbers in a text as numbers: "
        f"{_NO_NUMBER}.",
    ),
    (r"compare values of type (?:TIMESTAMP|DATE)", f"Compare a moment with a moment: column > {LAST_WEEK}."),
    (r"compare values of type BOOLEAN", "Write the column alone or NOT column; IS NULL for unknown."),
    (
        r"invalid (?:timestamp|date) field format",
        f"Write a moment as '2026-11-20 12:00', or count from now: {LAST_WEEK}; today is current_date.",
    ),
    (r"VARCHAR\[\]", "It is a list: list_contains(tags, 'lab'), or array_to_string(tags, ', ') as one text."),
    (r"'(?:avg|sum)\(VARCHAR\)'", f"The column is a text: {_NO_NUMBER}."),
    (r"'date_(?:sub|add)\(", f"Write {LAST_WEEK}."),
    (r"must appear in the GROUP BY", "GROUP BY ALL groups by whatever is not aggregated."),
)


def function_advice(name: str) -> str | None:
    """Say what to write in place of a function of another dialect."""
    instead = FUNCTIONS.get(name)
    return f"Here it is {instead}." if instead else None


def other_spelling(sql: str) -> tuple[str, str] | None:
    """Return what is written in another dialect, and the statement as it is written here."""
    sql = sql.strip().rstrip("; \n")
    for pattern, words, written in _SPELLINGS:
        if pattern.search(sql):
            return words, pattern.sub(written, sql)
    return None


def misspelt_keyword(sql: str) -> str | None:
    """Say which word was meant to be a keyword; None where none looks so."""
    for word in re.findall(r"[A-Za-z]+", re.sub(r"'[^']*'|\"[^\"]*\"", " ", sql))[:LOOKED_AT]:
        near = get_close_matches(word.lower(), KEYWORDS, n=1, cutoff=0.75)
        if near and word.lower() not in KEYWORDS and not word.lower().endswith("s"):
            return f"Did you mean {near[0].upper()} instead of {word}?"
    return None


def type_advice(error: str) -> str | None:
    """Say what to write where two kinds of values do not go together."""
    return next((words for pattern, words in _TYPES if re.search(pattern, error)), None)


def remarks(root: Node) -> Iterator[str]:
    """Yield what a statement surely does not mean though it runs: nothing equals NULL, brackets make a list."""
    said: dict[str, None] = {}
    for node in tree.below(root):
        if tree.kind(node) in {"COMPARE_EQUAL", "COMPARE_NOTEQUAL"} and any(
            (node[side].get("literal") or {}).get("kind") == "NULL_LITERAL" for side in ("left", "right")
        ):
            said["Nothing is = NULL or != NULL, so that condition lets no row pass: write IS NULL or IS NOT NULL."] = (
                None
            )
        if node.get("function_name") == "list_value" and len(node["arguments"]) == 1:
            name = tree.parts(node["arguments"][0]["expression"])
            if name:
                said[f"[{name[-1]}] is a list of one value; a name stands bare or in double quotes: {name[-1]}."] = None
    yield from said
