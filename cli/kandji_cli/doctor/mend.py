"""``doctor --fix``: what is mended before anything is looked at, each said as a finding of its own."""

from collections.abc import Iterator

from kandji_cli.doctor.settings import Finding, Health, configured
from kandji_mirror.store.mending import mend
from kandji_schema.errors import ConfigurationError, MirrorError
from kandji_schema.files import is_loose, tighten
from kandji_schema.settings import load

CHECK = "mended"


def mended() -> Iterator[Finding]:
    """Mend what is safe: never a row, never a setting."""
    try:
        settings = load(doubtful=True)
        home = settings.home
    except ConfigurationError:  # what is wrong with settings is told by the checks
        return
    for path in filter(is_loose, configured(settings)):
        tighten(path)
        if not is_loose(path):
            yield Finding(CHECK, Health.OK, f"took the rights of others from {path}")
    try:
        yield from (Finding(CHECK, Health.OK, words) for words in mend(home))
    except MirrorError as error:
        yield Finding(CHECK, Health.FAILED, str(error), error.exit_code)
