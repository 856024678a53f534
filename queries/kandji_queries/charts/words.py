"""Words in pictures: shortened to a room, or broken to lines."""

from kandji_queries.results.text_table import broken_text, width

ELLIPSIS = "…"


def shortened(text: str, most: int) -> str:
    """Return a text in so many columns at most, an ellipsis for what does not fit; letters keep their marks."""
    if width(text) <= most:
        return text
    kept, room = "", most - 1
    for character in text:
        room -= width(character)
        if room < 0:
            break
        kept += character
    return kept.rstrip() + ELLIPSIS


def lines_of(text: str, room: int) -> list[str]:
    """Return a text in lines of so many columns, broken between words."""
    return [line.strip() for line in broken_text(text, room)] if text else []
