"""Who asks over HTTP: somebody with the server's own token, or a person who signed in; and what that person may."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context

CALLER = "kandji_mirror.caller"
"""Key of an HTTP scope: the :class:`Caller` of the request, or None where it is nobody who is known."""

BASE = "kandji_mirror.base"
"""Key of an HTTP scope: what stands before the path of the request as browsers know it, such as ``/acme``; unset where
a tenant is served at the root."""


@dataclass(frozen=True)
class Person:
    """A person who signed in at ``issuer``: ``name`` as the owner wants it written, ``subject`` as it never changes.

    ``client`` is the program that the identity provider gave the token to.
    """

    name: str
    subject: str
    issuer: str
    client: str = ""

    @property
    def words(self) -> str:
        """Who it is, for the audit log: nobody else's name and subject together."""
        known = "" if self.name == self.subject else f" ({self.subject})"
        return f"{self.name}{known} of {self.issuer}"


@dataclass(frozen=True)
class Rights:
    """What is answered: ``personal`` data where it is masked for others, and whether there are live actions."""

    personal: bool = False
    acts: bool = True


OWN = Rights()
"""Of whoever has the server's own token, and of a client over stdio."""


@dataclass(frozen=True)
class Caller:
    """Who sent a request; ``person`` is None for whoever has the server's own token.

    ``expires`` is when the person's token does, in seconds since 1970; None where nothing expires.
    """

    rights: Rights = OWN
    person: Person | None = None
    expires: float | None = None


def person_of(ctx: "Context[Any, Any]") -> Person | None:
    """Return the person who asks; None over stdio and for the server's own token."""
    request = ctx.request_context.request
    caller: Caller | None = request.scope.get(CALLER) if request is not None else None
    return caller.person if caller else None
