"""Kernel extensions."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import Personal, extra, text
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask


class PrismKernelExtension(PrismRow, table=True):
    """One row per Mac and kernel extension installed by third parties; most Macs have none."""

    __tablename__ = "prism_kernel_extensions"

    # The published answer is empty; these three fields are known from other clients of the API.
    bundle_id: str | None = text("Bundle identifier.", key=True, samples=("com.example.driver.usbserial",))
    path: str | None = text(
        "Where it is installed.",
        key=True,
        personal=Personal.PATH,
        samples=("/Library/Extensions/usbserial.kext",),
    )
    version: str | None = text(
        "Version; compare with version_below(version, '14.6').", samples=("15.10.66", "1.7", None)
    )
    extra: Any = extra()


PRISM_KERNEL_EXTENSIONS = category(
    PrismKernelExtension,
    "kernel_extensions",
    ttl=timedelta(hours=6),
    platforms=MAC,
    asks=(
        Ask(
            "Which kernel extensions are left",
            "SELECT bundle_id, count(*) AS macs FROM prism_kernel_extensions GROUP BY ALL ORDER BY macs DESC",
        ),
    ),
)
