"""A company's identity provider on loopback: real keys, real tokens, and every document as a test wants it."""

import base64
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

RESOURCE = "https://mirror.example.com/mcp"
OIDC = "/.well-known/openid-configuration"

Document = tuple[int, Mapping[str, str], bytes]


@cache
def private_key(name: str) -> Any:
    """A key of that name, made once: ``rsa``, ``ec``, ``ed`` or another RSA one."""
    if name.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    if name.startswith("ed"):
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65_537, key_size=1_024 if name == "short" else 2_048)


ALGORITHM = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}


def public_jwk(name: str, **facts: Any) -> dict[str, Any]:
    """Its public half as the provider's list has it."""
    made: Any = {"ec": ECAlgorithm, "ed": OKPAlgorithm}.get(name[:2], RSAAlgorithm)
    found: dict[str, Any] = made.to_jwk(private_key(name).public_key(), as_dict=True)
    found.pop("key_ops", None)
    return {**found, "kid": name, "use": "sig", **facts}


def encoded(part: object) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@dataclass
class IdentityProvider:
    """``documents`` are answers by path, ``asked`` the paths in order of coming, ``posted`` the bodies."""

    issuer: str
    documents: dict[str, Document] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    posted: list[str] = field(default_factory=list)

    def says(self, path: str, document: object, status: int = 200, **headers: str) -> None:
        """Answer so from now on."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.documents[path] = status, headers, body

    def has_keys(self, *keys: Mapping[str, Any]) -> None:
        """Have these keys, and no others."""
        self.says(OIDC, {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"})
        self.says("/keys", {"keys": list(keys)})

    def claims(self, **claims: Any) -> dict[str, Any]:
        """Claims of a good token; None leaves one out."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": RESOURCE,
            "sub": "u-1",
            "email": "jane@example.org",
            "iat": now,
            "exp": now + 600,
            "scope": "mirror:read",
            "client_id": "a-client",
        }
        return {name: value for name, value in {**good, **claims}.items() if value is not None}

    def token(self, key: str = "rsa", headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token that the provider signs."""
        named = {"kid": key, "typ": "at+jwt", **(headers or {})}
        algorithm = ALGORITHM.get(key[:3].rstrip("-"), ALGORITHM.get(key[:2], "RS256"))
        text = json.dumps(self.claims(**claims)).encode()  # as they are: `jwt.encode` makes good claims only
        return jwt.PyJWS().encode(text, private_key(key), algorithm=algorithm, headers=named)

    def unsigned(self, **header: Any) -> str:
        """A token with ``alg`` none and no signature that counts."""
        return f"{encoded({'alg': 'none', 'kid': 'rsa', **header})}.{encoded(self.claims())}.e30"

    def confused(self, form: Encoding = Encoding.PEM) -> str:
        """A token whose HMAC is made with the public key, which is no secret."""
        pem = private_key("rsa").public_key().public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
        text = f"{encoded({'alg': 'HS256', 'kid': 'rsa', 'typ': 'JWT'})}.{encoded(self.claims())}"
        mac = base64.urlsafe_b64encode(hmac.digest(pem, text.encode(), sha256)).rstrip(b"=").decode()
        return f"{text}.{mac}"


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """Answer on loopback until the end of the block, with one key of each kind."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            status, headers, body = provider.documents.get(self.path, (404, {}, b"{}"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            provider.posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider = IdentityProvider(f"http://127.0.0.1:{server.server_port}")
        provider.has_keys(*(public_jwk(name) for name in ALGORITHM))
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join(5)
