"""The folders of this user: where configuration, data and state are, and which paths can be used for them."""

import os
from collections.abc import Callable
from pathlib import Path

from kandji_schema.errors import ConfigurationError

APP = "kandji-mirror"

CONFIG_FILE = "config.toml"
"""In the configuration folder: the owner's settings."""

CHECKS_FILE = "checks.toml"
"""In the data directory: what somebody is told. A home without it pays nothing for that."""

TOKEN_FILE = "token"  # noqa: S105  # the name of a file
"""In the configuration folder: the token of the API, for its owner alone."""

HTTP_TOKEN_FILE = "http_token"  # noqa: S105  # the name of a file
"""In the configuration folder: the token that MCP clients of ``serve`` send, for its owner alone."""

METRICS_TOKEN_FILE = "metrics_token"  # noqa: S105  # the name of a file
"""In the configuration folder: a token that opens the metrics of ``serve`` and nothing else."""

TOKENS_FOLDER, HTTP_TOKENS_FOLDER = "tokens", "http_tokens"
"""In the configuration folder: the same of each tenant that has a name there, a file each."""

TENANTS_FOLDER = "tenants"
"""In the data directory: the homes of tenants that have a name, a folder each."""


def token_file(tenant: str) -> Path:
    """Return where the API token of a tenant is, below the configuration folder; of the one without a name with ""."""
    return Path(TOKENS_FOLDER, tenant) if tenant else Path(TOKEN_FILE)


def http_token_file(tenant: str) -> Path:
    """Return where the token of clients of ``serve`` is, below the configuration folder, as :func:`token_file`."""
    return Path(HTTP_TOKENS_FOLDER, tenant) if tenant else Path(HTTP_TOKEN_FILE)


def config_dir() -> Path:
    """Return the folder of ``config.toml`` and ``token``; :class:`ConfigurationError` where the user has none.

    It never is a folder below the working directory, which a relative or missing HOME would make of it.
    """
    from platformdirs import user_config_path  # keeps it out of the start of a SQL query with a home set

    return _absolute(user_config_path, "configuration folder", "XDG_CONFIG_HOME")


def data_dir() -> Path:
    """Return the folder of the mirror where no setting names another one."""
    from platformdirs import user_data_path  # only needed without an explicit home

    return _absolute(user_data_path, "data folder (see KANDJI_MIRROR_HOME)", "XDG_DATA_HOME")


def state_dir() -> Path:
    """Return the folder of what all homes of this user share."""
    from platformdirs import user_state_path  # only those who send need it

    return _absolute(user_state_path, "state folder (see KANDJI_MIRROR_BUDGET_DIR)", "XDG_STATE_HOME")


def working_directory() -> Path | None:
    """Return where the process was started; None where someone removed it, so that nothing can be read from it."""
    try:
        return Path.cwd()
    except OSError:
        return None


def expanded(path: str) -> Path:
    """Return the path with ``~`` replaced; :class:`ConfigurationError` where nobody knows whose folder that is."""
    try:
        return usable(Path(path).expanduser())
    except RuntimeError:
        raise ConfigurationError(f"{path!r} begins with ~, and this user has no folder. Give the whole path.") from None


def usable(path: Path) -> Path:
    """Return the path; :class:`ConfigurationError` where DuckDB or SQLite cannot take its characters for a folder."""
    text = str(path)
    if "?" in text or (os.name == "posix" and "\\" in text):
        raise ConfigurationError(
            f"{text!r} has a ? or a backslash in it, which DuckDB does not take for a part of a name, so no data file "
            "could be written there. Name another folder."
        )
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ConfigurationError(f"{text!a} is no text in UTF-8. Name another folder, or start with PYTHONUTF8=1.")
    return path


def _absolute(find: Callable[[str], Path], what: str, variable: str) -> Path:
    """Return a folder of the system; :class:`ConfigurationError` where it would lie below the working directory.

    A process of a container, or of cron, may have neither HOME nor an account: there is no folder to find then.
    """
    try:
        path = find(APP)
    except RuntimeError:
        raise ConfigurationError(
            f"This user has no {what}: there is no HOME, and no account with a folder for user {_user()}. Set HOME, or "
            f"{variable}, to an absolute path."
        ) from None
    if path.is_absolute():
        return usable(path)
    raise ConfigurationError(
        f"This user has no {what}: HOME or {variable} is missing or not an absolute path ({str(path)!r}). Set HOME."
    )


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "here"
