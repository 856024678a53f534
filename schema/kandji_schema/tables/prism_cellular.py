"""Cellular modems and their two SIM slots."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import Personal, boolean, extra, text
from kandji_schema.prism import PrismRow, category
from kandji_schema.resource import Ask


class PrismCellular(PrismRow, table=True):
    """One row per iPhone or iPad with a modem: roaming, carrier and line of each SIM slot."""

    __tablename__ = "prism_cellular"

    cellular_technology: str | None = text("GSM, CDMA or both.", samples=("GSM and CDMA", "GSM"))
    data_roaming_enabled: bool | None = boolean("Whether data roaming is on.", samples=(False, False, True))
    voice_roaming_enabled: bool | None = boolean("Whether voice roaming is on.", samples=(False, True))
    personal_hotspot_enabled: bool | None = boolean("Whether the personal hotspot is on.", samples=(False, True))
    modem_firmware_version: str | None = text("Version of the modem's firmware.", samples=("6.21.01", "3.10.03"))
    meid: str | None = text(
        "Mobile equipment identifier.", personal=Personal.IDENTITY, samples=("00000000000000", None)
    )
    slot_1: str | None = text("Name of slot 1; empty where there is none.", samples=("CTSubscriptionSlotOne",))
    carrier_settings_version_slot_1: str | None = text(
        "Slot 1: version of the carrier settings.", samples=("62.0", None)
    )
    current_carrier_network_slot_1: str | None = text("Slot 1: network it is in.", samples=("Example Mobile", None))
    subscriber_carrier_network_slot_1: str | None = text(
        "Slot 1: network of the contract.", samples=("Example Mobile", None)
    )
    current_mcc_slot_1: str | None = text(
        "Slot 1: mobile country code, text; leading zeros are kept.", samples=("310", "262", None)
    )
    current_mnc_slot_1: str | None = text(
        "Slot 1: mobile network code, text; leading zeros are kept.", samples=("01", "410", None)
    )
    eid_slot_1: str | None = text(
        "Slot 1: number of the eSIM chip.", personal=Personal.IDENTITY, samples=("89049032~~~~~~~~~~~~~~~~~~~~~~~~",)
    )
    iccid_slot_1: str | None = text(
        "Slot 1: number of the SIM.", personal=Personal.IDENTITY, samples=("8901 26~~ ~~~~ ~~~~ ~~~",)
    )
    imei_slot_1: str | None = text(
        "Slot 1: equipment number, as sent, with spaces.", personal=Personal.IDENTITY, samples=("35 ~~~~~~ ~~~~~~ ~",)
    )
    phone_number_slot_1: str | None = text(
        "Slot 1: phone number.", personal=Personal.IDENTITY, samples=("+1 555 01~ ~~~~",)
    )
    label_slot_1: str | None = text(
        "Slot 1: name the person gave the line.", personal=Personal.FREE_TEXT, samples=("Primary", None)
    )
    label_id_slot_1: str | None = text(
        "Slot 1: identifier of that name.", samples=("C0FFEE00-0000-4000-8000-000000000001", None)
    )
    is_data_preferred_slot_1: bool | None = boolean("Slot 1: whether it carries data.", samples=(True, None))
    is_voice_preferred_slot_1: bool | None = boolean("Slot 1: whether it carries calls.", samples=(True, None))
    is_roaming_slot_1: bool | None = boolean("Slot 1: whether it is roaming.", samples=(False, True, None))
    slot_2: str | None = text("Name of slot 2; empty where there is none.", samples=(None, "CTSubscriptionSlotTwo"))
    carrier_settings_version_slot_2: str | None = text("Slot 2: version of the carrier settings.", samples=(None,))
    current_carrier_network_slot_2: str | None = text("Slot 2: network it is in.", samples=(None,))
    subscriber_carrier_network_slot_2: str | None = text("Slot 2: network of the contract.", samples=(None,))
    current_mcc_slot_2: str | None = text("Slot 2: mobile country code, text; leading zeros are kept.", samples=(None,))
    current_mnc_slot_2: str | None = text("Slot 2: mobile network code, text; leading zeros are kept.", samples=(None,))
    eid_slot_2: str | None = text(
        "Slot 2: number of the eSIM chip.",
        personal=Personal.IDENTITY,
        samples=("89049032~~~~~~~~~~~~~~~~~~~~~~~~", None, None, None),
    )
    iccid_slot_2: str | None = text(
        "Slot 2: number of the SIM.", personal=Personal.IDENTITY, samples=("8901 26~~ ~~~~ ~~~~ ~~~", None, None, None)
    )
    imei_slot_2: str | None = text(
        "Slot 2: equipment number, as sent, with spaces.",
        personal=Personal.IDENTITY,
        samples=("35 ~~~~~~ ~~~~~~ ~", None, None, None),
    )
    phone_number_slot_2: str | None = text(
        "Slot 2: phone number.", personal=Personal.IDENTITY, samples=("+1 555 01~ ~~~~", None, None, None)
    )
    label_slot_2: str | None = text(
        "Slot 2: name the person gave the line.", personal=Personal.FREE_TEXT, samples=(None, "Secondary")
    )
    label_id_slot_2: str | None = text("Slot 2: identifier of that name.", samples=(None,))
    is_data_preferred_slot_2: bool | None = boolean("Slot 2: whether it carries data.", samples=(None, False))
    is_voice_preferred_slot_2: bool | None = boolean("Slot 2: whether it carries calls.", samples=(None, False))
    is_roaming_slot_2: bool | None = boolean("Slot 2: whether it is roaming.", samples=(None,))
    extra: Any = extra()


PRISM_CELLULAR = category(
    PrismCellular,
    "cellular",
    ttl=timedelta(hours=6),
    platforms=("iPhone", "iPad"),
    asks=(
        Ask(
            "Whose IMEI or phone number is it",
            "SELECT d.device_name, d.user_email, c.imei_slot_1, c.imei_slot_2, c.phone_number_slot_1 FROM "
            "prism_cellular AS c JOIN devices AS d USING (device_id)",
        ),
        Ask(
            "How many devices of each carrier",
            "SELECT current_carrier_network_slot_1 AS carrier, count(*) AS devices FROM prism_cellular GROUP "
            "BY ALL ORDER BY devices DESC",
        ),
    ),
)
