"""``kandji-mirror settings``."""

from collections.abc import Callable

from kandji_cli.output import print_rows
from kandji_schema.errors import ConfigurationError
from kandji_schema.setting import Setting
from kandji_schema.settings import SETTINGS, TOKEN_FILE, Settings, config_dir, load

_IN_USE: dict[str, Callable[[Settings], object]] = {
    "mirror_home": lambda settings: settings.home,
    "mirror_budget_dir": lambda settings: settings.budget_dir,
    "mirror_export_dir": lambda settings: settings.export_folder,
}
"""Settings whose default depends on the machine: what is used."""


def show(form: str) -> None:
    """Print every setting with its value and where that comes from; of a secret only whether it is set."""
    values = load(doubtful=True)
    rows = ((s.name, shown(s, values), source(s, values), str(s.default) or "-", s.meaning) for s in SETTINGS)
    print_rows(("setting", "value", "source", "default", "meaning"), rows, form)


def shown(setting: Setting, values: Settings) -> str:
    """The present value as text that may be seen by anyone."""
    value = getattr(values, setting.key)
    if setting.secret:
        return "set" if value or _stored(setting) else "not set"
    try:
        used = _IN_USE[setting.key](values) if setting.key in _IN_USE else value
        return str(used) or "-"
    except ConfigurationError:
        return "-"  # there is no such folder, which doctor tells


def source(setting: Setting, values: Settings) -> str:
    """Where the present value comes from: the environment, a file, or nowhere."""
    if setting.secret and not getattr(values, setting.key):
        return _stored(setting) or values.origin(setting.key).place
    return values.origin(setting.key).place


def _stored(setting: Setting) -> str | None:
    """The file of a secret in the configuration folder, where there is one."""
    name = TOKEN_FILE if setting.key == "api_token" else "http_token"
    try:
        path = config_dir() / name
    except ConfigurationError:
        return None
    return str(path) if path.is_file() else None
