"""Secrets of a device: read live, shown once, kept nowhere."""

from kandji_schema.actions.record import MAC, Action, Risk

_SECRETS = "/api/v1/devices/{device_id}/secrets/"
_SHOWN = "It is shown once, to whoever asked; the provider and the audit log here record that it was read, and by whom."

FILEVAULTKEY = Action(
    name="filevaultkey",
    title="Read the FileVault recovery key",
    tool="get_filevault_key",
    path=_SECRETS + "filevaultkey",
    method="GET",
    risk=Risk.READS,
    platforms=MAC,
    consequences=("The key opens the Mac's encrypted disk without any password.", _SHOWN),
    reveals={"key": "filevault_key", "filevault_key": "filevault_key"},
    permission="FileVault key",
)

UNLOCKPIN = Action(
    name="unlockpin",
    title="Read the unlock PIN",
    tool="get_unlock_pin",
    path=_SECRETS + "unlockpin",
    method="GET",
    risk=Risk.READS,
    platforms=MAC,
    consequences=("The PIN opens the Mac after a remote lock.", _SHOWN),
    reveals={"pin": "unlock_pin", "PIN": "unlock_pin", "unlock_pin": "unlock_pin"},
    permission="Unlock PIN",
)

RECOVERYPASSWORD = Action(
    name="recoverypassword",
    title="Read the recovery-lock password",
    tool="get_recovery_password",
    path=_SECRETS + "recoverypassword",
    method="GET",
    risk=Risk.READS,
    platforms=MAC,
    consequences=("The password opens macOS Recovery, from where the Mac can be erased or started elsewhere.", _SHOWN),
    reveals={"recovery_password": "recovery_password"},
    permission="Recovery lock password",
)

BYPASSCODE = Action(
    name="bypasscode",
    title="Read the activation-lock bypass codes",
    tool="get_activation_lock_bypass_code",
    path=_SECRETS + "bypasscode",
    method="GET",
    risk=Risk.READS,
    platforms=("Mac", "iPhone", "iPad", "Vision"),
    consequences=("The codes set up an erased device without the Apple account that locked it.", _SHOWN),
    reveals={"user_based_albc": "user_based_bypass_code", "device_based_albc": "device_based_bypass_code"},
    permission="Activation lock bypass code",
)
