"""Names, texts and blanks as DuckDB 2.0 writes and reads them: not as Python does, and the guard has to read alike."""

from string import ascii_lowercase, ascii_uppercase

_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)

_BLANKS = "\u00a0\u202f\u205f\u2060\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200C)))
_PLAIN = str.maketrans(_BLANKS, " " * len(_BLANKS))


def fold_name(name: str) -> str:
    """Return a name of a table, column, function, parameter or CTE as the engine compares it.

    The letters A to Z become small and nothing else changes. To the engine the long s (U+017F) is no ``s``, the Kelvin
    sign no ``k``, ``é`` no ``É``, and the two ways to encode ``Å`` are two names. Python's own foldings make one of
    each pair, and whoever compares names with them sees other tables than the engine reads.
    """
    return name.translate(_SMALL)


def plain_blanks(sql: str) -> str:
    """Return a statement with a space for each blank that is not ASCII, quoted ones included.

    The engine's parser takes them for blanks (zero-width ones too), its tokenizer does not: without this
    ``EXPLAIN<U+00A0>ANALYZE`` is one word to the tokenizer and two to the parser.
    """
    return sql.translate(_PLAIN)


def identifier(name: str) -> str:
    """Return a name of a table, column or database in double quotes, which none of its characters can leave."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Return a text or path as a literal in single quotes, which none of its characters can leave."""
    return f"'{in_quotes(text)}'"


def in_quotes(text: object) -> str:
    """Return a text as it stands between the single quotes of a literal."""
    return str(text).replace("'", "''")
