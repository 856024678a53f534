"""Desktop and screen saver."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import extra, integer
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask


class PrismDesktopAndScreensaver(PrismRow, table=True):
    """One row per Mac: its desktop and screen saver; what the provider sends beyond the interval is in extra."""

    __tablename__ = "prism_desktop_and_screensaver"

    # The provider publishes no row of this category; this one field is known from other clients of the API.
    screensaver_interval: int | None = integer(
        "Seconds without input until the screen saver starts; 0 where it never does.", samples=(300, 600, 1200, 0, None)
    )
    extra: Any = extra()


PRISM_DESKTOP_AND_SCREENSAVER = category(
    PrismDesktopAndScreensaver,
    "desktop_and_screensaver",
    ttl=timedelta(hours=6),
    platforms=MAC,
    asks=(
        Ask(
            "Which Macs lock late or never",
            "SELECT d.device_name, s.screensaver_interval FROM prism_desktop_and_screensaver AS s JOIN "
            "devices AS d USING (device_id) WHERE s.screensaver_interval = 0 OR s.screensaver_interval > 600",
        ),
    ),
)
