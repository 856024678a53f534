"""Activation Lock."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import boolean, extra
from kandji_schema.prism import APPLE, PrismRow, category
from kandji_schema.resource import Ask


class PrismActivationLock(PrismRow, table=True):
    """One row per Apple device: state of Activation Lock (never the bypass code)."""

    __tablename__ = "prism_activation_lock"

    activation_lock_supported: bool | None = boolean("Whether the device supports it.", samples=(True, True, None))
    activation_lock_allowed_while_supervised: bool | None = boolean(
        "Whether it is allowed under supervision.", samples=(False, True, None)
    )
    device_activation_lock_enabled: bool | None = boolean("Whether the device-based lock is on.", samples=(True, False))
    user_activation_lock_enabled: bool | None = boolean(
        "Whether a person's own lock is on.", samples=(False,) * 9 + (True,)
    )
    bypass_code_failed: bool | None = boolean("Whether escrow of the bypass code failed.", samples=(False,))
    extra: Any = extra()


PRISM_ACTIVATION_LOCK = category(
    PrismActivationLock,
    "activation_lock",
    ttl=timedelta(minutes=2),
    full_every=timedelta(hours=6),
    platforms=APPLE,
    asks=(
        Ask(
            "Which devices are locked by a person's own account",
            "SELECT d.device_name, d.serial_number, d.user_email FROM prism_activation_lock AS l JOIN devices"
            " AS d USING (device_id) WHERE l.user_activation_lock_enabled",
        ),
    ),
)
