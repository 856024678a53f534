"""Lists and objects in the cells of an export: JSON, or as Python prints them."""

from kandji_schema.sql import in_quotes

_STRING = r"""'(?:[^'\\]|\\[nrt\\])*'|"(?:[^"\\]|\\[nrt\\])*\""""
_TOKENS = in_quotes(rf"{_STRING}|[^'\"]+")
"""Strings whose escapes JSON has too, and everything between them. Other escapes are left alone: nothing is guessed."""

_WORDS = (("True", "true"), ("False", "false"), ("None", "null"))


def as_json(text: str) -> str:
    """Expression of a text as JSON: what it spells as JSON or as Python does, else itself as a JSON string."""
    printed = _from_python(text)
    return (
        f"CASE WHEN {text} IS NULL THEN NULL WHEN json_valid({text}) THEN json({text}) "
        f"WHEN json_valid({printed}) THEN json({printed}) ELSE to_json({text}) END"
    )


def _from_python(text: str) -> str:
    """Expression of the JSON text for what Python printed; NULL where a part of it is no token of ours."""
    tokens = f"regexp_extract_all({text}, '{_TOKENS}')"
    joined = f"array_to_string(list_transform({tokens}, lambda token: {_token()}), '')"
    return f"CASE WHEN array_to_string({tokens}, '') = {text} THEN {joined} END"


def _token() -> str:
    words = "token"
    for python, plain in _WORDS:
        words = f"replace({words}, '{python}', '{plain}')"
    single = """'"' || replace(token[2:-2], '"', '\\"') || '"'"""
    return f"""CASE token[1] WHEN '''' THEN {single} WHEN '"' THEN token ELSE {words} END"""
