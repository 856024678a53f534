"""What ``doctor`` finds in the settings: each that can be wrong although it could be read, folders, and rights."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from kandji_cli.feed_words import DocumentLine, document_lines, in_short
from kandji_mirror.api.credentials import token, token_places, token_source
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.api.transport import HttpTransport
from kandji_mirror.feeds.update import FeedSources
from kandji_mirror.sync.planner import parse_ttl_overrides
from kandji_queries.compliance.checked import declared_shape
from kandji_queries.compliance.relations import statements
from kandji_queries.compliance.rule_set import FILE as RULES
from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.results.data_notes import is_overdue
from kandji_schema.errors import ConfigurationError, MirrorError, StoreFull
from kandji_schema.files import is_loose, kept_files, loose
from kandji_schema.folders import CHECKS_FILE, CONFIG_FILE, METRICS_TOKEN_FILE, config_dir, http_token_file
from kandji_schema.home import refuse_foreign
from kandji_schema.ownership import flaw
from kandji_schema.registry import feed_tables, resources
from kandji_schema.settings import SETTINGS, Settings
from kandji_schema.sources import Kind

NEEDED_TO_ASK = {"tenant", "token", "home", "certificates", "proxy"}
"""Checks that have to be well before something is sent."""

_NAMED = 3


class Health(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What one check found. ``exit_code`` is that of the error, where there is one."""

    check: str
    health: Health
    detail: str
    exit_code: int = 0


def checked(check: str, look: Callable[[], str]) -> Finding:
    """Return what ``look`` tells, or the error it ends with."""
    try:
        return Finding(check, Health.OK, look())
    except MirrorError as error:
        return Finding(check, Health.FAILED, str(error), error.exit_code)


def configuration(settings: Settings) -> Iterator[Finding]:
    """Check every setting that can be wrong although it could be read, and where each comes from."""
    yield checked("settings", lambda: _sources(settings))
    yield from _remarks(settings)
    yield checked("tenant", lambda: _tenant(settings))
    yield checked("token", lambda: _token(settings))
    yield checked("home", lambda: _home(settings))
    yield checked("other folders", lambda: _other_folders(settings))
    yield checked("certificates", lambda: _certificates(settings))
    yield checked("proxy", lambda: _proxy(settings))
    yield checked("times to live", lambda: _times(settings))
    yield checked("compliance rules", lambda: _rules(settings))
    yield _feeds(settings)


def _tenant(settings: Settings) -> str:
    """Say where the API is, and whose profile names it."""
    name, known = settings.mirror_tenant, settings.provenance.profiles
    of = f", the profile {name} of {', '.join(known)}" if name else ""
    return f"{base_url(settings)}{of}"


def _sources(settings: Settings) -> str:
    """Say which file there is, and which source set what."""
    if settings.provenance.refusal:
        raise ConfigurationError(settings.provenance.refusal)
    found: dict[str, list[str]] = {}
    for setting in SETTINGS:
        origin = settings.origin(setting.key)
        if origin.kind is not Kind.DEFAULT:
            found.setdefault(origin.place, []).append(setting.name)
    told = [f"{place} sets {', '.join(names)}" for place, names in found.items()]
    return "; ".join([_config_file(), *told])


def _config_file() -> str:
    path = config_dir() / CONFIG_FILE
    return str(path) if path.is_file() else f"there is no {path}"


def _remarks(settings: Settings) -> Iterator[Finding]:
    """Tell of what somebody meant to set and did not: a failure, since what runs is not what they wanted."""
    for remark in settings.provenance.remarks:
        health = Health.FAILED if remark.grave else Health.WARNING
        yield Finding("setting", health, remark.text, ConfigurationError.exit_code if remark.grave else 0)


def _token(settings: Settings) -> str:
    token(settings)
    return f"from {token_source(settings)}"


def _home(settings: Settings) -> str:
    """Look at the data directory: this tenant's, and one that can be written."""
    refuse_foreign(settings)
    home = settings.home
    folders = [folder for folder in (home, *home.glob("store"), *home.glob("store/*")) if folder.is_dir()]
    there = folders or [next(folder for folder in home.absolute().parents if folder.exists())]
    for folder in there:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StoreFull(
                f"{folder} cannot be written, so nothing can be synced. Correct the rights, or set KANDJI_MIRROR_HOME "
                f"({settings.origin('mirror_home').place}) to another folder."
            )
    if home.exists() and not home.is_dir():
        raise StoreFull(f"{home} is no folder. Set KANDJI_MIRROR_HOME to one.")
    return str(home)


def _other_folders(settings: Settings) -> str:
    """Look at where assistants' exports go and requests are counted: folders that can be written, or made."""
    wanted = {"mirror_export_dir": settings.export_folder, "mirror_budget_dir": settings.budget_dir}
    for name, folder in wanted.items():
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            wrong = "cannot be written" if there.is_dir() else "is no folder"
            raise StoreFull(
                f"{there} {wrong}, so {folder} cannot be used. Correct the rights, or set KANDJI_{name.upper()} "
                f"({settings.origin(name).place}) to another folder."
            )
    return ", ".join(map(str, wanted.values()))


def _certificates(settings: Settings) -> str:
    """Look at the authorities, also where the tenant is a simulated one that needs none."""
    with HttpTransport("https://localhost", read_timeout=1, ca_file=settings.mirror_ca_file):
        return settings.mirror_ca_file or "those of this system"


def _proxy(settings: Settings) -> str:
    try:
        url = base_url(settings)
    except ConfigurationError:
        return "not looked at: no tenant is set"
    with HttpTransport(url, read_timeout=1, ca_file=""):
        variables = [name for name in os.environ if name.lower() in {"https_proxy", "all_proxy"} and os.environ[name]]
        return f"{', '.join(sorted(variables))} of the environment" if variables else "none"


def _feeds(settings: Settings) -> Finding:
    """Say which public feeds are on and how old they are; feeds that are off are no trouble."""
    try:
        on = FeedSources.of(settings).feeds
    except ConfigurationError as error:
        return Finding("feeds", Health.FAILED, str(error), error.exit_code)
    lines = [line for line in document_lines(settings) if line.on]
    late = [line for line in lines if line.known.error or not line.known.as_of or _is_late(line)]
    detail = in_short(settings, datetime.now(UTC)) if on else "none is on"
    return Finding("feeds", Health.WARNING if late else Health.OK, detail)


def _is_late(line: DocumentLine) -> bool:
    ttl = max(feed_tables()[table].ttl for table in line.feed.tables)
    return is_overdue(line.known.as_of, int(ttl.total_seconds()), datetime.now(UTC))


def _times(settings: Settings) -> str:
    others = parse_ttl_overrides(settings.mirror_ttl, resources())
    return settings.mirror_ttl if others else "those of each table"


def _rules(settings: Settings) -> str:
    """Look at the rules in force: the file, and whether tables, columns and operators in it mean something."""
    book = RuleFile(settings.home, settings.mirror_compliance_file)
    rules = book.rules()
    statements(rules, declared_shape)
    return f"{len(rules.rules)} in {book.path}"


# -- rights of files -------------------------------------------------------------------------------------------------


def rights(settings: Settings) -> Iterator[Finding]:
    """Tell what others may read or replace of the data directory, the secrets and the files that settings name.

    What keeps live actions from beginning is a failure where they are on.
    """
    deciding = _flaws((settings.home, *kept_files(settings.home), *configured(settings)))
    words = [*_readable(settings), *deciding, *_flaws(_named_files(settings))]
    if deciding and settings.mirror_actions == "on":
        yield Finding("rights", Health.FAILED, " ".join(words), ConfigurationError.exit_code)
    elif words:
        yield Finding("rights", Health.WARNING, " ".join(words))
    else:
        told = f"only this user may read {settings.home}, and write it and what is configured"
        yield Finding("rights", Health.OK, told)


def rights_of_configuration() -> Iterator[Finding]:
    """Tell what others may replace in the configuration folder, where that keeps settings from being read."""
    for words in _flaws(configured(None)):
        yield Finding("rights", Health.FAILED, words, ConfigurationError.exit_code)


def _readable(settings: Settings) -> Iterator[str]:
    home = settings.home
    open_ones = [*loose(home), *(path for path in configured(settings) if is_loose(path))]
    if open_ones:
        named = ", ".join(f"{path} ({path.stat().st_mode & 0o777:04o})" for path in open_ones[:_NAMED])
        more = f" and {len(open_ones) - _NAMED} more" if len(open_ones) > _NAMED else ""
        advice = f"Run: chmod go= '{open_ones[0]}'" if len(open_ones) == 1 else f"Run: chmod -R go= '{home}'"
        yield f"Others may read {named}{more}. {advice}"


def _flaws(paths: Iterable[Path]) -> list[str]:
    """Say what is wrong with them, each folder that they share once."""
    return [*dict.fromkeys(found for path in paths if (found := flaw(path)))]


def configured(settings: Settings | None) -> list[Path]:
    """Name where secrets and policy are in the configuration folder, there or not; of settings unread the policy."""
    try:
        folder = config_dir()
    except ConfigurationError:
        return []
    settings = settings or Settings()
    places = token_places(settings, folder)
    own = [places.file, places.host_file, folder / http_token_file(settings.mirror_tenant)]
    return [*own, folder / METRICS_TOKEN_FILE, folder / CONFIG_FILE]


def _named_files(settings: Settings) -> Iterator[Path]:
    """Name what decides whom the mirror trusts and what it finds, and the budget, which all homes share."""
    with suppress(ConfigurationError, RuntimeError):  # folders that nobody knows are told by other checks
        yield settings.home / RULES
        yield settings.home / CHECKS_FILE
        yield settings.budget_dir
        yield from (
            Path(path).expanduser() for path in (settings.mirror_compliance_file, settings.mirror_ca_file) if path
        )
