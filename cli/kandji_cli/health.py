"""``kandji-mirror health``: what ``serve`` of this machine says of itself, where there is neither shell nor curl.

Asked by the standard library: a container asks every half minute, and httpx takes longer to import than the answer.
"""

import ipaddress
import json
from http.client import HTTPConnection, HTTPException

from kandji_cli.output import say
from kandji_schema.errors import MirrorError
from kandji_schema.settings import load

LIVE, READY = "/healthz", "/readyz"
FORMERLY = "/health"
"""What a server of an earlier version, which goes on while this program is upgraded, knows in the place of both."""

UNKNOWN = 0
SECONDS = 8.0
"""More than the server itself waits for its files, less than what a health check gives."""


class NotWell(MirrorError):
    """The server does not answer, or says that it is not well."""

    exit_code = 1  # the only one that a container's health check may have


def ask(*, ready: bool, port: int | None) -> None:
    """Print the server's own word for its state; :class:`NotWell` where that is not its word for well."""
    settings = load(doubtful=True)  # whichever tenants it serves
    host, port = _here(settings.mirror_http_host), port or settings.mirror_http_port
    code, word = _answer(host, port, READY if ready else LIVE)
    if code == UNKNOWN:
        code, word = _answer(host, port, FORMERLY)
    if code != 200:
        raise NotWell(f"`serve` on {host} port {port} says: {word}.")
    say(word)


def _here(listens: str) -> str:
    """Return the address at which this machine reaches itself where something listens on ``listens``."""
    try:
        address = ipaddress.ip_address(listens)
    except ValueError:
        return listens
    return (
        str(ipaddress.ip_address("::1" if address.version == 6 else "127.0.0.1")) if address.is_unspecified else listens
    )


def _answer(host: str, port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read(10_000)
    except (OSError, HTTPException) as error:
        raise NotWell(f"Nothing answers on {host} port {port}: {getattr(error, 'strerror', None) or error}.") from None
    finally:
        connection.close()
    try:
        return answer.status, str(json.loads(said)["status"])
    except (ValueError, LookupError, TypeError):
        return UNKNOWN, f"{path} was answered with {answer.status}, which is no state of health"
