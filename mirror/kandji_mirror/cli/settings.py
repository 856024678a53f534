"""``kandji-mirror settings``."""

from kandji_mirror.cli.output import print_rows
from kandji_schema.settings import SETTINGS, Setting, Settings, load


def show() -> None:
    """Print every setting; of a secret only whether it is set."""
    values = load()
    rows = ((s.name, shown(s, values), str(s.default) or "-", meaning(s)) for s in SETTINGS)
    print_rows(("setting", "value", "default", "meaning"), rows, "table")


def shown(setting: Setting, values: Settings) -> str:
    """The present value as text that may be seen by anyone."""
    value = getattr(values, setting.key)
    if setting.secret:
        return "set" if value else "not set"
    return str(value) or "-"


def meaning(setting: Setting) -> str:
    """The help text with what values it takes."""
    return f"{setting.help} One of: {', '.join(setting.choices)}." if setting.choices else setting.help
