"""Words in pictures: shortened to a room, or broken to lines."""

from collections.abc import Sequence

from kandji_queries.results.text_table import broken_text, width

ELLIPSIS = "…"

LONGEST = 200
"""Characters of a text that are looked at: no picture has room for more."""


def shortened(text: str, most: int, tail: int = 0) -> str:
    """Return a text in so many columns at most, an ellipsis for what does not fit; letters keep their marks.

    Of a text that does not fit an end of up to ``tail`` characters stays, a third of the room at most.
    """
    if len(text) < LONGEST and width(text) <= most:
        return text
    end = text[len(text) - min(tail, LONGEST) :] if tail else ""
    while end and width(end) > most // 3:
        end = end[1:]
    start, room = "", most - 1 - width(end)
    for character in text[:LONGEST]:
        room -= width(character)
        if room < 0:
            break
        start += character
    return f"{start.rstrip()}{ELLIPSIS}{end.lstrip()}"


def shortened_names(texts: Sequence[str], most: int) -> list[str]:
    """Return names in so many columns each; where their beginnings are the same, their ends stay too."""
    found = [shortened(text, most) for text in texts]
    if len(set(found)) == len(set(texts)):
        return found
    return [shortened(text, most, tail=most) for text in texts]


def lines_of(text: str, room: int) -> list[str]:
    """Return a text in lines of so many columns, broken between words."""
    return [line.strip() for line in broken_text(text, room)] if text else []
