"""Which tenants ``serve`` keeps in sync where several have a name, and that none takes what is another's.

What is wrong with one (its settings, its token) is told with its name, and the others go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kandji_cli.serve_tenant import Read, ServedTenant
from kandji_cli.serve_words import warn
from kandji_schema.errors import ConfigurationError, MirrorError
from kandji_schema.settings import Settings, load
from kandji_schema.sources import Kind


def tenants_to_serve() -> Sequence[str]:
    """Return the names of all profiles; none where one is named, or there is none.

    The one that ``config.toml`` names, for commands which need one tenant, is none that is named here.
    """
    found = load(doubtful=True)
    return () if found.origin("mirror_tenant").kind is Kind.ENVIRONMENT else found.provenance.profiles


def prepared(common: Settings, named: Mapping[str, Read], *, sync: bool, mcp: bool) -> Sequence[ServedTenant]:
    """Return each tenant that can be served; :class:`ConfigurationError` where none can."""
    tenants, taken = [], _Taken()
    for name, read in named.items():
        try:
            settings = read()
            taken.take(name, "data directory", settings.home.absolute())
            if mcp:
                _take_access(name, settings, taken)
            tenants.append(ServedTenant.prepare(name, settings, read, sync=sync, mcp=mcp))
        except MirrorError as error:
            warn(common, f"{name} is not served, the others are: {error}", "serve.left_out")
    if not tenants:
        raise ConfigurationError("None of the tenants can be served; what is wrong with each is told above.")
    if common.subdomain or common.api_url:
        words = "What config.toml or the environment names without one is not: give it a table [tenants.NAME]"
        warn(common, f"Tenants with a name are served. {words}.", "serve.left_out")
    return tenants


@dataclass
class _Taken:
    """What the tenants before have, and no other may: it would be let in at both, or both would write one mirror."""

    names: dict[object, str] = field(default_factory=dict)

    def take(self, name: str, what: str, value: object) -> None:
        """:class:`ConfigurationError` where another tenant has it."""
        if value is not None and (other := self.names.setdefault((what, value), name)) != name:
            raise ConfigurationError(
                f"it has the {what} of the tenant {other}, and each needs its own. Give [tenants.{name}] another one."
            )


def _take_access(name: str, settings: Settings, taken: _Taken) -> None:
    from kandji_mcp_server.http import read_access  # only who answers needs it

    found = read_access(settings, make_token=True)
    taken.take(name, "token for clients of `serve`", found.token)
    taken.take(name, "audience at its identity provider", found.people and (found.people.issuer, found.people.audience))
