"""Certificates."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import Personal, boolean, extra, integer, text
from kandji_schema.prism import PrismRow, category
from kandji_schema.resource import Ask


class PrismCertificate(PrismRow, table=True):
    """One row per device and certificate installed on it; the provider gives no serial number or expiry."""

    __tablename__ = "prism_certificates"

    common_name: str | None = text(
        "Common name; of a person's certificate their name or e-mail address.",
        key=True,
        personal=Personal.FREE_TEXT,
        samples=(
            "com.apple.systemdefault",
            "com.apple.kerberos.kdc",
            "MDM SCEP VERIFIER",
            "Acme Root CA",
            "Acme Device Trust",
        ),
    )
    identity_certificate: bool | None = boolean(
        "Whether the device holds the private key too.", key=True, samples=(True, False)
    )
    ordinal: int | None = integer("Number within identical certificates of a device, from 1.", key=True)
    extra: Any = extra()


PRISM_CERTIFICATES = category(
    PrismCertificate,
    "certificates",
    ttl=timedelta(hours=6),
    platforms=(),
    repeats=True,
    asks=(
        Ask(
            "Which Macs lack a certificate",
            "SELECT device_name, serial_number FROM devices WHERE platform = 'Mac' AND device_id NOT IN "
            "(SELECT device_id FROM prism_certificates WHERE common_name ILIKE '%vpn%')",
        ),
    ),
)
