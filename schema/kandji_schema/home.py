"""Which tenant a home belongs to, for those who read it and those who write it.

The manifest has the tenant's name. That is not enough where names are alike: every simulated tenant is `loopback`, and
a label exists in both regions of the provider. So the writer notes in ``store/tenant`` whom it has talked to: the base
URL, or what a simulated tenant says of itself, which stays the same on another port. A home without that note is
anyone's who has the name, and gets one when it is next written.
"""

from contextlib import suppress
from pathlib import Path

from kandji_schema.errors import ConfigurationError, StoreError, StoreNewer
from kandji_schema.files import make_file
from kandji_schema.manifest import newest_readable
from kandji_schema.provider import former_name, is_loopback, same_tenant, tenant_name, url_of
from kandji_schema.settings import Settings
from kandji_schema.sources import Kind

SIMULATED = "simulated "
"""How the note of a simulated tenant begins."""


def mirrored(home: Path) -> str | None:
    """Return the name of the tenant whose mirror this is; None where there is none that can be read.

    Raises :class:`StoreNewer` for the home of a newer version.
    """
    try:
        found = newest_readable(home)
    except StoreNewer:
        raise
    except StoreError:
        return None
    return found.tenant if found else None


def noted(home: Path) -> str | None:
    """Tell whom the writer of this home has talked to; None without a mirror or a note."""
    if mirrored(home) is None:
        return None
    try:
        return _file(home).read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        return None


def note(home: Path, identity: str) -> None:
    """Write down whom the writer talks to. Only where there is a store, and never as a reason to fail."""
    with suppress(OSError):
        if _file(home).parent.is_dir():
            make_file(_file(home))
            _file(home).write_text(f"{identity}\n", encoding="utf-8")


def name_here(settings: Settings, url: str) -> str:
    """Return the tenant's name as this home has it: a shorter one in one of an earlier version.

    That is so where the user, and no working directory, names the host.
    """
    before = former_name(url)
    return before if _trusted(settings) and mirrored(settings.home) == before else tenant_name(url)


def refuse_foreign(settings: Settings) -> None:
    """Raise :class:`ConfigurationError` where the settings name a tenant and the home mirrors another.

    What they name wrongly is told where it is used: reading needs no tenant.
    """
    try:
        url = url_of(settings.subdomain, settings.region, settings.api_url)
    except ConfigurationError:
        return
    home, found = settings.home, mirrored(settings.home)
    if found is not None and found != name_here(settings, url):
        raise foreign(settings, url, f"the tenant {found!r}")
    whom = noted(home)
    simulated = is_loopback(url) and (whom or "").startswith(SIMULATED)  # on whatever port: only asking would tell
    if whom and not simulated and not same_tenant(whom, url):
        raise foreign(settings, url, f"the tenant of {whom}")


def foreign(settings: Settings, url: str, whose: str) -> ConfigurationError:
    """Make the error of a home that is another tenant's: whose, who named which one, and what to do."""
    key = "api_url" if settings.api_url else "subdomain"
    return ConfigurationError(
        f"{settings.home} mirrors {whose}; KANDJI_{key.upper()} ({settings.origin(key).place}) names {url}. One home "
        "holds one tenant: set KANDJI_MIRROR_HOME to another folder, or `kandji-mirror reset` moves this mirror aside."
    )


def _trusted(settings: Settings) -> bool:
    return Kind.FOLDER not in {settings.origin(key).kind for key in ("subdomain", "api_url")}


def _file(home: Path) -> Path:
    return home / "store" / "tenant"
