"""The long record of every device."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Names, Personal, boolean, document, extra, text, texts, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class DeviceDetail(SQLModel, table=True):
    """One row per device: what the device list does not say, from supervision and escrow to volumes and addresses.

    Which columns are filled depends on the platform. Sections of the provider's record that have a column of their own
    hold it whole.
    """

    __tablename__ = "device_details"

    device_id: str | None = text("Device; joins to devices.device_id.", key=True, references="devices.device_id")
    serial_number: str | None = text(
        "Serial number, text.", source=("hardware_overview.", "hardware_overview.smbios_serial_number", "general.")
    )

    supervised: bool | None = boolean(
        "Whether the device is supervised; Apple TVs do not say.", source="mdm.", samples=("True",) * 9 + ("False",)
    )
    auto_enrolled: bool | None = boolean(
        "Whether it came by Automated Device Enrollment.",
        source="automated_device_enrollment.",
        samples=(True, True, False, None),
    )
    auto_enroll_eligible: bool | None = boolean(
        "Whether Automated Device Enrollment is possible for it.",
        source="automated_device_enrollment.",
        samples=(True, True, False, None),
    )
    mdm_enabled: bool | None = boolean("Whether MDM is enabled.", source="mdm.", samples=("True", "False"))
    mdm_install_date: datetime | None = timestamp("When the MDM profile was installed.", source="mdm.install_date")
    mdm_last_check_in: datetime | None = timestamp("Last contact by MDM.", source="mdm.last_check_in", volatile=True)
    windows_device_id: str | None = text("Windows: its own identifier.", source="mdm.")

    agent_installed: bool | None = boolean(
        "Whether the Kandji agent (Iru Agent since April 2026) is installed.",
        source=("kandji_agent.", "kandji_agent.is_agent_installed", "iru_agent."),
        samples=("True", "True", "False"),
    )
    agent_version: str | None = text(
        "Version of the agent.",
        source=("kandji_agent.", "kandji_agent.version", "iru_agent."),
        samples=("4.5.9 (5160)",),
    )
    agent_install_date: datetime | None = timestamp(
        "When the agent was installed.", source=("kandji_agent.install_date", "iru_agent.install_date")
    )
    agent_last_check_in: datetime | None = timestamp(
        "Last contact of the agent; of an iPhone, iPad or Apple TV, the last by MDM.",
        source=("kandji_agent.last_check_in", "kandji_agent.last_check_in_datetime", "iru_agent.last_check_in"),
        volatile=True,
    )

    filevault_enabled: bool | None = boolean(
        "Mac: whether FileVault is on.", source="filevault.", samples=(True,) * 8 + (False, None)
    )
    filevault_recoverykey_type: str | None = text(
        "Mac: kind of recovery key.", source="filevault.", samples=("Personal", "Personal", "")
    )
    filevault_prk_escrowed: bool | None = boolean(
        "Mac: whether the personal recovery key is escrowed.", source="filevault.", samples=(True, True, False)
    )
    filevault_next_rotation: datetime | None = timestamp("Mac: when that key will be rotated.", source="filevault.")
    filevault_regen_required: bool | None = boolean(
        "Mac: whether a new key is needed.", source="filevault.", samples=(False, False, True)
    )

    recovery_lock_enabled: bool | None = boolean(
        "Mac: whether a Recovery Lock password is set (Apple silicon).",
        source="recovery_information.",
        samples=(True, False),
    )
    firmware_password_exist: bool | None = boolean(
        "Mac: whether a firmware password is set (Intel).", source="recovery_information.", samples=(False, False, True)
    )
    firmware_password_pending: bool | None = boolean(
        "Mac: whether a firmware password waits for a restart.", source="recovery_information.", samples=(False,)
    )
    password_rotation_scheduled: datetime | None = timestamp(
        "Mac: when that password will be rotated.", source="recovery_information."
    )
    password_has_been_set: bool | None = boolean(
        "Mac: whether that password was set and is escrowed.",
        source=("recovery_information.", "recovery_information.password_escrowed"),
        samples=(True, False, None),
    )

    activation_lock_supported: bool | None = boolean(
        "Whether Activation Lock is supported.", source="activation_lock.", samples=(True, False)
    )
    activation_lock_allowed_while_supervised: bool | None = boolean(
        "Whether Activation Lock is allowed under supervision.", source="activation_lock.", samples=(False, True, None)
    )
    device_activation_lock_enabled: bool | None = boolean(
        "Whether the device-based Activation Lock is on.", source="activation_lock.", samples=(False, True)
    )
    user_activation_lock_enabled: bool | None = boolean(
        "Whether a person's own Activation Lock is on.", source="activation_lock.", samples=(False,) * 9 + (True,)
    )
    bypass_code_failed: bool | None = boolean(
        "Whether escrow of the bypass code failed.", source="activation_lock.", samples=(False,)
    )
    remote_desktop_enabled: bool | None = boolean(
        "Mac: whether remote management is on.", source="security_information.", samples=(False, False, True, None)
    )
    lost_mode_status: str | None = text(
        "ENABLED or DISABLED; empty where lost mode was never used.",
        source="lost_mode.",
        samples=(None,) * 9 + ("ENABLED",),
    )

    public_ip: str | None = text("Address seen from the internet.", source="network.", personal=Personal.IDENTITY)
    ip_address: str | None = text(
        "Address in its own network.", source=("network.", "network.wifi_ipv4_address"), personal=Personal.IDENTITY
    )
    mac_address: str | None = text(
        "MAC address of its network interface.",
        source=("network.", "hardware.wifi_mac_address"),
        personal=Personal.IDENTITY,
    )
    local_hostname: str | None = text(
        "Bonjour name; of Windows, its name in DNS.",
        source=("network.", "network.dns_computer_name"),
        personal=Personal.DEVICE,
    )

    system_version: str | None = text(
        "Mac: version and build of macOS.", source="general.", samples=("14.4.1 (23E224)", "")
    )
    boot_volume: str | None = text(
        "Mac: start volume.", source="general.", personal=Personal.FREE_TEXT, samples=("Macintosh HD", "")
    )
    time_since_boot: str | None = text(
        "Mac: time since the last start, as the provider words it; in days uptime_days.",
        source="general.",
        volatile=True,
        samples=("1 month ago", "3 days ago", ""),
    )
    last_user: str | None = text(
        "Mac: local account that was last logged in.",
        source="general.",
        personal=Personal.IDENTITY,
        names=Names.ACCOUNT,
    )
    os_version: str | None = text(
        "Version of the operating system; of Windows in full, such as 10.0.26100.6584.",
        source="general.",
        samples=("14.4.1", "17.5.1"),
    )
    os_name: str | None = text("Windows: name of the operating system.", source="general.", samples=(None,))
    os_build: str | None = text(
        "Windows and Android: build of the operating system.", source="general.", samples=(None,)
    )
    os_edition: str | None = text("Windows: edition.", source="general.", samples=(None,))
    update_build_revision: str | None = text("Windows: revision of the build.", source="general.", samples=(None,))
    language: str | None = text("Windows: language, such as en-US.", source="general.", samples=(None,))
    api_level: str | None = text("Android: API level.", source="general.", samples=(None,))
    security_patch_level: str | None = text("Android: date of the security patch.", source="general.", samples=(None,))

    manufacturer: str | None = text("Windows and Android: maker.", source="general.", samples=(None,))
    model_name: str | None = text(
        "Model, without its size and year.",
        source=("hardware_overview.", "general.device_model", "general."),
        samples=("MacBook Air", "MacBook Pro"),
    )
    device_type: str | None = text("Windows: type of the device.", source="general.", samples=(None,))
    model_identifier: str | None = text(
        "Apple's model identifier, such as Mac14,2.", source="hardware_overview.", samples=("MacBookAir10,1", "Mac14,2")
    )
    udid: str | None = text(
        "Hardware identifier of Apple devices.", source=("hardware_overview.", "hardware_overview.uuid")
    )
    processor_name: str | None = text(
        "Mac: processor.", source="hardware_overview.", samples=("Apple M1", "Apple M2", "Intel Core i7")
    )
    processor_speed: str | None = text(
        "Mac: speed of the processor; empty for Apple silicon.",
        source="hardware_overview.",
        samples=("", "", "2.6 GHz"),
    )
    number_of_processors: str | None = text(
        "Mac: processors, text as sent.", source="hardware_overview.", samples=("8", "1")
    )
    total_number_of_cores: str | None = text(
        "Mac: cores, text as sent; as a number cores.", source="hardware_overview.", samples=("8", "10")
    )
    processor_architecture: str | None = text(
        "Windows: architecture of the processor.", source="hardware_overview.", samples=(None,)
    )
    memory: str | None = text(
        "Mac: memory with its kind, text as sent; memory_bytes for all.",
        source="hardware_overview.",
        samples=("8 GB LPDDR4", "16 GB LPDDR5"),
    )
    total_ram: str | None = text(
        "Windows (MB) and Android (GB): memory, text as sent; memory_bytes for all.",
        source=("hardware_overview.", "hardware."),
        samples=(None,),
    )
    total_capacity: str | None = text(
        "Windows (MB) and Android (GB): capacity of the storage, text as sent; disk_total_bytes for all.",
        source=("hardware_overview.", "hardware."),
        samples=(None,),
    )
    available_capacity: str | None = text(
        "Windows (MB) and Android (GB): free storage, text as sent; disk_free_bytes for all.",
        source=("hardware_overview.free_capacity", "hardware."),
        volatile=True,
        samples=(None,),
    )
    bios_version: str | None = text("Windows: version of the BIOS.", source="hardware_overview.", samples=(None,))

    management_mode: str | None = text(
        "Android: how it is managed, such as PROFILE_OWNER.", source="management.", samples=(None,)
    )
    ownership: str | None = text("Android: whose it is, such as COMPANY_OWNED.", source="management.", samples=(None,))
    is_encrypted: bool | None = boolean(
        "Android: whether the storage is encrypted.", source="security.", samples=(None,)
    )
    encryption_status: str | None = text("Android: how it is encrypted.", source="security.", samples=(None,))
    has_passcode: bool | None = boolean("Android: whether a passcode is set.", source="security.", samples=(None,))
    device_posture: str | None = text("Android: security posture, such as SECURE.", source="security.", samples=(None,))
    has_google_play_protect: bool | None = boolean(
        "Android: whether Google Play Protect is on.", source="security.", samples=(None,)
    )
    unknown_app_sources_enabled: bool | None = boolean(
        "Android: whether apps from unknown sources are allowed.", source="security.", samples=(None,)
    )
    developer_mode_enabled: bool | None = boolean(
        "Android: whether developer mode is on.", source="security.", samples=(None,)
    )
    android_debug_bridge_enabled: bool | None = boolean(
        "Android: whether the debug bridge is on.", source="security.", samples=(None,)
    )

    tags: list[str] | None = texts("Names of the device's tags.", samples=([], ["IT-Devices"]))
    volumes: Any = document(
        "Apple: JSON list of the volumes (name, format, percent_used, identifier, capacity, available, encrypted Yes "
        "or No), all values text as sent; the view device_volumes has them as rows with numbers.",
        personal=Personal.FREE_TEXT,
        safe_keys=("available", "capacity", "encrypted", "format", "identifier", "percent_used"),
        samples=(
            [
                {
                    "name": "Macintosh HD - Data",
                    "format": "APFS",
                    "percent_used": "19%",
                    "identifier": "disk3s1",
                    "capacity": "228.27 GB",
                    "available": "182.66 GB",
                    "encrypted": "Yes",
                }
            ],
            [],
        ),
    )
    installed_profiles: Any = document(
        "Apple: JSON list of the configuration profiles; prism_installed_profiles has them as rows.",
        safe_keys=("identifier", "install_date", "name", "organization", "uuid", "verified"),
        samples=([],),
    )
    users: Any = document(
        "Mac: JSON object with the local accounts, regular_users and system_users; prism_local_users has them as rows.",
        personal=Personal.IDENTITY,
        samples=({"regular_users": [], "system_users": []},),
    )
    general: Any = document("The section general as sent.", personal=Personal.IDENTITY)
    mdm: Any = document("The section mdm as sent, with the accounts MDM is enabled for.", personal=Personal.IDENTITY)
    hardware_overview: Any = document(
        "Apple and Windows: the section hardware_overview as sent.",
        safe_keys=(
            "memory",
            "model_identifier",
            "model_name",
            "number_of_processors",
            "processor_name",
            "processor_speed",
            "serial_number",
            "total_number_of_cores",
            "udid",
            "uuid",
        ),
    )
    network: Any = document("The section network as sent.", personal=Personal.IDENTITY)
    cellular: Any = document(
        "The section cellular as sent: lines, roaming, equipment numbers.",
        personal=Personal.IDENTITY,
        samples=({}, {"voice_roaming": False, "data_roaming": False, "cellular_technology": 0, "subscriptions": None}),
    )
    lost_mode: Any = document(
        "iPhone and iPad: the section lost_mode as sent: who, when, message, phone number, last location.",
        personal=Personal.IDENTITY,
    )
    apple_business_manager: Any = document(
        "The device in Apple Business Manager, with who assigned it; ade_devices has it as rows.",
        personal=Personal.IDENTITY,
        samples=({},),
    )
    extra: Any = extra()


DEVICE_DETAILS = Resource(
    model=DeviceDetail,
    path="/api/v1/devices/{device_id}/details",
    parent="devices",
    parent_key={"device_id": "device_id"},
    paging=Paging.WHOLE,
    swept=True,
    ttl=timedelta(hours=24),
    permission="Device details",
    asks=(
        Ask(
            "Addresses of a device", "SELECT ip_address, mac_address FROM device_details WHERE serial_number = 'C02XYZ'"
        ),
    ),
)
