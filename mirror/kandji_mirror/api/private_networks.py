"""Addresses that nothing from outside may lead us to: this machine, the networks behind it, and what clouds answer on.

A name says nothing about where it leads: it is looked up before anything is sent, and the connection is looked at too,
as a name may lead elsewhere a moment later.
"""

import ipaddress
import socket

from kandji_schema import provider

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(host: str) -> Address | None:
    """The host as an address; None for a name. A zone (``fe80::1%en0``) is left out."""
    return provider.address_of(host.partition("%")[0])


def is_private(address: Address) -> bool:
    """Whether an address is not of the open internet; one of IPv4 in the clothes of IPv6 is judged as what it is."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return not (inner or address).is_global or (inner or address).is_multicast


def leads_to_private(host: str, port: int) -> bool:
    """Whether any address of a host is private. False where it has none: the connection will say so.

    The resolver of the system decides, which also reads ``127.1`` and ``2130706433``.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = (address_of(str(sockaddr[0])) for *_, sockaddr in found)
    return any(address is None or is_private(address) for address in addresses)
