"""Which mirror a command reads: that of the settings, or the demo's for somebody who has nothing else yet.

Who has just tried `demo` and asks something wants an answer from what was shown. That is so only as long as nobody has
named a tenant, a profile, a token or a home, and each time it is said: simulated data is never taken for real.
"""

from dataclasses import replace

from kandji_cli.output import tell
from kandji_schema.manifest import DEMO, generations
from kandji_schema.settings import Settings, load
from kandji_schema.sources import Kind

_NAMED = ("mirror_home", "mirror_tenant", "subdomain", "api_url", "api_token")
"""Settings of somebody who has more than a demo."""


def settings_to_read(*, told: bool = False) -> Settings:
    """Return the settings, with the demo's home where that is all there is; which is said, unless it was ``told``."""
    settings = load()
    if settings.provenance.profiles or any(settings.origin(key).kind is not Kind.DEFAULT for key in _NAMED):
        return settings
    home = settings.home
    if generations(home) or not generations(home / DEMO):
        return settings
    if not told:
        tell(f"No account is set up: this is the demo's simulated tenant, in {home / DEMO}. Yours: kandji-mirror init")
    return replace(settings, mirror_home=str(home / DEMO))
