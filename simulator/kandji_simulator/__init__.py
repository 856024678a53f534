"""A simulated Kandji tenant: the provider's API over a synthetic, changing fleet.

``World`` is the fleet, ``Tenant`` the API over it as a function from request to response, ``serve`` the same over HTTP
on loopback; ``Fault`` and ``Quirks`` say what goes wrong and what differs between tenants. Everything is drawn from one
seed, so the same seed is the same fleet, byte for byte.
"""

from kandji_simulator.api.faults import Fault, FaultKind
from kandji_simulator.api.paging import Quirks
from kandji_simulator.api.rate_limit import RetryAfter, ServerLimits
from kandji_simulator.api.tenant import TOKEN, LoggedRequest, Tenant
from kandji_simulator.server.serve import Server, serve, serve_forever
from kandji_simulator.simulation.world import START, World
from kandji_simulator.world.catalogue import catalogue

__all__ = [
    "START",
    "TOKEN",
    "Fault",
    "FaultKind",
    "LoggedRequest",
    "Quirks",
    "RetryAfter",
    "Server",
    "ServerLimits",
    "Tenant",
    "World",
    "catalogue",
    "serve",
    "serve_forever",
]
