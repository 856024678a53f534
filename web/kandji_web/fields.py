"""The form of a named query, from its typed parameters: what is asked, what was given, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kandji_queries.catalog.param_values import VALUES
from kandji_queries.catalog.params import LONGEST_TEXT, Param
from kandji_queries.catalog.queries import NamedQuery
from kandji_schema.errors import UnknownName, UsageError

AGO = ("1h", "24h", "7d", "30d", "90d", "yesterday", "today")
"""What is offered for a moment."""


_YES_NO = {"true": "yes", "false": "no"}


@dataclass(frozen=True)
class Field:
    """One field. ``kind`` is select, number, date, time or text; ``value`` what it holds; ``wrong`` what is told of it.

    ``options`` are values with their words, of a select; ``offers`` what a text field proposes, ``values`` the name by
    which more are asked for (empty where there are none); ``low``, ``high`` and ``step`` bound a number, empty
    for none.
    """

    name: str
    kind: str
    value: str
    description: str
    required: bool
    default: str
    options: tuple[tuple[str, str], ...] = ()
    offers: tuple[str, ...] = ()
    values: str = ""
    low: str = ""
    high: str = ""
    step: str = ""
    longest: int = LONGEST_TEXT
    wrong: str = ""

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class QueryForm:
    """All fields of a query, and the values to ask it with; ``values`` is None where it cannot be asked yet.

    ``given`` are those values that are not the defaults, as texts: what a link carries.
    """

    fields: tuple[Field, ...]
    values: Mapping[str, str] | None
    given: Mapping[str, str]

    @property
    def wrong(self) -> tuple[Field, ...]:
        """The fields that something is wrong with."""
        return tuple(field for field in self.fields if field.wrong)


def query_form(query: NamedQuery, sent: Mapping[str, str]) -> QueryForm:
    """Return the form of a query as it was sent; an empty field is one that was not given.

    :class:`UnknownName` for a value that it has no field for, as an old link may carry.
    """
    known = [param.name for param in query.params]
    for name in sent:
        if name not in known:
            raise UnknownName(f"parameter of {query.name}", name, known)
    given = {name: value for name, value in sent.items() if value.strip()}
    fields = tuple(_checked(param, given, told=bool(sent)) for param in query.params)
    lacking = any(param.required and param.name not in given for param in query.params)
    differing = {p.name: given[p.name] for p in query.params if p.name in given and given[p.name] != p.default_text}
    return QueryForm(fields, None if lacking or any(field.wrong for field in fields) else given, differing)


def _checked(param: Param, given: Mapping[str, str], *, told: bool) -> Field:
    field = _field(param, given.get(param.name, param.default_text))
    if param.name not in given:
        return replace(field, wrong=f"This is needed: {param.rule()}.") if told and param.required else field
    try:
        value = param.value(given[param.name])
    except UsageError as error:
        return replace(field, wrong=str(error))
    return replace(field, value=str(value).lower() if param.kind == "bool" else value) if field.options else field


def _field(param: Param, value: str) -> Field:
    field = Field(param.name, "text", value, param.description, param.required, param.default_text)
    optional = () if param.required or param.default is not None else (("", "any"),)
    if param.kind == "enum":
        return replace(field, kind="select", options=(*optional, *_marked(param, param.choices)))
    if param.kind == "bool":
        return replace(field, kind="select", options=(*optional, *_marked(param, ("true", "false"))))
    if param.kind in {"int", "float"}:
        low, high = ("" if bound is None else f"{bound:.15g}" for bound in (param.low, param.high))
        return replace(field, kind="number", low=low, high=high, step="1" if param.kind == "int" else "any")
    if param.kind == "date":
        return replace(field, kind="date")
    if param.kind == "time":
        return replace(field, offers=AGO)
    return replace(field, values=param.name if param.name in VALUES else "")


def _marked(param: Param, choices: Sequence[str]) -> tuple[tuple[str, str], ...]:
    words = _YES_NO if param.kind == "bool" else {}
    return tuple((choice, _choice_words(words.get(choice, choice), choice == param.default_text)) for choice in choices)


def _choice_words(words: str, default: bool) -> str:
    return f"{words} (default)" if default else words
