"""Which tenant is meant, on which of its hosts the provider knows the token, and the token that somebody types.

The provider serves one tenant under two domains and in two regions. People know its name, or have a URL of the console
or the API before them. All hosts of that tenant that this can mean are tried in turn, and no other host ever.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import click

from kandji_cli.output import tell
from kandji_mirror.api.credentials import checked_token
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.connection import connect
from kandji_schema.errors import ApiError, AuthenticationError, ConfigurationError, PermissionMissing, UsageError
from kandji_schema.provider import NEW_DOMAIN, OLD_DOMAIN, REGIONS, ProviderHost, is_loopback, pasted
from kandji_schema.settings import Settings
from kandji_schema.sources import Kind

ATTEMPTS = 3
"""How often a person may type something that turns out wrong."""

WHERE = "Settings > Access > API token"
"""Where the provider's console makes tokens."""

_PATIENCE = 20.0


@dataclass(frozen=True)
class Account:
    """A tenant as it is to be stored, and the token it knows."""

    settings: Settings
    token: str

    @property
    def url(self) -> str:
        """Where its API answers."""
        return base_url(self.settings)


@dataclass(frozen=True)
class Asked:
    """What the command line says of the tenant, by key, and how the token comes."""

    tenant: Mapping[str, str]
    token_stdin: bool
    offline: bool = False


def find_account(settings: Settings, asked: Asked) -> Account:
    """Ask for what is missing, and find the host that knows the token; nothing is stored.

    :class:`UsageError` names what is missing where there is no terminal to ask at.
    """
    candidates = candidate_tenants(settings, asked)
    found, token = _accepted(candidates, asked)
    return Account(found, token)


# -- the tenant ----------------------------------------------------------------------------------------------------


def candidate_tenants(settings: Settings, asked: Asked) -> Sequence[Settings]:
    """Return the tenant that is named or asked for, once for each host that may be meant, the likeliest first.

    :class:`ConfigurationError` where what is named is no tenant.
    """
    given = {key: value.strip() for key, value in asked.tenant.items()}
    if given.get("subdomain") or given.get("api_url") or settings.subdomain or settings.api_url:
        return _candidates(settings, given)
    if not sys.stdin.isatty():
        token = "" if asked.token_stdin else ", and the token by --token-stdin on standard input"
        raise UsageError(f"No tenant is named. Give --subdomain, its name or any URL of its console{token}.")
    for attempt in range(1, ATTEMPTS + 1):
        typed = click.prompt("Your tenant (its name, or any URL of its console)", err=True)
        try:
            return _candidates(settings, {**given, "subdomain": str(typed).strip()})
        except ConfigurationError as error:
            if attempt == ATTEMPTS:
                raise
            tell(str(error))
    raise AssertionError  # the last attempt returns or raises


def _candidates(settings: Settings, given: Mapping[str, str]) -> Sequence[Settings]:
    if "://" in (typed := given.get("subdomain", "")) and is_loopback(typed):  # a simulated tenant
        given = {"api_url": typed.rstrip("/")}
    host = _host(given)
    if host:
        regions = _regions(settings, host, given.get("region"))
        domains = sorted((OLD_DOMAIN, NEW_DOMAIN), key=lambda domain: domain != host.domain)
        named = [_of_host(settings, host.label, *place) for place in product(domains, regions)]
    elif given.get("subdomain"):  # not shown, as it may be a credential
        raise ConfigurationError(
            "That names no tenant of the provider. Give its name, such as `acme`, or any URL of its console, such as "
            "https://acme.kandji.io or https://acme.iru.com; never the token."
        )
    else:
        named = [_as_given(settings, given)]
    for candidate in named:
        base_url(candidate)  # what is wrong with it is told before a token is asked for
    return named


def _host(given: Mapping[str, str]) -> ProviderHost | None:
    """Return the provider's host that was typed or pasted; None where it is another's, or the API's whole URL."""
    typed = given.get("subdomain", "").rstrip("/")
    if typed and "." not in typed:
        found = pasted(f"{typed}.{OLD_DOMAIN}")
        return replace(found, region=None) if found else None
    found = pasted(typed or given.get("api_url", ""))
    return None if found is None or (not typed and found.api) else found


def _regions(settings: Settings, host: ProviderHost, given: str | None) -> Sequence[str]:
    """Return the region that is known from the command line, the name or the environment; else all there are."""
    of_environment = settings.region if settings.origin("region").kind is Kind.ENVIRONMENT else None
    known = given or host.region or of_environment
    return (known,) if known else REGIONS


def _of_host(settings: Settings, label: str, domain: str, region: str) -> Settings:
    if domain == OLD_DOMAIN:
        return settings.given(subdomain=label, region=region, api_url="")
    return settings.given(region=region, api_url=ProviderHost(label, domain, region, api=True).api_url(region))


def _as_given(settings: Settings, given: Mapping[str, Any]) -> Settings:
    whole: dict[str, Any] = {**given}
    if "subdomain" in whole or "region" in whole:
        whole.setdefault("api_url", "")
    return settings.given(**whole)


# -- the token -----------------------------------------------------------------------------------------------------


def _accepted(candidates: Sequence[Settings], asked: Asked) -> tuple[Settings, str]:
    """Return the tenant that knows the token; a person may type it again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            token = checked_token(_typed_token(asked, candidates, again=attempt > 1))
            return (candidates[0] if asked.offline else _verified(candidates, token)), token
        except ConfigurationError as error:  # one that cannot be a token, or that nobody knows
            if asked.token_stdin or attempt == ATTEMPTS:
                raise
            tell(str(error))
    raise AssertionError  # the last attempt returns or raises


def _typed_token(asked: Asked, candidates: Sequence[Settings], *, again: bool) -> str:
    if asked.token_stdin:
        lines = iter(lambda: sys.stdin.readline(10_000), "")
        return next((line for line in lines if line.strip("\ufeff \t\r\n")), "")
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for the token. Give it with --token-stdin on standard input.")
    if not again:
        tell(
            f"It will be sent to {_either([base_url(candidate) for candidate in candidates])} alone. Make one in "
            f"{WHERE}, and tick reading of what is to be mirrored; what is missing is named afterwards."
        )
    return str(click.prompt(f"API token{', again' if again else ''} (not shown)", hide_input=True, err=True))


def _verified(candidates: Sequence[Settings], token: str) -> Settings:
    """Return the first that answers; one that knows the token but forbids the question only where no other does."""
    urls, errors, forbidden = [base_url(candidate) for candidate in candidates], [], []
    for url, candidate in zip(urls, candidates, strict=True):
        if len(candidates) > 1:
            tell(f"Asking {url} ...")
        try:
            _verify(candidate.given(api_token=token))
        except PermissionMissing:
            forbidden.append(candidate)
        except (ApiError, AuthenticationError) as error:
            errors.append(error)
        else:
            return candidate
    if forbidden:
        tell("warning: the provider knows this token, but it may not list devices. `kandji-mirror doctor` tells more.")
        return forbidden[0]
    raise _not_verified(urls, errors)


def _not_verified(urls: Sequence[str], errors: Sequence[ApiError | AuthenticationError]) -> Exception:
    if any(isinstance(error, AuthenticationError) for error in errors):
        return AuthenticationError(
            f"{_either(urls)} did not accept this token (401): it is wrong, revoked, or of another tenant or region. "
            f"Copy it again, or make a new one in {WHERE}. Nothing was stored."
        )
    also = f" Tried {_either(urls)}." if len(urls) > 1 else ""
    errors[0].args = (f"{errors[0]}{also} Nothing was stored; `login --offline` stores without asking.",)
    return errors[0]


def _either(urls: Sequence[str]) -> str:
    *others, last = urls
    return f"{', '.join(others)} or {last}" if others else last


def _verify(settings: Settings) -> None:
    """Send one request. A token that may not list devices is still one the provider knows."""
    patience = min(settings.mirror_read_timeout, _PATIENCE)
    with connect(replace(settings, mirror_read_timeout=patience), any_home=True) as connection:
        connection.client.get("/api/v1/devices", [("limit", "1")])
