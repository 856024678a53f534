"""Pages from templates: every value is escaped, and what is common to all pages is added here."""

import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from kandji_schema.durations import in_words
from kandji_schema.text import escaped

_SENTENCE = re.compile(r"(.*?)[.:;](?=\s|$)", re.DOTALL)

FOLDER = Path(__file__).parent / "templates"


def render(template: str, facts: Mapping[str, Any]) -> str:
    """Return the HTML of a template below ``templates/``; a fact that it wants and does not get is an error."""
    return environment().get_template(template).render(facts)


@cache
def environment() -> Environment:
    """Return the one environment: autoescape without exception, nothing unseen in any text, and our filters."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=seen,
        auto_reload=False,  # a program that runs goes with the templates it began with, whatever is installed over it
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        **{"typed": typed, "number": number, "percent": percent},
        **{"cell": cell, "moment": moment, "age": age},
    }
    made.filters |= {"sentence": sentence, "shell": shlex.quote, "coded": coded, "breakable": breakable}
    return made


def load_all() -> None:
    """Read every template, as the program that runs now needs them."""
    for name in environment().list_templates():
        environment().get_template(name)


def seen(value: object) -> object:
    """Return a text with what nobody sees made visible: a name that turns the direction of a page is only a name."""
    return escaped(value, keep="\n\t") if isinstance(value, str) and not isinstance(value, Markup) else value


def coded(value: str) -> Markup:
    """Return a note with what it has between backticks as code: commands and names of tables."""
    parts = [escape(seen(part)) for part in value.split("`")]
    if len(parts) % 2 == 0:
        return escape(seen(value))
    code = Markup("<code>{}</code>")
    return Markup().join(code.format(part) if place % 2 else part for place, part in enumerate(parts))


def breakable(value: str) -> Markup:
    """Return a name that a line may end in after each of its underlines."""
    return Markup("_<wbr>").join(escape(part) for part in str(seen(value)).split("_"))


def typed(value: str) -> Markup:
    """Return a text as it was typed, for the field of a form that sends it again."""
    return escape(value)


def number(value: float | None) -> str:
    """Return a number with thousands apart by a comma, and "unknown" where it is not known."""
    return "unknown" if value is None else f"{value:,}"


def sentence(text: str) -> str:
    """Return the first sentence of a text, or what stands before its first colon or semicolon."""
    first = _SENTENCE.match(text)
    return f"{first[1]}." if first else text


def percent(value: float | None) -> str:
    """Return a share of 100 with one digit; "unknown" where it is not known."""
    return "unknown" if value is None else f"{value:.1f} %"


def cell(value: object) -> str:
    """Return a value of an answer as a reader sees it: lists by commas, nothing where there is nothing."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return moment(value)
        case int() | float():
            return f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
        case list() | tuple():
            return ", ".join(cell(part) for part in value)
        case _:
            return str(value)


def moment(value: datetime | str | None) -> str:
    """Return a moment as ``2026-11-30 07:15 UTC``; "never" for none."""
    if value is None:
        return "never"
    known = datetime.fromisoformat(value) if isinstance(value, str) else value
    utc = known.replace(tzinfo=UTC) if known.tzinfo is None else known.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M} UTC"


def age(seconds: float | None) -> str:
    """Return an age in words; "never" for none."""
    return "never" if seconds is None else f"{in_words(int(seconds))} ago"
