"""What nobody sees is one list at every door."""

import sys
import unicodedata
from collections.abc import Callable
from io import StringIO
from itertools import product

import pytest

from kandji_mcp_server.render.sanitize import sanitized
from kandji_queries.results.formats import write
from kandji_queries.results.result import Result
from kandji_queries.results.values import ResultColumn
from kandji_schema.actions import action
from kandji_schema.actions.arguments import Argument, Kind
from kandji_schema.errors import UsageError
from kandji_schema.text import escaped, has_unseen, one_line, without_unseen

RARE = ("Co", "Cn")
EVERYTHING = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) not in RARE or ord(c) % 97 == 0]
"""Every character; a sample of those for private use or for nothing yet."""

BEFORE_NUMBERS = {*map(chr, range(0x600, 0x606)), *"\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"}
"""Format characters that are drawn."""

APPLE = "\uf8ff"
FILLERS = set("\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0") | {chr(code) for code in range(0xFFF0, 0xFFF9)}
SELECTORS = {chr(code) for code in (*range(0xFE00, 0xFE10), 0x180B, 0x180C, 0x180D, 0x180F)}
PLANE_14 = {chr(code) for code in range(0xE0000, 0xE1000)}

NAMES = (
    "Zoë's 💻",
    "👩\u200d💻 Ana",
    "👨\u200d👩\u200d👧\u200d👦",
    "👩🏽\u200d🔬",
    "👁\ufe0f\u200d🗨\ufe0f ❤\ufe0f\u200d🔥 1\ufe0f\u20e3 ©\ufe0f ☎\ufe0e",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian
    "क्\u200dष",
    "葛\U000e0100城",
    "\uff2d\uff21\uff23-79 東京",
    "Jo\u00a0Ann\u202fd\u2019Été",
    f"{APPLE} Studio",
    "\u06dd",
)
"""What people call devices; all of it is seen."""

HIDDEN = (
    "a\u200db",
    "Ma\u200cc",
    "\u200d",
    "💻\u200d",
    "💻\u200d\u200d💻",
    "M\ufe0fac",
    "💻\ufe0f\ufe0f",
    "1\ufe0f",
    "葛\U000e0100\U000e0101",
    "x\U000e0100",
    "soft\u00adhyphen",
    "\u180e",
    "\ufff9a\ufffab\ufffb",
    "\U000e0041\U000e007f",
    "\u3164",
    "pass\u2800word",
    "\ue000",
    "\ud800",
    "\uffff",
)


def test_the_list_follows_from_the_unicode_standard() -> None:
    hidden = {
        c
        for c in EVERYTHING
        if unicodedata.category(c) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
        or ord(c) & 0xFFFF >= 0xFFFE
        or 0xFDD0 <= ord(c) <= 0xFDEF
    }
    hidden = (hidden | FILLERS | SELECTORS | PLANE_14) - BEFORE_NUMBERS - {APPLE}
    found = {c for c in {*EVERYTHING, *hidden} if has_unseen(c)}
    assert not [hex(ord(c)) for c in hidden - found]
    reserved = {c for c in found - hidden if unicodedata.category(c) in {"Cn", "Mn"}}
    assert found - hidden == reserved
    assert {ord(c) >> 16 for c in reserved} <= {0x1, 0xE}  # kept free for format characters


def test_names_of_people_and_their_emoji_are_seen() -> None:
    for name in NAMES:
        assert not has_unseen(name), ascii(name)
        assert escaped(name) == without_unseen(name) == name


@pytest.mark.parametrize("text", HIDDEN)
def test_what_is_hidden_passes_no_door(text: str) -> None:
    assert has_unseen(text)
    assert not has_unseen(escaped(text))
    assert not has_unseen(without_unseen(text))
    assert not has_unseen(one_line(text))
    assert not has_unseen(str(sanitized({text: [text]})))


def test_what_is_cleaned_once_is_clean() -> None:
    pieces = "a1💻❤\u0645葛\u1820\u200d\u200c\ufe0f\ufe01\U000e0100\u180b\u20e3\u061c\u180e\u00ad"
    for text in map("".join, product(pieces, repeat=4)):
        assert not has_unseen(without_unseen(text)), ascii(text)


def _read(name: str) -> Callable[[object], object]:
    record = action(name)
    argument = next(a for a in record.arguments if a.kind in {Kind.TEXT, Kind.LINES})
    return argument.read


@pytest.mark.parametrize("name", ["lock", "setname"])
def test_an_action_takes_no_text_with_something_hidden(name: str) -> None:
    read = _read(name)
    for text in HIDDEN:
        with pytest.raises(UsageError, match="free of control and invisible characters") as refused:
            read(f"Hello {text}")
        assert not has_unseen(str(refused.value))
    for text in NAMES:
        assert read(text) == text


def test_no_single_character_that_is_unseen_or_none_passes_into_an_action() -> None:
    argument = Argument(name="message", key="Message", description="What is shown.")
    passing = []
    unassigned = (c for c in EVERYTHING if unicodedata.category(c) == "Cn")
    for character in {*filter(has_unseen, EVERYTHING), *unassigned, "\u0378"}:
        try:
            argument.read(f"a{character}b")
        except UsageError:
            continue
        passing.append(hex(ord(character)))
    assert not passing


def test_a_table_and_markdown_show_what_is_hidden() -> None:
    rows = [(text,) for text in (*HIDDEN, *NAMES)]
    answer = Result(
        columns=(ResultColumn("name", "VARCHAR"),),
        rows=rows,
        row_count=len(rows),
        truncated=False,
        as_of={},
        elapsed_ms=0.0,
        notes=[],
    )
    for name in ("table", "markdown"):
        out = StringIO()
        write(answer, name, out)
        assert not [ascii(line) for line in out.getvalue().splitlines() if has_unseen(line)]
        assert all(known in out.getvalue() for known in NAMES)


def test_one_line_is_one_line() -> None:
    assert one_line(" a\u2028b\r\n\tc\u00a0d\u202e ") == "a b c d"
