"""A simulated Kandji tenant: the provider's API over an invented, changing fleet.

``world`` is the fleet, ``tenant`` the API over it as a function from request to response, ``serve`` the same over HTTP
on loopback. Everything is drawn from one seed, so the same seed is the same fleet, byte for byte.
"""
