"""``kandji-mirror settings``."""

from rich.console import Console
from rich.table import Table

from kandji_schema.settings import SETTINGS, Setting, Settings, load


def show() -> None:
    """Print every setting; of a secret only whether it is set."""
    values = load()
    table = Table("Setting", "Value", "Default", "Meaning", box=None, pad_edge=False)
    for setting in SETTINGS:
        table.add_row(setting.name, shown(setting, values), str(setting.default) or "-", meaning(setting))
    Console().print(table, markup=False)


def shown(setting: Setting, values: Settings) -> str:
    """The present value as text that may be seen by anyone."""
    value = getattr(values, setting.key)
    if setting.secret:
        return "set" if value else "not set"
    return str(value) or "-"


def meaning(setting: Setting) -> str:
    """The help text with what values it takes."""
    return f"{setting.help} One of: {', '.join(setting.choices)}." if setting.choices else setting.help
