"""The bearer token of ``serve``: from a setting, else from its file, else made and put there at the first start."""

import re
import secrets
from pathlib import Path

from kandji_schema import secret_file
from kandji_schema.errors import ConfigurationError

FILE = "http_token"
"""In the configuration folder, for its owner alone."""

SHORTEST = 24
"""Characters. 24 random ones of base64 are 144 bits."""

RANDOM_BYTES = 32
"""Of a token that is made here."""

MAKE_ONE = """python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"""


def known(setting: str, file: Path) -> str | None:
    """The token there is; None where there is none yet. :class:`ConfigurationError` for one that is no good."""
    found = setting or secret_file.read(file)
    if found is None:
        return None
    if len(found) < SHORTEST or re.search(r"[^\x21-\x7e]", found):
        raise ConfigurationError(
            f"KANDJI_MIRROR_HTTP_TOKEN (or the file {file}) must hold at least {SHORTEST} characters without "
            f"spaces, all of ASCII. Make one: {MAKE_ONE}"
        )
    return found


def made(file: Path) -> str:
    """A new random token, in its file. Of several processes that make one at once all get the same."""
    secret_file.write_new(file, secrets.token_urlsafe(RANDOM_BYTES))
    found = known("", file)
    if found is None:
        raise ConfigurationError(f"{file} holds nothing. Remove it, and `serve` makes a token anew.")
    return found
