"""What ``doctor`` finds about the identity provider at which people sign in to ``serve``.

A module of its own as only those who have one load what checks tokens.
"""

from collections.abc import Iterator

from kandji_cli.doctor.settings import Finding, Health, checked
from kandji_mcp_server.http.oauth import OAuthRules, read_rules
from kandji_schema.errors import ConfigurationError
from kandji_schema.settings import Settings
from kandji_schema.text import counted

CHECK = "identity provider"


def people(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Check that the keys of the identity provider can be read, where one is set; ``offline`` asks nobody."""
    try:
        rules = read_rules(settings)
    except ConfigurationError:  # `serve` says so
        return
    if rules and offline:
        yield Finding(CHECK, Health.OK, f"{rules.issuer}, which was not asked")
    elif rules:
        yield checked(CHECK, lambda: _keys(rules, settings.mirror_ca_file))


def _keys(rules: OAuthRules, ca_file: str) -> str:
    from kandji_mcp_server.http.provider_keys import bounded_reader, read_keys  # only where there is one

    found = read_keys(rules.issuer, bounded_reader(ca_file))
    needs = " and ".join(rules.needed)
    return f"{counted(len(found), 'key')} of {rules.issuer}; people need {needs} in the claim {rules.scope_claim}"
