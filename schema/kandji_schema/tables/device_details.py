"""The long record of every device."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Names, Personal, boolean, document, extra, text, texts, timestamp
from kandji_schema.resource import Paging, Resource


class DeviceDetail(SQLModel, table=True):
    """One row per device: what the device list does not say, from supervision and escrow to volumes and addresses.

    Which columns are filled depends on the platform. Sections of the provider's record that have a column of their own
    hold it whole.
    """

    __tablename__ = "device_details"

    device_id: str | None = text("Device; joins to devices.device_id.", key=True, references="devices.device_id")
    serial_number: str | None = text(
        "Serial number, text.",
        source=(
            "hardware_overview.serial_number",
            "hardware_overview.smbios_serial_number",
            "general.serial_number",
        ),
    )

    supervised: bool | None = boolean(
        "Whether the device is supervised; Apple TVs do not say.",
        source="mdm.supervised",
        samples=("True",) * 9 + ("False",),
    )
    auto_enrolled: bool | None = boolean(
        "Whether it came by Automated Device Enrollment.",
        source="automated_device_enrollment.auto_enrolled",
        samples=(True, True, False, None),
    )
    auto_enroll_eligible: bool | None = boolean(
        "Whether Automated Device Enrollment is possible for it.",
        source="automated_device_enrollment.auto_enroll_eligible",
        samples=(True, True, False, None),
    )
    mdm_enabled: bool | None = boolean("Whether MDM is enabled.", source="mdm.mdm_enabled", samples=("True", "False"))
    mdm_install_date: datetime | None = timestamp("When the MDM profile was installed.", source="mdm.install_date")
    mdm_last_check_in: datetime | None = timestamp("Last contact by MDM.", source="mdm.last_check_in", volatile=True)
    windows_device_id: str | None = text("Windows: its own identifier.", source="mdm.windows_device_id")

    agent_installed: bool | None = boolean(
        "Whether the Kandji agent (Iru Agent since April 2026) is installed.",
        source=("kandji_agent.agent_installed", "kandji_agent.is_agent_installed", "iru_agent.agent_installed"),
        samples=("True", "True", "False"),
    )
    agent_version: str | None = text(
        "Version of the agent.",
        source=("kandji_agent.agent_version", "kandji_agent.version", "iru_agent.agent_version"),
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
        "Mac: whether FileVault is on.", source="filevault.filevault_enabled", samples=(True,) * 8 + (False, None)
    )
    filevault_recoverykey_type: str | None = text(
        "Mac: kind of recovery key.",
        source="filevault.filevault_recoverykey_type",
        samples=("Personal", "Personal", ""),
    )
    filevault_prk_escrowed: bool | None = boolean(
        "Mac: whether the personal recovery key is escrowed.",
        source="filevault.filevault_prk_escrowed",
        samples=(True, True, False),
    )
    filevault_next_rotation: datetime | None = timestamp(
        "Mac: when that key will be rotated.", source="filevault.filevault_next_rotation"
    )
    filevault_regen_required: bool | None = boolean(
        "Mac: whether a new key is needed.", source="filevault.filevault_regen_required", samples=(False, False, True)
    )

    recovery_lock_enabled: bool | None = boolean(
        "Mac: whether a Recovery Lock password is set (Apple silicon).",
        source="recovery_information.recovery_lock_enabled",
        samples=(True, False),
    )
    firmware_password_exist: bool | None = boolean(
        "Mac: whether a firmware password is set (Intel).",
        source="recovery_information.firmware_password_exist",
        samples=(False, False, True),
    )
    firmware_password_pending: bool | None = boolean(
        "Mac: whether a firmware password waits for a restart.",
        source="recovery_information.firmware_password_pending",
        samples=(False,),
    )
    password_rotation_scheduled: datetime | None = timestamp(
        "Mac: when that password will be rotated.", source="recovery_information.password_rotation_scheduled"
    )
    password_has_been_set: bool | None = boolean(
        "Mac: whether that password was set and is escrowed.",
        source=("recovery_information.password_has_been_set", "recovery_information.password_escrowed"),
        samples=(True, False, None),
    )

    activation_lock_supported: bool | None = boolean(
        "Whether Activation Lock is supported.",
        source="activation_lock.activation_lock_supported",
        samples=(True, False),
    )
    activation_lock_allowed_while_supervised: bool | None = boolean(
        "Whether Activation Lock is allowed under supervision.",
        source="activation_lock.activation_lock_allowed_while_supervised",
        samples=(False, True, None),
    )
    device_activation_lock_enabled: bool | None = boolean(
        "Whether the device-based Activation Lock is on.",
        source="activation_lock.device_activation_lock_enabled",
        samples=(False, True),
    )
    user_activation_lock_enabled: bool | None = boolean(
        "Whether a person's own Activation Lock is on.",
        source="activation_lock.user_activation_lock_enabled",
        samples=(False,) * 9 + (True,),
    )
    bypass_code_failed: bool | None = boolean(
        "Whether escrow of the bypass code failed.", source="activation_lock.bypass_code_failed", samples=(False,)
    )
    remote_desktop_enabled: bool | None = boolean(
        "Mac: whether remote management is on.",
        source="security_information.remote_desktop_enabled",
        samples=(False, False, True, None),
    )
    lost_mode_status: str | None = text(
        "ENABLED or DISABLED; empty where lost mode was never used.",
        source="lost_mode.lost_mode_status",
        samples=(None,) * 9 + ("ENABLED",),
    )

    public_ip: str | None = text(
        "Address seen from the internet.", source="network.public_ip", personal=Personal.IDENTITY
    )
    ip_address: str | None = text(
        "Address in its own network.",
        source=("network.ip_address", "network.wifi_ipv4_address"),
        personal=Personal.IDENTITY,
    )
    mac_address: str | None = text(
        "MAC address of its network interface.",
        source=("network.mac_address", "hardware.wifi_mac_address"),
        personal=Personal.IDENTITY,
    )
    local_hostname: str | None = text(
        "Bonjour name; of Windows, its name in DNS.",
        source=("network.local_hostname", "network.dns_computer_name"),
        personal=Personal.DEVICE,
    )

    system_version: str | None = text(
        "Mac: version and build of macOS.", source="general.system_version", samples=("14.4.1 (23E224)", "")
    )
    boot_volume: str | None = text(
        "Mac: start volume.",
        source="general.boot_volume",
        personal=Personal.FREE_TEXT,
        samples=("Macintosh HD", ""),
    )
    time_since_boot: str | None = text(
        "Mac: time since the last start, as the provider words it.",
        source="general.time_since_boot",
        volatile=True,
        samples=("1 month ago", "3 days ago", ""),
    )
    last_user: str | None = text(
        "Mac: local account that was last logged in.",
        source="general.last_user",
        personal=Personal.IDENTITY,
        names=Names.ACCOUNT,
    )
    os_version: str | None = text(
        "Version of the operating system; of Windows in full, such as 10.0.26100.6584.",
        source="general.os_version",
        samples=("14.4.1", "17.5.1"),
    )
    os_name: str | None = text("Windows: name of the operating system.", source="general.os_name", samples=(None,))
    os_build: str | None = text(
        "Windows and Android: build of the operating system.", source="general.os_build", samples=(None,)
    )
    os_edition: str | None = text("Windows: edition.", source="general.os_edition", samples=(None,))
    update_build_revision: str | None = text(
        "Windows: revision of the build.", source="general.update_build_revision", samples=(None,)
    )
    language: str | None = text("Windows: language, such as en-US.", source="general.language", samples=(None,))
    api_level: str | None = text("Android: API level.", source="general.api_level", samples=(None,))
    security_patch_level: str | None = text(
        "Android: date of the security patch.", source="general.security_patch_level", samples=(None,)
    )

    manufacturer: str | None = text("Windows and Android: maker.", source="general.manufacturer", samples=(None,))
    model_name: str | None = text(
        "Model, without its size and year.",
        source=("hardware_overview.model_name", "general.device_model", "general.model_name"),
        samples=("MacBook Air", "MacBook Pro"),
    )
    device_type: str | None = text("Windows: type of the device.", source="general.device_type", samples=(None,))
    model_identifier: str | None = text(
        "Apple's model identifier, such as Mac14,2.",
        source="hardware_overview.model_identifier",
        samples=("MacBookAir10,1", "Mac14,2"),
    )
    udid: str | None = text(
        "Hardware identifier of Apple devices.", source=("hardware_overview.udid", "hardware_overview.uuid")
    )
    processor_name: str | None = text(
        "Mac: processor.", source="hardware_overview.processor_name", samples=("Apple M1", "Apple M2", "Intel Core i7")
    )
    processor_speed: str | None = text(
        "Mac: speed of the processor; empty for Apple silicon.",
        source="hardware_overview.processor_speed",
        samples=("", "", "2.6 GHz"),
    )
    number_of_processors: str | None = text(
        "Mac: processors, text as sent.", source="hardware_overview.number_of_processors", samples=("8", "1")
    )
    total_number_of_cores: str | None = text(
        "Mac: cores, text as sent.", source="hardware_overview.total_number_of_cores", samples=("8", "10")
    )
    processor_architecture: str | None = text(
        "Windows: architecture of the processor.", source="hardware_overview.processor_architecture", samples=(None,)
    )
    memory: str | None = text(
        "Mac: memory with its kind, text as sent.",
        source="hardware_overview.memory",
        samples=("8 GB LPDDR4", "16 GB LPDDR5"),
    )
    total_ram: str | None = text(
        "Windows (MB) and Android (GB): memory, text as sent.",
        source=("hardware_overview.total_ram", "hardware.total_ram"),
        samples=(None,),
    )
    total_capacity: str | None = text(
        "Windows (MB) and Android (GB): capacity of the storage, text as sent; of Apple devices see volumes.",
        source=("hardware_overview.total_capacity", "hardware.total_capacity"),
        samples=(None,),
    )
    available_capacity: str | None = text(
        "Windows (MB) and Android (GB): free storage, text as sent; of Apple devices see volumes.",
        source=("hardware_overview.free_capacity", "hardware.available_capacity"),
        volatile=True,
        samples=(None,),
    )
    bios_version: str | None = text(
        "Windows: version of the BIOS.", source="hardware_overview.bios_version", samples=(None,)
    )

    management_mode: str | None = text(
        "Android: how it is managed, such as PROFILE_OWNER.", source="management.management_mode", samples=(None,)
    )
    ownership: str | None = text(
        "Android: whose it is, such as COMPANY_OWNED.", source="management.ownership", samples=(None,)
    )
    is_encrypted: bool | None = boolean(
        "Android: whether the storage is encrypted.", source="security.is_encrypted", samples=(None,)
    )
    encryption_status: str | None = text(
        "Android: how it is encrypted.", source="security.encryption_status", samples=(None,)
    )
    has_passcode: bool | None = boolean(
        "Android: whether a passcode is set.", source="security.has_passcode", samples=(None,)
    )
    device_posture: str | None = text(
        "Android: security posture, such as SECURE.", source="security.device_posture", samples=(None,)
    )
    has_google_play_protect: bool | None = boolean(
        "Android: whether Google Play Protect is on.", source="security.has_google_play_protect", samples=(None,)
    )
    unknown_app_sources_enabled: bool | None = boolean(
        "Android: whether apps from unknown sources are allowed.",
        source="security.unknown_app_sources_enabled",
        samples=(None,),
    )
    developer_mode_enabled: bool | None = boolean(
        "Android: whether developer mode is on.", source="security.developer_mode_enabled", samples=(None,)
    )
    android_debug_bridge_enabled: bool | None = boolean(
        "Android: whether the debug bridge is on.", source="security.android_debug_bridge_enabled", samples=(None,)
    )

    tags: list[str] | None = texts("Names of the device's tags.", samples=([], ["IT-Devices"]))
    volumes: Any = document(
        "Apple: JSON list of the volumes (name, format, percent_used, identifier, capacity, available, encrypted Yes "
        "or No), all values text as sent.",
        personal=Personal.FREE_TEXT,
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
)
