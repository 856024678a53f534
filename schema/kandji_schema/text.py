"""How texts are shown, searched and counted: the one list of unseen characters, the one folding, plain numbers.

**Unseen characters.** People name their devices as they like, and an app or a web page may put words into a text that a
reader does not see but a terminal obeys or a model reads. Unseen are, after the Unicode standard:

- control characters, line and paragraph separators, surrogates and noncharacters (Cc, Zl, Zp, Cs);
- format characters (Cf), such as the soft hyphen, marks that turn the direction of a text, and tags; the Arabic signs
  that stand before a number are seen and are none of them;
- the rest of what has the property Default_Ignorable_Code_Point (Hangul fillers, U+034F, all of U+E0000 to E0FFF) and
  the blank of braille;
- private use (Co), which looks like whatever a font makes of it, but for U+F8FF: Apple's fonts have their apple there.

Joiners and variation selectors are seen where they do what they are for, because names in Persian, Hindi or Japanese
and half of the emoji are written with them: a joiner between two characters of such a script or of emoji, a selector
right after a character that has variants. Elsewhere, or twice in a row, they are unseen too.

Blanks of other widths (U+00A0, U+3000) are seen: as blanks.

Code points without a character (Cn) may be seen, and are left where a text is only shown: they may be an emoji that is
younger than this Python. Nobody knows what a device makes of them, so that they are not sent.

**Folding.** People type ``Zoe`` for ``Zoë``, a straight apostrophe for the curved one of macOS, ``-`` for a dash, and
serial numbers in groups. Both sides of a search are folded, in this order: blanks of every kind become a space, what
nobody sees goes away, accents go away, letters become small, and each character becomes its plain form by
:func:`folds` (Unicode NFKC, kinds of apostrophe, quotation mark and dash, letters such as ß and ø); then runs of spaces
become one, and those around go away. The SQL macro ``folded`` is made from the same tables; DuckDB knows no NFKC.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from types import MappingProxyType
from unicodedata import category, decomposition, normalize

UNSEEN_ALWAYS = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ud800-\uf8fe\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0xE0000, 0x10000))
    + "\U000e0000-\U000e00ff\U000e01f0-\U0010ffff"
)
"""What is unseen wherever it stands, as the inside of a class ``[...]`` of a regular expression."""

_EMOJI = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u27ff\u2900-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_INDIC = "\u0900-\u109f\u1780-\u17b3\u17b6-\u180a\u1810-\u18aa\ua840-\ua9df\U00011000-\U00011fff"
_JOINING = f"\u0600-\u061b\u061d-\u08ff\ufb50-\ufdcf\ufe70-\ufefc{_INDIC}{_EMOJI}"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_MISPLACED = "|".join(
    (
        f"[\u200c\u200d](?:(?<![{_JOINING}].)(?<![{_EMOJI}]\ufe0f.)|(?![{_JOINING}]))",
        f"[\ufe0e\ufe0f](?<![{_EMOJI}].)(?!(?<=[0-9#*].)\u20e3)",
        f"[\ufe00-\ufe0d\U000e0100-\U000e01ef](?<![{_HAN}].)",
        "[\u180b-\u180d\u180f](?<![\u1820-\u18aa].)",
    )
)
_UNSEEN = re.compile(f"[{UNSEEN_ALWAYS}]|{_MISPLACED}")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def has_unseen(text: str, *, keep: str = "") -> bool:
    """Tell whether there is a character that nobody sees, those of ``keep`` aside."""
    return not _plain(text) and any(found[0] not in keep for found in _UNSEEN.finditer(text))


def is_unfit(text: str, *, keep: str = "") -> bool:
    """Tell whether a text is not to be sent: it has something unseen, ``keep`` aside, or no character at a place."""
    return has_unseen(text, keep=keep) or (not text.isascii() and any(category(c) == "Cn" for c in text))


def without_unseen(text: str, *, keep: str = "\t\n") -> str:
    """Return the text without what nobody sees, which is what a model may read."""
    return text if _plain(text) else _UNSEEN.sub(lambda found: found[0] if found[0] in keep else "", text)


def escaped(text: str, *, keep: str = "") -> str:
    r"""Return the text with ``\n`` or ``\u202e`` for what nobody sees, ``keep`` aside: for terminals and pages."""
    return text if _plain(text) else _UNSEEN.sub(lambda found: found[0] if found[0] in keep else _escape(found), text)


def one_line(text: str) -> str:
    """Return the text on one line for eyes: a blank for what nobody sees and for each run of blanks."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return _SHORT.get(found[0]) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


# -- folding -----------------------------------------------------------------------------------------------------------

BLANKS = "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What counts as a blank, as the inside of a class ``[...]`` of a regular expression."""

UNSEEN = UNSEEN_ALWAYS.replace("\ud800", "\ue000") + "\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""What is left out, likewise: joiners and variation selectors too, which change the look of a letter only.

Without surrogates: no text of DuckDB has any, and its regular expressions refuse them.
"""

DROPPED = " :.-"
"""What is left out of identifiers besides: serial numbers, asset tags and addresses are written in groups."""

_ALIKE = {
    "'": "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02c8\u2018\u2019\u201a\u201b\u2032\u2035\ua78c",
    '"': "\u00ab\u00bb\u02ba\u201c\u201d\u201e\u201f\u2033\u2036\u275d\u275e\u301d\u301e\u301f",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\ufe31\ufe32\ufe58\ufe63\uff0d",
    "/": "\u2044\u2215",
    "d": "đð",
    "h": "ħ",
    "i": "\u0131",
    "l": "ł",
    "n": "ŋ",
    "o": "ø",
    "t": "ŧ",
    "ae": "æ",
    "oe": "œ",
    "ss": "ß",
    "th": "þ",
    "\u03c3": "\u03c2",
}
_OURS = {character: plain for plain, characters in _ALIKE.items() for character in characters}
_BLOCKS = (
    *(range(0xA0, 0x1000), range(0x10FC, 0x10FD), range(0x1D00, 0x3400), range(0xA690, 0xAC00), range(0xF900, 0x10000)),
    *(range(0x10780, 0x107C0), range(0x1D400, 0x1F300), range(0x1FBF0, 0x1FC00)),
)
_BLANK = re.compile(f"[{BLANKS}]")
_IGNORED = re.compile(f"[{UNSEEN}\ud800-\udfff]")
_GROUPING = re.compile(f"[{DROPPED}]")
_BETWEEN = re.compile(r"[\W_]+")
_UMLAUT = re.compile("([aou])e")
_PLAIN = re.compile(r"[!-_a-~]+(?: [!-_a-~]+)*")


@cache
def folds() -> MappingProxyType[str, str]:
    """Return what becomes of a character that is small and without accents: one or several, or nothing.

    Only characters that become another are in it, 3,700 of them, in the order of Unicode.
    """
    found = {}
    for character in _compatibles():
        base = _bare(character)
        if len(base) == 1 and (plain := _compatible(base, character)) != base:
            found[base] = plain
    return MappingProxyType(dict(sorted({**found, **_OURS}.items())))


def common() -> MappingProxyType[str, str]:
    """Return the part of :func:`folds` that is met every day."""
    return MappingProxyType(_OURS)


def fold_text(text: str) -> str:
    """Return a text as a search compares it: whoever compares two folds both."""
    usual = text.replace("\u2019", "'")  # as macOS names devices
    if _PLAIN.fullmatch(usual):
        return usual.lower()
    seen = _IGNORED.sub("", _BLANK.sub(" ", text))
    plain = normalize("NFC", _bare(seen).translate(_table()))
    return " ".join(filter(None, plain.split(" ")))


def fold_identifier(text: str) -> str:
    """Return a serial number, asset tag, IMEI or hardware address likewise, without the marks that group it."""
    return _GROUPING.sub("", fold_text(text))


def name_words(text: str) -> tuple[str, ...]:
    """Return the words of a folded name as the macro ``name_words`` does: Mueller is Müller, O'Brien is one word."""
    return tuple(_UMLAUT.sub(r"\1", _BETWEEN.sub(" ", text.replace("'", ""))).split())


@cache
def _table() -> dict[int, str]:
    return str.maketrans(dict(folds()))


def _bare(text: str) -> str:
    """Return the text without accents, in small letters; the small sigma at an end is told by :data:`_ALIKE`."""
    if text.isascii():
        return text.lower()
    marked = normalize("NFD", text)
    return normalize("NFC", "".join(c for c in marked if category(c)[0] != "M")).lower()


def _compatibles() -> Iterator[str]:
    """Characters that Unicode calls another look of others; looking through all planes would take ten times as long."""
    return (character for character in map(chr, chain(*_BLOCKS)) if decomposition(character).startswith("<"))


def _compatible(base: str, character: str) -> str:
    if base in _OURS:
        return _OURS[base]
    return "".join(_OURS.get(c, c) for c in _bare(normalize("NFKC", character).lower()))


# -- numbers of things -------------------------------------------------------------------------------------------------


def counted(number: int, what: str) -> str:
    """Write how many there are of what: ``1 row``, ``2,000 rows``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def size(number: int) -> str:
    """Write how many bytes these are in the unit that people read: ``12 bytes``, ``3.4 kB``, ``5.6 MB``."""
    for unit, each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= each:
            return f"{number / each:,.1f} {unit}"
    return counted(number, "byte")
