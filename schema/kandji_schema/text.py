"""Which characters of a text nobody sees, and what becomes of them: the one list of the project.

People name their devices as they like, and an app or a web page may put words into a text that a reader does not see
but a terminal obeys or a model reads. Unseen are, after the Unicode standard:

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
"""

import re
from unicodedata import category

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


def escaped(text: str) -> str:
    r"""Return the text with ``\n`` or ``\u202e`` for what nobody sees, which is what a terminal may get."""
    return text if _plain(text) else _UNSEEN.sub(_escape, text)


def one_line(text: str) -> str:
    """Return the text on one line for eyes: a blank for what nobody sees and for each run of blanks."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return _SHORT.get(found[0]) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
