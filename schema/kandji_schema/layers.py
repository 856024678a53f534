"""The sources of one tenant's settings in the order of their rank, and which tenant that is.

**Profiles.** One of several tenants has two layers of ``config.toml``: its own table, and what stands at the top for
all of them. See :mod:`kandji_schema.profiles`.

**The account's own file.** Who starts a program can set HOME and XDG_CONFIG_HOME, which the configuration folder
follows, and not where the account has its own. Where they lead to another file than the one in the folder that the
system's list of accounts has, both are read, and of what counts in ``config.toml`` alone the stricter holds: another
file may ask for more, and for less only what the account's own file says too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kandji_schema import sources
from kandji_schema.errors import ConfigurationError
from kandji_schema.folders import CONFIG_FILE, config_dir
from kandji_schema.ownership import refuse_removable
from kandji_schema.profiles import BOUND, FOLDERS, TENANT, folded, own_folder_below, unknown
from kandji_schema.setting import Setting, Trust
from kandji_schema.sources import Kind, Remark, Source
from kandji_schema.trust import own_folder


@dataclass(frozen=True)
class ConfigFiles:
    """``config.toml`` as it is read, and the account's ``own`` one where that is another file."""

    file: Source
    own: Source | None = None


def config_files(config: Path | None, own: Path | None, settings: Sequence[Setting]) -> ConfigFiles:
    """Read ``config.toml``, and the account's ``own`` one where that is another file.

    They are those of this user unless a ``config`` is given.
    """
    if config is None:
        own_config, config = own_folder(), _config_file()
        own = own_config / CONFIG_FILE if own_config else None
    found = sources.config(config, settings)
    if own is not None:
        refuse_removable(own)
    other = own is not None and _is_another(own, config)
    return ConfigFiles(found, sources.config(own, settings) if other else None)


def layers(
    environment: Source, folder: Source, files: ConfigFiles, name: str, settings: Sequence[Setting]
) -> tuple[Source, ...]:
    """Return the sources of the tenant with that name, or of the one without with "", in the order of their rank.

    Where ``files`` has no such table the profile has nothing of its own.
    """
    mine = _layers_of(files.file, name)
    if name:
        own_folders = [full for full in FOLDERS if full in mine[0].values]
        environment, folder = (_without(_of_all(source, name), own_folders) for source in (environment, folder))
    if files.own is not None:
        mine = _stricter(_flat(_layers_of(files.own, name)), mine, settings)
    return (environment, folder, *mine)


def _layers_of(file: Source, name: str) -> tuple[Source, ...]:
    """Return what a file says of a profile, and what it says of all; without a name it is one."""
    if not name:
        return (file,)
    table = file.tables.get(name, Source(file.origin))
    return table, replace(_of_all(file, name), remarks=file.remarks)


def _of_all(source: Source, name: str) -> Source:
    """Return what a source says that is not one tenant's; a folder has one below for each profile."""
    lost = [full for full in BOUND if full in source.values]
    kept = {full: value for full, value in source.values.items() if full not in lost}
    below = {full: own_folder_below(kept[full], name) for full in FOLDERS if full in kept}
    told = Remark(
        f"{', '.join(lost)} in {source.origin.place} does not count for the tenant {name}: its address and its tokens "
        f"are those of [tenants.{name}] in config.toml and of its own files.",
        grave=True,
    )
    return replace(source, values=kept | below, remarks=(*source.remarks, told) if lost else source.remarks)


def _flat(sources_of_file: Sequence[Source]) -> Source:
    """Return what a file says of a tenant as one source."""
    values = {name: value for source in reversed(sources_of_file) for name, value in source.values.items()}
    return replace(sources_of_file[-1], values=values)


def _config_file() -> Path | None:
    try:
        return config_dir() / CONFIG_FILE
    except ConfigurationError:
        return None


def _is_another(own: Path, config: Path | None) -> bool:
    """Tell whether the account has a file of its own, and it is not the one that is read anyway."""
    try:
        return own.is_file() and not (config is not None and config.is_file() and own.samefile(config))
    except OSError:  # a folder that this user may not enter
        return False


def _stricter(own: Source, others: Sequence[Source], settings: Sequence[Setting]) -> tuple[Source, ...]:
    """Return what holds of the account's ``own`` file and what is left of the ``other`` one, in order of their rank.

    ``own`` is a file that is there: where it says nothing, it says the default. Of the other one there are the layers.
    """
    other = _flat(others)
    policy = [s for s in settings if s.trust is Trust.OWNER]
    looser = [s.name for s in policy if s.name in other.values and _rank(s, other, own) < 0]
    asked = {s.name for s in policy if s.name in other.values and _rank(s, other, own) > 0}
    held = {s.name: own.values[s.name] for s in policy if s.name in own.values and s.name not in asked}
    told = Remark(
        f"{', '.join(looser)} in {other.origin.place} is ignored: {own.origin.place} is this account's own file, and "
        "says it otherwise. HOME or XDG_CONFIG_HOME leads elsewhere; set it in the account's own file.",
        grave=True,
    )
    held_source = Source(own.origin, held, (told,) if looser else ())
    return (held_source, *(_without(source, looser) for source in others))


def _without(source: Source, names: Sequence[str]) -> Source:
    return replace(source, values={name: value for name, value in source.values.items() if name not in names})


def _rank(setting: Setting, other: Source, own: Source) -> int:
    """Above zero where the other file asks for more, below where for less, and where for another channel."""
    wanted = setting.parse(other.values[setting.name])
    given = setting.parse(own.values[setting.name]) if setting.name in own.values else setting.default
    if setting.choices:  # the strictest first
        return setting.choices.index(str(given)) - setting.choices.index(str(wanted))
    if isinstance(setting.default, bool):
        return int(wanted) - int(given)
    return (0 if wanted == given else -1) if given else 1


def profile(environment: Source, file: Source, tenant: str | None, *, new: bool = False) -> str:
    """Return the profile that ``tenant`` names, else the first of the sources that names one; "" for none.

    :class:`ConfigurationError` where the file has no such table, unless that is to be ``new``.
    """
    if tenant is not None:
        text, where = tenant, "this program"
    else:
        source = next((source for source in (environment, file) if TENANT in source.values), file)
        text = str(source.values.get(TENANT, ""))
        where = f"{TENANT} or --tenant" if source.origin.kind is Kind.ENVIRONMENT else source.origin.place
    if not text:
        return ""
    name = folded(text, f" ({where})")
    if name not in file.tables and not new:
        raise unknown(name, file.tables, where)
    return name
