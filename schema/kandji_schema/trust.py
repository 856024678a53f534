"""Which of several sources of settings is believed about the tenant and its token, and about personal data.

Address, region and token belong together. The first source that names a tenant names it as a whole; a
token goes to the tenant that its own source names, and to no other. That keeps a file in a working directory from
having a token of its user sent elsewhere. Where a profile is named it alone names the tenant, see
:mod:`kandji_schema.profiles`.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kandji_schema.errors import ConfigurationError
from kandji_schema.privacy import Privacy
from kandji_schema.provider import same_tenant, url_of
from kandji_schema.sources import Kind, Remark, Source

SUBDOMAIN, REGION, API_URL, API_TOKEN = "KANDJI_SUBDOMAIN", "KANDJI_REGION", "KANDJI_API_URL", "KANDJI_API_TOKEN"
TENANT_KEYS = ("subdomain", "region", "api_url", "api_token")


@dataclass(frozen=True)
class TenantValues:
    """``found`` has for each setting of the tenant that is set its source and its text.

    ``owners`` is the address that ``config.toml`` or else the environment names, ``withheld`` the places of tokens that
    must not go to the tenant that is named.
    """

    found: Mapping[str, tuple[Source, object]] = field(repr=False)
    remarks: tuple[Remark, ...]
    owners: str | None
    withheld: tuple[str, ...]


def tenant_values(read: Sequence[Source]) -> TenantValues:
    """Return what the sources, of which the first wins, say of the tenant."""
    winner = next((source for source in read if _names_one(source)), None)
    found = _of(winner) if winner else {}
    region = _region(winner, read)
    if region:
        found[REGION] = region, region.values[REGION]
    tokens = [source for source in read if API_TOKEN in source.values]
    fitting = [source for source in tokens if _may_go(source, winner, read)]
    if fitting:
        found[API_TOKEN] = fitting[0], fitting[0].values[API_TOKEN]
    withheld = [source for source in tokens if source not in fitting]
    places = tuple(f"{API_TOKEN} in {source.origin.place}" for source in withheld)
    return TenantValues(found, tuple(_remarks(winner, read, found, withheld)), _owners(read), places)


def _names_one(source: Source) -> bool:
    return SUBDOMAIN in source.values or API_URL in source.values


def _of(source: Source) -> dict[str, tuple[Source, object]]:
    return {name: (source, source.values[name]) for name in (SUBDOMAIN, API_URL) if name in source.values}


def _region(winner: Source | None, read: Sequence[Source]) -> Source | None:
    """Return the source of the region: the one naming the tenant, else one of the user's that names no other tenant."""
    if winner and (REGION in winner.values or not winner.trusted):
        return winner if REGION in winner.values else None
    free = (source for source in read if REGION in source.values and source.trusted and not _names_one(source))
    return next(free, None)


def _may_go(source: Source, winner: Source | None, read: Sequence[Source]) -> bool:
    """Whether the token of a source may go to the tenant that ``winner`` names."""
    if source is winner or not source.trusted:
        return source is winner
    if winner is None:
        return True
    meant = _address(source, read) if _names_one(source) else _owners(read)
    named = _address(winner, read)
    if meant is None:
        return winner.trusted
    return named is not None and same_tenant(meant, named)


def _owners(read: Sequence[Source]) -> str | None:
    """Return the address of the owner's file, else that of the environment; never one of the working directory."""
    named = [source for source in read if source.trusted and _names_one(source)]
    chosen = next((source for source in named if source.origin.kind is Kind.CONFIG), named[0] if named else None)
    return _address(chosen, read) if chosen else None


def _address(source: Source, read: Sequence[Source]) -> str | None:
    """Return the base URL that a source names; None where it is wrong, which is told when it is used."""
    region = _region(source, read)
    values = source.values
    texts = [
        str(values.get(SUBDOMAIN, "")),
        str(region.values[REGION]) if region else "us",
        str(values.get(API_URL, "")),
    ]
    try:
        return url_of(*texts)
    except ConfigurationError:
        return None


def _remarks(
    winner: Source | None,
    read: Sequence[Source],
    found: Mapping[str, tuple[Source, object]],
    withheld: Sequence[Source],
) -> Iterator[Remark]:
    """Tell what is set and does not count; it is grave where the source should win over the one naming the tenant."""
    first = read.index(winner) if winner else len(read)
    for place, source in enumerate(read):
        if source in withheld:
            yield Remark(f"{API_TOKEN} in {source.origin.place} is not used: {_why_withheld(source)}.", place < first)
        names = (SUBDOMAIN, API_URL, REGION)
        lost = [name for name in names if name in source.values and found.get(name, (None,))[0] is not source]
        if lost and winner and source is not winner and not _agree(source, winner, read):
            yield Remark(_overruled(lost, source, winner), place < first)


def _why_withheld(source: Source) -> str:
    if source.trusted or _names_one(source):
        return "it belongs to another tenant than the one named"
    return "a file in the working directory names a tenant and its token together, and this one names no tenant"


def _agree(source: Source, winner: Source, read: Sequence[Source]) -> bool:
    mine, theirs = _address(source, read) if _names_one(source) else None, _address(winner, read)
    return mine is not None and theirs is not None and same_tenant(mine, theirs)


def _overruled(lost: Sequence[str], source: Source, winner: Source) -> str:
    named = ", ".join(name for name in (SUBDOMAIN, API_URL) if name in winner.values)
    return (
        f"{', '.join(lost)} in {source.origin.place} does not count: {winner.origin.place} names the tenant ({named}), "
        "and one source names it as a whole."
    )


def own_folder() -> Path | None:
    """Return the configuration folder of this account whatever the environment says; None where nobody knows one."""
    try:
        import pwd  # Windows has none
    except ImportError:
        return None
    try:
        folder = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # a container without an entry for its user
        return None
    below = "Library/Application Support" if sys.platform == "darwin" else ".config"
    return folder / below / "kandji-mirror" if folder.is_absolute() else None


def doubted_privacy(read: Sequence[Source], privacy: Privacy) -> str | None:
    """Say why personal data may be meant to be masked although the settings that count do not say so."""
    name, order = "KANDJI_MIRROR_PRIVACY", list(Privacy)
    for source in read:
        wanted = source.doubted.get(name, "").strip().lower()
        if wanted and (wanted not in order or order.index(Privacy(wanted)) > order.index(privacy)):
            told = " ".join(remark.text for remark in source.remarks if name in remark.text)
            return (
                f"{told} Personal data may be meant to be masked, and would not be, so nothing was done. Set {name} in "
                "config.toml or the environment, or remove it there."
            )
    return None
