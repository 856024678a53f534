"""Tokens of people: which are believed, which are not, and what the identity provider is asked for that."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from identity_provider import OIDC, RESOURCE, IdentityProvider, encoded, identity_provider, public_jwk

from kandji_mcp_server.callers import Caller
from kandji_mcp_server.http.oauth import OAuthRules, read_rules
from kandji_mcp_server.http.provider_keys import MOST_WAITING, ProviderKeys, ProviderUnavailable, metadata_addresses
from kandji_mcp_server.http.tokens import LONGEST, ScopeMissing, TokenRefused, TokenVerifier
from kandji_mirror.api.transport import read_document
from kandji_schema.errors import ConfigurationError, Unreachable
from kandji_schema.settings import Settings

PAUSE = 61.0


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as found:
        yield found


def rules(issuer: str, **settings: Any) -> OAuthRules:
    given = {"issuer": issuer, "resource": RESOURCE, "person": "email", **settings}
    privacy = given.pop("privacy", "agents")
    found = read_rules(Settings(mirror_privacy=privacy, **{f"mirror_oauth_{key}": v for key, v in given.items()}))
    assert found is not None
    return found


class Clock:
    """Stands still until it is moved."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def verifier(provider: IdentityProvider, clock: Callable[[], float] = time.monotonic, **settings: Any) -> TokenVerifier:
    read = partial(read_document, seconds=2.0, most=64 * 1024)
    return TokenVerifier(rules(provider.issuer, **settings), ProviderKeys(provider.issuer, read, clock))


def verified(found: TokenVerifier, token: str) -> Caller:
    return anyio.run(found.verify, token)


@pytest.mark.parametrize("key", ["rsa", "ec", "ed"])
def test_a_token_of_each_kind_of_key_names_its_person(provider: IdentityProvider, key: str) -> None:
    person = verified(verifier(provider), provider.token(key)).person
    assert person is not None
    assert (person.name, person.subject, person.client) == ("jane@example.org", "u-1", "a-client")
    assert person.words == f"jane@example.org (u-1) of {provider.issuer}"


def test_what_a_token_lets_its_person_do_is_in_its_scopes(provider: IdentityProvider) -> None:
    found = verifier(provider)
    for scope, personal, acts in (
        ("mirror:read", False, False),
        ("openid mirror:read mirror:personal", True, False),
        (["mirror:act", "mirror:read"], False, True),
        ("mirror:read  mirror:act mirror:personal", True, True),
    ):
        rights = verified(found, provider.token(scope=scope)).rights
        assert (rights.personal, rights.acts) == (personal, acts)
    assert verified(found, provider.token(scope=None, scp="mirror:read mirror:act")).rights.acts
    roles = verifier(provider, scope_claim="roles", read="Help Desk", act="Admins")
    rights = verified(roles, provider.token(roles=["Help Desk", "Admins"])).rights
    assert (rights.personal, rights.acts) == (False, True)
    assert roles.rules.offered == ()


KEYCLOAK: dict[str, Any] = {
    "realm_access": {"roles": ["reader"]},
    "resource_access": {"my.mirror": {"roles": ["reader", "admin"]}},
}


@pytest.mark.parametrize(
    ("path", "acts"),
    [("realm_access.roles", False), ("resource_access.my.mirror.roles", True), ("https://a.example/roles", True)],
)
def test_roles_inside_other_claims_are_named_by_their_path(provider: IdentityProvider, path: str, acts: bool) -> None:
    found = verifier(provider, scope_claim=path, read="reader", act="admin")
    claims: dict[str, Any] = {**KEYCLOAK, "https://a.example/roles": ["admin", "reader"]}
    assert verified(found, provider.token(**claims)).rights.acts is acts
    assert found.rules.offered == ()


@pytest.mark.parametrize("path", ["realm_access", "realm_access.role", "resource_access.roles", "realm_access.roles.x"])
def test_a_path_that_leads_to_no_roles_lets_nobody_in(provider: IdentityProvider, path: str) -> None:
    with pytest.raises(ScopeMissing, match=f"in its claim {path}"):
        verified(verifier(provider, scope_claim=path, read="reader"), provider.token(**KEYCLOAK))


@pytest.mark.parametrize(
    "scope",
    [None, "", "mirror:rea", "mirror:reads", "xmirror:read", "MIRROR:READ", "mirror:act mirror:personal", 7, {}, [7]],
)
def test_without_the_scope_to_read_nothing_is_answered(provider: IdentityProvider, scope: object) -> None:
    with pytest.raises(ScopeMissing):
        verified(verifier(provider), provider.token(scope=scope))


def test_where_nothing_is_masked_reading_needs_the_scope_for_personal_data(provider: IdentityProvider) -> None:
    plain = verifier(provider, privacy="off")
    assert verified(plain, provider.token(scope="mirror:read mirror:personal"))
    with pytest.raises(ScopeMissing, match="mirror:personal"):
        verified(plain, provider.token(scope="mirror:read"))


def of_another_key(provider: IdentityProvider) -> str:
    """Signed by a stranger, in the name of the provider's key."""
    return provider.token("stranger", {"kid": "rsa"})


def altered(provider: IdentityProvider) -> str:
    head, _, mac = provider.token().split(".")
    return f"{head}.{encoded(provider.claims(scope='mirror:read mirror:act'))}.{mac}"


HOSTILE: dict[str, tuple[Callable[[IdentityProvider], str], str]] = {
    "another issuer": (lambda p: p.token(iss="https://login.example.com"), "another issuer"),
    "the issuer with a slash": (lambda p: p.token(iss=f"{p.issuer}/"), "another issuer"),
    "issuers": (lambda p: p.token(iss=[p.issuer]), "no JWT|another issuer"),
    "another server": (lambda p: p.token(aud="https://other.example.com/mcp"), "another server"),
    "other servers": (lambda p: p.token(aud=["https://other.example.com/mcp"]), "another server"),
    "a server whose name begins like ours": (lambda p: p.token(aud=f"{RESOURCE}/other"), "another server"),
    "no server": (lambda p: p.token(aud=None), "lacks one of"),
    "a server that is no text": (lambda p: p.token(aud={"a": RESOURCE}), "another server|no JWT"),
    "expired": (lambda p: p.token(exp=int(time.time()) - 60), "expired"),
    "never expires": (lambda p: p.token(exp=None), "lacks one of"),
    "expires at no time": (lambda p: p.token(exp="tomorrow"), "no JWT"),
    "expires beyond all numbers": (lambda p: p.token(exp=float("inf")), "no JWT"),
    "not yet": (lambda p: p.token(nbf=int(time.time()) + 300), "not valid yet"),
    "nobody": (lambda p: p.token(sub=None), "lacks one of"),
    "a number": (lambda p: p.token(sub=7), "no JWT"),
    "without a name": (lambda p: p.token(email=None), "does not name the person"),
    "a name nobody can see": (lambda p: p.token(email="\u200b\u202e "), "does not name the person"),
    "a list of names": (lambda p: p.token(email=["a", "b"]), "does not name the person"),
    "bound to a key": (lambda p: p.token(cnf={"jkt": "x"}), "bound to a key"),
    "for the client itself": (lambda p: p.token(at_hash="x"), "an ID token"),
    "no signature": (lambda p: p.unsigned(), "algorithm"),
    "no signature, written otherwise": (lambda p: p.unsigned(alg="NonE"), "algorithm"),
    "no algorithm": (lambda p: p.unsigned(alg=None), "algorithm|no JWT"),
    "an HMAC with the public key": (lambda p: p.confused(), "algorithm"),
    "an HMAC with the public key, as bytes": (lambda p: p.confused(Encoding.DER), "algorithm"),
    "another kind of key": (lambda p: p.token("ec", {"kid": "rsa"}), "not that of its key"),
    "another's signature": (of_another_key, "signature is wrong"),
    "altered": (altered, "signature is wrong"),
    "an unknown key": (lambda p: p.token("stranger"), "does not name"),
    "no key": (lambda p: p.token(headers={"kid": ""}), "name its key"),
    "its own key along": (lambda p: p.token("stranger", {"jwk": public_jwk("stranger")}), "does not name"),
    "an address of keys along": (lambda p: p.token("stranger", {"jku": "https://evil.example/k"}), "does not name"),
    "another purpose": (lambda p: p.token(headers={"typ": "logout+jwt"}), "not a token for access"),
    "what must be understood": (
        lambda p: p.token(headers={"crit": ["exp"], "exp": 1}),
        "not a token for access|no JWT",
    ),
    "longer than any": (lambda p: p.token(pad="x" * LONGEST), "no JWT"),
    "a header that is deep": (lambda p: f"{'W1tb' * 3_000}.e30.e30", "no JWT"),
    "a header that is no object": (lambda p: f"{encoded([])}.e30.e30", "no JWT"),
    "five parts": (lambda p: f"{p.token()}.e30.e30", "no JWT"),
    "a line more": (lambda p: f"{p.token()}\n", "no JWT"),
    "other letters": (lambda p: "é.é.é", "no JWT"),
}


def test_hostile_tokens_are_refused_each_for_its_reason(provider: IdentityProvider) -> None:
    found = verifier(provider)
    for name, (make, why) in HOSTILE.items():
        with pytest.raises(TokenRefused, match=why):
            pytest.fail(f"{name}: {verified(found, make(provider))}")
    assert verified(found, provider.token()).person
    assert set(provider.asked) <= {"/.well-known/oauth-authorization-server", OIDC, "/keys"}


def test_clocks_may_differ_a_little(provider: IdentityProvider) -> None:
    now = int(time.time())
    assert verified(verifier(provider), provider.token(exp=now - 10, nbf=now + 10))


def test_a_flood_of_invented_keys_asks_the_provider_once_a_minute(provider: IdentityProvider) -> None:
    clock = Clock()
    found = verifier(provider, clock)
    verified(found, provider.token())

    async def flood() -> None:
        for number in range(50):
            with pytest.raises(TokenRefused):
                await found.verify(provider.token(headers={"kid": f"invented-{number}"}))

    for _ in range(3):
        clock.now += PAUSE
        provider.asked.clear()
        anyio.run(flood)
        assert provider.asked.count("/keys") == 1


def test_while_the_provider_hangs_few_requests_wait_for_it(provider: IdentityProvider) -> None:
    asked = threading.Event()
    answered = threading.Event()

    def hang(_: str) -> bytes:
        asked.set()
        answered.wait(10)
        raise Unreachable("it hung", sent=True)

    found = TokenVerifier(rules(provider.issuer), ProviderKeys(provider.issuer, hang))
    token = provider.token()
    refused: list[str] = []

    async def ask() -> None:
        try:
            await found.verify(token)
        except ProviderUnavailable as error:
            refused.append(str(error))

    async def flood() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.to_thread.run_sync(asked.wait)
            for _ in range(3 * MOST_WAITING):
                tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            assert len(refused) == 2 * MOST_WAITING + 1
            answered.set()

    anyio.run(flood)
    assert len(refused) == 3 * MOST_WAITING + 1


def test_a_new_key_counts_once_it_is_asked_for_and_a_withdrawn_one_no_longer(provider: IdentityProvider) -> None:
    clock = Clock()
    found = verifier(provider, clock)
    old = provider.token()
    assert verified(found, old)
    provider.has_keys(public_jwk("rsa-next"))
    with pytest.raises(TokenRefused):  # asked a moment ago
        verified(found, provider.token("rsa-next"))
    clock.now += PAUSE
    assert verified(found, provider.token("rsa-next"))
    with pytest.raises(TokenRefused):
        verified(found, old)


def test_keys_are_read_again_by_the_hour_and_count_a_while_without_an_answer(provider: IdentityProvider) -> None:
    clock = Clock()
    found = verifier(provider, clock)
    assert verified(found, provider.token())
    provider.documents.clear()
    clock.now += 3_601
    assert verified(found, provider.token())
    clock.now += 3 * 3_600
    with pytest.raises(ProviderUnavailable):
        verified(found, provider.token())


def elsewhere(provider: IdentityProvider) -> None:
    provider.says("/moved", {"keys": [public_jwk("rsa")]})
    provider.says("/keys", b"", 302, Location=f"{provider.issuer}/moved")


def huge(provider: IdentityProvider) -> None:
    provider.says("/keys", {"keys": [public_jwk("rsa")], "pad": "x" * 100_000})


def metadata(**facts: Any) -> Callable[[IdentityProvider], None]:
    def say(provider: IdentityProvider) -> None:
        provider.says(OIDC, {"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys", **facts})

    return say


def keys(*found: object) -> Callable[[IdentityProvider], None]:
    return lambda provider: provider.says("/keys", {"keys": list(found)})


@pytest.mark.parametrize(
    "spoil",
    [
        elsewhere,
        huge,
        metadata(issuer="https://login.example.com"),
        metadata(issuer=None),
        metadata(jwks_uri="http://keys.example.com/keys"),
        metadata(jwks_uri="file:///etc/passwd"),
        metadata(jwks_uri="https://u:p@keys.example.com/keys"),
        metadata(jwks_uri=7),
        lambda provider: provider.says(OIDC, b"[" * 50_000),
        lambda provider: provider.says("/keys", b"\xff"),
        keys(),
        keys(*[public_jwk("rsa")] * 101),
        keys(None, 7, [], {"kty": "RSA", "kid": "rsa"}, {"kty": ["RSA"], "kid": "rsa"}),
        keys(public_jwk("rsa", use="enc")),
        keys(public_jwk("rsa", key_ops=["encrypt"])),
        keys(public_jwk("rsa", key_ops=None)),
        keys(public_jwk("rsa", alg="RS512")),
        keys(public_jwk("rsa", kid=None)),
        keys(public_jwk("short", kid="rsa")),
        keys({"kty": "oct", "kid": "rsa", "k": encoded("a secret of many letters that is none")}),
    ],
)
def test_keys_that_came_another_way_are_none(
    provider: IdentityProvider, spoil: Callable[[IdentityProvider], None]
) -> None:
    spoil(provider)
    with pytest.raises(ProviderUnavailable):
        verified(verifier(provider), provider.token())
    assert "/moved" not in provider.asked


def test_metadata_is_looked_for_where_the_standards_put_it() -> None:
    assert list(metadata_addresses("https://login.example.com/")) == [
        "https://login.example.com/.well-known/oauth-authorization-server",
        "https://login.example.com/.well-known/openid-configuration",
    ]
    assert list(metadata_addresses("https://login.example.com/company/v2")) == [
        "https://login.example.com/.well-known/oauth-authorization-server/company/v2",
        "https://login.example.com/.well-known/openid-configuration/company/v2",
        "https://login.example.com/company/v2/.well-known/openid-configuration",
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"issuer": "http://login.example.com"}, "must begin with https"),
        ({"issuer": "login.example.com"}, "must be a URL"),
        ({"issuer": "https://login.example.com?x=1"}, "must be a URL"),
        ({"issuer": "https://user@login.example.com"}, "must be a URL"),
        ({"issuer": 'https://login.example.com/"'}, "must be a URL"),
        ({"issuer": "https://login.example.com:99999"}, "must be a URL"),
        ({"resource": ""}, "RESOURCE is not"),
        ({"resource": "http://mirror.example.com/mcp"}, "must begin with https"),
        ({"issuer": ""}, "nobody could sign in"),
        ({"issuer": "", "resource": "", "audience": "x"}, "nobody could sign in"),
        ({"read": ""}, "everybody at the identity provider"),
        ({"read": "two words"}, "no scope"),
        ({"act": 'quo"te'}, "no scope"),
        ({"privacy": "off", "personal": ""}, "nothing is masked"),
    ],
)
def test_settings_that_would_not_protect_are_refused(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        rules(settings.pop("issuer", "https://login.example.com"), **settings)
