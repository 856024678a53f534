"""The settings as they are found: which source is believed for which of :mod:`kandji_schema.setting_fields`.

A value is taken from the environment, else from ``.env`` in the working directory, else from ``config.toml`` in the
user's configuration folder (keys are the names in lower case without ``KANDJI_``), else it is the default. What a
source may set is in :class:`~kandji_schema.setting.Trust`. The tenant is taken from one source as a whole: address,
region and token belong together, see :mod:`kandji_schema.trust`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kandji_schema import sources
from kandji_schema.errors import ConfigurationError
from kandji_schema.folders import working_directory
from kandji_schema.layers import config_files, layers, profile
from kandji_schema.privacy import Privacy
from kandji_schema.profiles import which
from kandji_schema.setting import Setting
from kandji_schema.setting_fields import SETTINGS, Settings
from kandji_schema.sources import DEFAULT, Origin, Provenance, Source
from kandji_schema.trust import TENANT_KEYS, doubted_privacy, tenant_values

__all__ = ["SETTINGS", "Settings", "load"]


def load(
    environ: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    config: Path | None = None,
    own: Path | None = None,
    tenant: str | None = None,
    new: bool = False,
    doubtful: bool = False,
) -> Settings:
    """Read every setting. ``environ``, the ``folder`` of ``.env`` and the ``config`` file default to the user's own.

    ``own`` is the account's file where that is not the ``config`` one, see :mod:`kandji_schema.trust`. ``tenant`` is
    the name of a profile, "" for the tenant without one; else the environment and ``config.toml`` say. It has to be
    there, unless it is to be ``new``.
    :class:`ConfigurationError` where a value is wrong, where a profile would have to be named, or where personal data
    seems meant to be masked and would not be; ``doubtful`` settings are for those who only look at them.
    """
    environment = sources.environment(os.environ if environ is None else environ, SETTINGS)
    dotenv = sources.dotenv(folder or working_directory(), SETTINGS)
    files = config_files(config, own, SETTINGS)
    name = profile(environment, files.file, tenant, new=new)
    settings = _settled(layers(environment, dotenv, files, name, SETTINGS), name, tuple(files.file.tables))
    refusal = settings.provenance.refusal or (None if new or tenant is not None else _nameless(settings))
    if refusal and not doubtful:
        raise ConfigurationError(refusal)
    return replace(settings, provenance=replace(settings.provenance, refusal=refusal))


def _nameless(settings: Settings) -> str | None:
    """Say that a profile is to be named where there are some and nothing else names a tenant, or a mirror to read."""
    names = settings.provenance.profiles
    if not names or settings.mirror_tenant or settings.subdomain or settings.api_url:
        return None
    return None if settings.mirror_home and (settings.home / "store").is_dir() else which(names)


def _settled(read: Sequence[Source], name: str, profiles: tuple[str, ...]) -> Settings:
    """Take the value of each setting from the first source that has it, the tenant from one."""
    tenant = tenant_values(read)
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for setting in SETTINGS:
        source, raw = tenant.found.get(setting.name) or _first(setting, read)
        values[setting.key] = setting.default if source is None else setting.parse(raw, source.origin.place)
        origins[setting.key] = source.origin if source else DEFAULT
    values["mirror_tenant"] = name
    remarks = (*(remark for source in read for remark in source.remarks), *tenant.remarks)
    refusal = doubted_privacy(read, Privacy(values["mirror_privacy"]))
    return Settings(
        **values, provenance=Provenance(origins, remarks, tenant.owners, tenant.withheld, profiles, refusal)
    )


def _first(setting: Setting, read: Sequence[Source]) -> tuple[Source | None, object]:
    if setting.key in TENANT_KEYS:
        return None, None
    return next(
        ((source, source.values[setting.name]) for source in read if setting.name in source.values), (None, None)
    )
